"""Each source by contrast: what it finds is found with it and not found without it."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, ClassVar

import pytest

import nswire
from nswire.host.replay import Recorded
from nswire.lab.lab import wait_until
from nswire.sources import ALL, EAGER, mounts
from nswire.sources.source import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nswire.host.system import Answer, Errand
    from nswire.lab.lab import Lab
    from nswire.lab.netns import Kind

CASES: list[tuple[Kind, set[str], str]] = [
    ("named", {"mounts"}, "mount"),
    ("mounted", {"mounts"}, "mount"),
    ("mounted-elsewhere", {"mounts"}, "mount"),
    ("process", {"processes"}, "process"),
    ("thread", {"threads"}, "thread"),
    ("descriptor", {"fds"}, "fd"),
    ("netlink-socket", {"sockets"}, "socket"),
    ("udp-socket", {"sockets"}, "socket"),
]


@pytest.mark.parametrize(("kind", "found_by", "holder"), CASES, ids=[case[0] for case in CASES])
def test_found_with_it_and_not_without(
    lab: Lab, tmp_path: Path, kind: Kind, found_by: set[str], holder: str
) -> None:
    """No link leads to these namespaces, so nothing but the source can betray them."""
    places = {"named": "alone", "mounted": str(tmp_path / "ns"), "mounted-elsewhere": "/run/nswire-elsewhere"}
    ns = lab.namespace(kind, places.get(kind, b""))
    lab.release()
    for source in found_by:
        seen = nswire.scan(sources=(source,)).namespaces
        assert ns.inode in seen, source
        types = {h.type for h in seen[ns.inode].holders}
        assert types <= {holder, "name"}
    without = nswire.scan(sources=tuple(set(ALL) - found_by)).namespaces
    assert ns.inode not in without


def test_in_flight_is_found_by_the_nsid_walk_alone(lab: Lab) -> None:
    """A namespace that only a descriptor on its way between two sockets holds: no source can find it."""
    ns = lab.namespace("in-flight")
    lab.pair(lab.home, "out0", ns, "in0", index=70, peer_index=71)
    alone = lab.namespace("in-flight")
    lab.release()
    topology = nswire.scan(sources=ALL)
    assert not {ns.inode, alone.inode} & {n.inode for n in topology.namespaces.values()}
    (hidden,) = [n for n in topology.namespaces.values() if n.hidden]
    peer = topology.link("out0").peer
    assert peer is not None
    assert (peer.ifname, peer.ifindex, peer.netns) == ("in0", 71, hidden)
    assert any(hidden.label == gap.where for gap in topology.gaps), "that nobody seems to hold it is a gap"


def test_a_name_may_be_a_symlink_or_dead(lab: Lab) -> None:
    """Docker users link /proc/PID/ns/net into /run/netns; a crash leaves plain files there."""
    ns = lab.namespace("process")
    assert ns.child is not None
    os.symlink(f"/proc/{ns.child.pid}/ns/net", "/run/netns/web")
    lab.undo(lambda: os.unlink("/run/netns/web"))
    with open("/run/netns/dead", "w"):
        lab.undo(lambda: os.unlink("/run/netns/dead"))
    topology = nswire.scan()
    assert topology.namespaces[ns.inode].names == ("web",)
    assert topology.namespaces[ns.inode].label == "web"
    assert [gap.why for gap in topology.gaps if gap.where == "/run/netns/dead"] == [
        "it is no network namespace"
    ]


def test_cookies_are_the_identity(lab: Lab) -> None:
    """The cookie is what the laboratory read by its own means."""
    ns = lab.namespace("named", "cookie")
    if ns.cookie is None:
        pytest.skip("this kernel has no SO_NETNS_COOKIE")
    assert nswire.scan().namespaces[ns.inode].cookie == ns.cookie


def test_two_names_of_one_namespace(lab: Lab) -> None:
    """A namespace with two names is one namespace, and has both."""
    ns = lab.namespace("named", "one")
    os.symlink("/run/netns/one", "/run/netns/also")
    lab.undo(lambda: os.unlink("/run/netns/also"))
    assert set(nswire.scan().namespaces[ns.inode].names) == {"one", "also"}


def test_names_that_look_like_ours_are_not_trusted(lab: Lab) -> None:
    """A namespace called `host` must not pass for the host, nor two namespaces under one name of foreign mounts."""
    ns = lab.namespace("named", "host")
    topology = nswire.scan()
    assert topology.namespaces[ns.inode].label != "host"
    assert len({n.label for n in topology.namespaces.values()}) == len(topology.namespaces)


def test_eager_is_a_part_of_all() -> None:
    """Asking for everything includes what is always asked."""
    assert set(EAGER) < set(ALL)


def test_a_name_that_may_not_be_followed_is_not_called_dead() -> None:
    """A live name whose namespace this user may not see: saying "left over" would get it deleted."""
    about = b'{"home": 1, "pid": 1, "mnt": "mnt:[5]"}'
    answers = {
        "host/about": about,
        "host/names": b"!13 /run/netns/web\n0 /run/netns/dead",
        "host/mountinfo/1": b"",
    }
    gaps = {gap.where: gap for gap in nswire.scan(Recorded.fake(answers)).gaps}
    assert gaps["/run/netns/web"].why == "Permission denied"
    assert "left over" not in gaps["/run/netns/web"].what
    assert "left over" in gaps["/run/netns/dead"].what


def test_a_chrooted_process_does_not_hide_mounts() -> None:
    """Its table leaves out what is mounted elsewhere, so another process of its mount namespace is asked."""
    asked = []

    class Host:
        """Process 1 is chrooted, 2 is not; both are in another mount namespace than ours."""

        answers: ClassVar = {
            "about": b'{"home": 1, "pid": 9, "mnt": "mnt:[5]"}',
            "processes": b"1 net:[1] mnt:[7]\n2 net:[1] mnt:[7]",
            "root/1": b"/srv",
            "root/2": b"/",
            "mountinfo/1": b"",
            "mountinfo/2": b"36 35 0:4 net:[77] /run/netns/x rw - nsfs nsfs rw",
            "mountinfo/9": b"",
        }

        def host(self, name: str) -> Answer:
            asked.append(name)
            return self.answers[name]

        def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
            raise NotImplementedError

    found = [one for one in mounts.find(Host()) if isinstance(one, Found)]
    assert [(one.inode, one.way) for one in found] == [(77, ("mount", 2, "/run/netns/x"))]
    assert "mountinfo/1" not in asked


def test_unknown_sources_are_an_error() -> None:
    """A misspelt name must not pass for a host without namespaces."""
    with pytest.raises(ValueError, match="no source is called nonsense"):
        nswire.scan(Recorded.fake({"host/about": b'{"home": 1, "pid": 1}'}), ("nonsense",))


HOLD = """
import ctypes, os, sys, threading
fd = os.open(sys.argv[1], os.O_RDONLY)
if sys.argv[2] == "thread":  # only the first thread ends
    threading.Thread(target=lambda: (print("ready", flush=True), sys.stdin.read(), os._exit(0))).start()
    ctypes.CDLL(None).syscall(60 if os.uname().machine == "x86_64" else 93, 0)  # exit, of this thread alone
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("leader", ["process", "thread"])
def test_a_deleted_name_that_somebody_has_open(lab: Lab, leader: str) -> None:
    """After `ip netns del` such a descriptor shows `/`, not `net:[...]`; behind a dead leader it is not listed at all."""
    ns = lab.namespace("named", "deleted")
    lab.release()
    command = [sys.executable, "-S", "-c", HOLD, "/run/netns/deleted", leader]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"ready\n"
        ns.close()
        wait_until(
            lambda: leader == "process" or not os.listdir(f"/proc/{holder.pid}/fd"), what="the leader's end"
        )
        found = nswire.scan(sources=ALL).namespaces
        assert ns.inode in found
        assert [one.type for one in found[ns.inode].holders] == ["fd"]
        holder.communicate()
