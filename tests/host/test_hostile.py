"""We run as root and look at places that containers control: nothing there is followed, opened or believed."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.host import requests
from nswire.host.live import Live
from nswire.host.system import Door, Errand, Refusal
from nswire.lab.lab import wait_until
from nswire.sources import ALL

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.host.system import Answer
    from nswire.lab.lab import Lab

COOKIE = requests.COOKIE


def visit(door: Door) -> list[Answer]:
    """What one visit through that door brings."""
    found: list[Answer] = []
    Live().visit((Errand(door, (COOKIE,)),), lambda _, answers: found.extend(answers))
    return found


@pytest.mark.parametrize("trap", ["symlink", "fifo", "file"])
def test_a_path_of_another_mount_namespace_is_not_trusted(lab: Lab, tmp_path: Path, trap: str) -> None:
    """A container replaced its namespace mount by a link to ours, a pipe or a file: refused, at once."""
    target = tmp_path / "ns"
    if trap == "symlink":
        target.symlink_to("/proc/1/ns/net")
    elif trap == "fifo":
        os.mkfifo(target)
    else:
        target.write_bytes(b"")
    ns = lab.namespace("process")
    assert ns.child is not None
    (answer,) = visit(Door(lab.namespace("named", "meant").inode, 0, (("mount", ns.child.pid, str(target)),)))
    assert isinstance(answer, Refusal)
    assert answer.doing == "enter"


def test_another_namespace_under_the_same_path_is_noticed(lab: Lab) -> None:
    """Between finding and entering, a name may come to mean another namespace: the inode tells."""
    one, other = lab.namespace("named", "one"), lab.namespace("named", "other")
    (answer,) = visit(Door(one.inode, 0, (("path", 0, "/run/netns/other"),)))
    assert isinstance(answer, Refusal)
    (answer,) = visit(Door(other.inode, 0, (("path", 0, "/run/netns/gone"), ("path", 0, "/run/netns/other"))))
    assert isinstance(answer, bytes) or answer.doing == "ask", "the next way is tried"


def test_the_same_inode_with_another_cookie_is_noticed(lab: Lab) -> None:
    """Inode numbers are reused, cookies never; where the kernel can tell (6.18), it is asked before entering."""
    ns = lab.namespace("named", "one")
    if ns.cookie is None:
        pytest.skip("this kernel has no SO_NETNS_COOKIE")
    right, wrong = (
        visit(Door(ns.inode, cookie, (("path", 0, "/run/netns/one"),))) for cookie in (ns.cookie, 12345)
    )
    assert isinstance(right[0], bytes)
    assert int.from_bytes(right[0], sys.byteorder) == ns.cookie
    if isinstance(wrong[0], bytes):
        pytest.skip("this kernel has no NS_GET_ID")
    assert wrong[0].doing == "enter"


def test_the_caller_stays_where_it_is(lab: Lab) -> None:
    """Visits happen in a thread of their own: this one never moves, nor does a failing receiver leave anything."""
    here = os.stat("/proc/thread-self/ns/net").st_ino
    ns = lab.namespace("named", "one")
    errand = Errand(Door(ns.inode, 0, (("path", 0, "/run/netns/one"),)), (COOKIE,))

    def fail(_: Errand, __: list[Answer]) -> None:
        raise RuntimeError("the receiver's own failure")

    with pytest.raises(RuntimeError, match="the receiver's own"):
        Live().visit((errand,), fail)
    assert os.stat("/proc/thread-self/ns/net").st_ino == here


def test_a_scan_pins_nothing(lab: Lab) -> None:
    """After `ip netns del` the namespace's peer must vanish at once, however often we looked."""
    ns = lab.namespace("named", "short")
    lab.pair(lab.home, "out0", ns, "in0")
    lab.release()
    for _ in range(3):
        assert nswire.scan(sources=ALL).link("out0").peer
    ns.close()
    wait_until(lambda: not os.path.exists("/sys/class/net/out0"), what="the peer's end")


@pytest.mark.usefixtures("lab")
def test_process_names_with_newlines() -> None:
    """A process may call itself anything: no row of ours can be forged by it."""
    code = textwrap.dedent(
        r"""
        import ctypes, sys
        ctypes.CDLL(None).prctl(15, b"x\n1 net:[1]")
        print("ready", flush=True)
        sys.stdin.read()
        """
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        topology = nswire.scan(sources=ALL)
        assert topology.comm(process.pid) == "x\n1 net:[1]"
        assert 1 not in topology.namespaces
        process.communicate()
