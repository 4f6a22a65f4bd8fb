"""Who serves a tun, tap or macvtap link: by descriptors of real processes, against what the kernel says of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.codec import procfs
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.lab.lab import Lab
    from nswire.model.topology import Link

TUNSETIFF, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI = 0x400454CA, 0x2, 0x100, 0x1000
SERVE = """
import fcntl, os, struct, sys
fds = []
for _ in range(int(sys.argv[3])):
    fd = os.open(sys.argv[1], os.O_RDWR)
    if sys.argv[1] == "/dev/net/tun":
        flags = 0x1002 | (0x100 if int(sys.argv[3]) > 1 else 0)
        fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", sys.argv[2].encode(), flags))
    fds.append(fd)
print(" ".join(map(str, fds)), flush=True)
sys.stdin.read()
"""

pytestmark = pytest.mark.needs("ip")


@contextlib.contextmanager
def served(name: str, device: str = "/dev/net/tun", queues: int = 1) -> Iterator[tuple[int, str]]:
    """A process that serves that link: (pid, its descriptors). It ends with the block."""
    if not os.access(device, os.R_OK | os.W_OK):
        pytest.skip(f"{device} cannot be opened here")
    command = [sys.executable, "-S", "-c", SERVE, device, name, str(queues)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            yield child.pid, child.stdout.readline().strip()
        finally:
            child.stdin.close()


def servers(link: Link) -> list[tuple[int | None, dict[str, object], str]]:
    """(pid, data, evidence) of the processes that serve a link."""
    return [(wire.to.pid, dict(wire.to.data), wire.evidence) for wire in link.late_wires("tap") if wire.to]


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def test_a_tap_that_was_renamed_and_moved_and_is_served_from_a_third_namespace(lab: Lab) -> None:
    """The descriptor's text knows the name it has now, TUNGETDEVNETNS where it is; SIOCGSKNS would say where it was born."""
    lab.namespace("named", "vm")
    lab.namespace("named", "other")
    with served("t-tap0") as (pid, fds):
        ip("link", "set", "t-tap0", "netns", "vm")
        ip("-n", "vm", "link", "set", "t-tap0", "name", "eth7")
        topology = nswire.scan()
        link = topology.link("vm/eth7")
        assert servers(link) == [(pid, {"fd": fds}, "proved")]
        (wire,) = link.late_wires("tap")
        assert wire.to is not None
        assert wire.to.ns == topology.home
        way = up(link)
        assert [(step.relation, step.link, step.to) for step in way.steps] == [("tap", None, wire.to)]
        assert [stop.end for stop in way.ends] == ["process"]


def test_two_taps_of_one_name_in_two_namespaces(lab: Lab) -> None:
    """Two VMs in two namespaces may both have a tap0; each is its own process's."""
    lab.namespace("named", "vm1")
    lab.namespace("named", "vm2")
    with served("t-one") as (first, _), served("t-two") as (second, _):
        for name, ns in (("t-one", "vm1"), ("t-two", "vm2")):
            ip("link", "set", name, "netns", ns)
            ip("-n", ns, "link", "set", name, "name", "tap0")
        topology = nswire.scan()
        assert [pid for pid, _, _ in servers(topology.link("vm1/tap0"))] == [first]
        assert [pid for pid, _, _ in servers(topology.link("vm2/tap0"))] == [second]


@pytest.mark.usefixtures("lab")
def test_a_multiqueue_tap_has_a_descriptor_a_queue() -> None:
    """One process, several descriptors: one wire."""
    with served("t-multi", queues=3) as (pid, fds):
        assert len(fds.split()) == 3
        assert servers(nswire.scan().link("t-multi")) == [(pid, {"fd": fds}, "proved")]


def test_a_persistent_tap_that_nobody_serves(run: Callable[..., None]) -> None:
    """It is there, and its other side is nobody: the way up says so."""
    run("ip tuntap add dev t-tap1 mode tap")
    link = nswire.scan().link("t-tap1")
    assert servers(link) == []
    assert [stop.end for stop in up(link).ends] == ["unserved"]


def test_vhost_is_told(run: Callable[..., None]) -> None:
    """A process that lets the kernel copy has /dev/vhost-net open beside the tap."""
    run("modprobe vhost_net")
    if not os.access("/dev/vhost-net", os.R_OK | os.W_OK):
        pytest.skip("no /dev/vhost-net here")
    fd = os.open("/dev/net/tun", os.O_RDWR)
    vhost = os.open("/dev/vhost-net", os.O_RDWR)
    try:
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"t-vh", IFF_TAP | IFF_NO_PI))
        # the process that scans is left out: somebody else has to have them
        with subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=(fd, vhost)) as child:
            assert child.stdin is not None
            try:
                ((pid, data, _),) = servers(nswire.scan().link("t-vh"))
            finally:
                child.stdin.close()
        assert (pid, data) == (child.pid, {"fd": str(fd), "vhost": True})
    finally:
        os.close(fd)
        os.close(vhost)


def test_macvtap_by_its_device(lab: Lab, run: Callable[..., None]) -> None:
    """Its descriptor tells name and MAC, and its device's name the ifindex, but no namespace: inferred."""
    lab.pair(lab.home, "t-nic", lab.home, "t-wall")
    run("ip link add link t-nic name t-mvt index 77 type macvtap mode bridge", "ip link set t-mvt up")
    with open("/sys/class/net/t-mvt/tap77/dev") as numbers:
        major, minor = map(int, numbers.read().split(":"))
    device = "/dev/tap77"
    if not os.path.exists(device):
        os.mknod(device, 0o600 | 0o020000, os.makedev(major, minor))
        lab.undo(lambda: os.unlink(device))
    with served("t-mvt", device) as (pid, fds):
        link = nswire.scan().link("t-mvt")
        assert servers(link) == [(pid, {"fd": fds}, "inferred")]
        assert link.lower is not None
        assert link.lower.ifname == "t-nic"


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"1 2",
        b"x 3 net:[1] - tap0",
        b"1 3 net:[x] - tap0",
        b"1 3 tap:x - a",
        b"9" * 30 + b" 1 net:[1] - a",
    ],
)
def test_rows_that_make_no_sense_are_skipped(line: bytes) -> None:
    """A recording may hold anything."""
    assert list(procfs.taps(line)) == []


def test_rows() -> None:
    """As `Live` writes them: a link's name is the last word, and may hold any byte but blanks."""
    rows = list(
        procfs.taps(
            b"12 7 net:[4026531840] - ta\xffp\n13 8 tap:77 02:00:00:00:00:01 mv\n14 9 vhost - -\n15 - !13 - -"
        )
    )
    assert [(row.pid, row.fd, row.net, row.ifindex, row.vhost) for row in rows] == [
        (12, 7, 4026531840, 0, False),
        (13, 8, 0, 77, False),
        (14, 9, 0, 0, True),
        (15, -1, -13, 0, False),
    ]
    assert os.fsencode(rows[0].name) == b"ta\xffp"
