"""Each holder type holds, alone, in its own way; and lets go."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING, Any, get_args

import pytest

from nswire.lab import syscalls
from nswire.lab.holder import is_alive
from nswire.lab.lab import Lab, wait_until
from nswire.lab.netns import BY_CHILD, Kind
from nswire.lab.private import in_private_host

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.netns import Ns

    Ip = Callable[..., list[dict[str, Any]]]

PATH = {"named": "web", "mounted": "/run/mounted", "mounted-elsewhere": "/run/netns/hidden"}
KINDS = [kind for kind in get_args(Kind) if kind != "here"]


def traces(ns: Ns) -> set[str]:
    """How /proc shows this namespace: an independent, plain search through all processes."""
    text, found = f"net:[{ns.inode}]", set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        tasks = os.listdir(f"/proc/{pid}/task")
        if _link(f"/proc/{pid}/ns/net") == text:
            found.add("process")
        elif text in [_link(f"/proc/{pid}/task/{tid}/ns/net") for tid in tasks]:
            found.add("thread")
        if text in [_link(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")]:
            found.add("descriptor")
        with open(f"/proc/{pid}/mountinfo") as mountinfo:
            if text in mountinfo.read():
                same = os.readlink(f"/proc/{pid}/ns/mnt") == os.readlink("/proc/self/ns/mnt")
                found.add("mount here" if same else "mount elsewhere")
    return found


def _link(path: str) -> str:
    try:
        return os.readlink(path)
    except OSError:
        return ""


EXPECTED = {
    "named": {"mount here"},
    "mounted": {"mount here"},
    "mounted-elsewhere": {"mount elsewhere"},
    "process": {"process"},
    "thread": {"thread"},
    "descriptor": {"descriptor"},
    "netlink-socket": set(),
    "udp-socket": set(),
    "in-flight": set(),
}


@pytest.mark.parametrize("kind", KINDS)
@in_private_host
def test_it_holds_in_its_own_way_alone_and_lets_go(kind: Kind) -> None:
    with Lab() as lab:
        ns = lab.namespace(kind, PATH.get(kind, ""))
        _, here = lab.pair(ns, "eth0", lab.home, "probe")
        lab.release()
        assert traces(ns) == EXPECTED[kind]
        with pytest.raises(ValueError, match="released"):
            _ = ns.fd
        assert here.ifindex in lab.rtnl(lab.home).indexes(), "the peer lives as long as the namespace does"
        ns.close()
        wait_until(lambda: here.ifindex not in lab.rtnl(lab.home).indexes(), what="the namespace's end")


@pytest.mark.parametrize("kind", BY_CHILD)
@in_private_host
def test_a_holder_is_ended_and_reaped(kind: Kind) -> None:
    with Lab() as lab:
        ns = lab.namespace(kind, PATH.get(kind, ""))
        assert ns.child
        assert is_alive(ns.child)
        keeper = lab.keeper.pid
    assert not is_alive(ns.child)
    assert not os.path.exists(f"/proc/{keeper}")


@in_private_host
def test_inode_device_and_cookie_are_those_of_the_namespace(ip: Ip) -> None:
    with Lab() as lab:
        ns = lab.namespace("named", "web")
        stat = os.stat("/run/netns/web")
        assert (ns.inode, ns.device) == (stat.st_ino, stat.st_dev)
        assert ns.cookie != lab.home.cookie
        assert [each["name"] for each in ip("netns")] == ["web"]


@in_private_host
def test_nothing_of_a_laboratory_is_left() -> None:
    before = (os.listdir("/proc/self/fd"), os.listdir("/run/netns"), syscalls.nsfs_mounts())
    with Lab() as lab:
        lab.namespace("named", "web")
        lab.pair(lab.home, "a", lab.home, "b")
        lab.namespace("thread")
    assert (os.listdir("/proc/self/fd"), os.listdir("/run/netns"), syscalls.nsfs_mounts()) == before
    with Lab() as lab:
        assert lab.rtnl(lab.home).indexes() == [1]


@in_private_host
def test_holders_die_with_a_laboratory_that_is_killed() -> None:
    program = (
        "import time; from nswire.lab.lab import Lab; from nswire.lab.netns import BY_CHILD\n"
        "lab = Lab()\n"
        "for kind in BY_CHILD: lab.namespace(kind)\n"
        "print(lab.keeper.pid, *(ns.child.pid for ns in lab.namespaces), flush=True)\n"
        "time.sleep(60)"
    )
    started = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
    assert started.stdout
    pids = started.stdout.readline().split()
    assert len(pids) == 1 + len(BY_CHILD)
    os.kill(started.pid, signal.SIGKILL)
    started.wait()
    started.stdout.close()
    # They become children of process 1, which is this one, and does not reap: a dead one has no more cmdline.
    wait_until(lambda: not any(_cmdline(int(pid)) for pid in pids), what="the holders' end")


def _cmdline(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as cmdline:
            return cmdline.read()
    except OSError:
        return b""


@in_private_host
def test_entered_is_for_the_calling_thread_and_comes_back_after_an_error() -> None:
    home = os.readlink("/proc/thread-self/ns/net")
    with Lab() as lab:
        ns = lab.namespace("descriptor")
        seen: list[str] = []

        def visit() -> None:
            with ns.entered():
                seen.append(os.readlink("/proc/thread-self/ns/net"))
                raise ZeroDivisionError

        def fail() -> None:
            with pytest.raises(ZeroDivisionError):
                visit()
            seen.append(os.readlink("/proc/thread-self/ns/net"))

        visiting = threading.Thread(target=fail)
        visiting.start()
        visiting.join()
        assert seen == [f"net:[{ns.inode}]", home]
        assert os.readlink("/proc/thread-self/ns/net") == home


@in_private_host
def test_a_holder_that_cannot_begin_says_why_and_leaves_no_descriptor() -> None:
    with Lab() as lab:
        lab.namespace("process")
        before = os.listdir("/proc/self/fd")
        with pytest.raises(FileNotFoundError, match="mounted-elsewhere"):
            lab.namespace("mounted-elsewhere", "/does/not/exist")
        assert os.listdir("/proc/self/fd") == before
        with pytest.raises(FileExistsError):
            [lab.namespace("named", "twice") for _ in range(2)]
        assert lab.namespace("thread").child, "the keeper still serves"


@in_private_host
def test_one_keeper_may_serve_many_laboratories() -> None:
    with Lab() as first:
        kept = first.namespace("process")
        with Lab(first.keeper) as second:
            other = second.namespace("process")
        assert kept.child
        assert other.child
        assert is_alive(kept.child)
        assert not is_alive(other.child)


def test_wait_until_waits_for_the_condition_and_gives_up() -> None:
    end = time.monotonic() + 0.02
    wait_until(lambda: time.monotonic() > end)
    with pytest.raises(TimeoutError, match="the moon"):
        wait_until(lambda: False, timeout=0.01, what="the moon")
