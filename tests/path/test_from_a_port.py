"""What somebody behind a tap sends, who has no stack of this host: a VM whose tap is a port of a bridge."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import socket
import struct
from typing import TYPE_CHECKING

import pytest
from path_exchanges import PATIENCE, UDP, Spaces, checksum

import nswire
from nswire import kinds
from nswire.lab.lab import wait_until
from nswire.path import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.lab import Lab

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000
SOURCE = "10.0.1.77"
BRIDGED = """
r ip link add br0 type bridge
r ip link set br0 up
r ip tuntap add tap0 mode tap
r ip link set tap0 master br0 up
r ip address add 10.0.1.1/24 dev br0
r ip link set lo up
"""
NEIGHBOUR = """
r ip link add ra type veth peer name ea netns a
r ip link set ra master br0 up
r ip link add rb type veth peer name eb netns b
r ip address add 10.0.2.1/24 dev rb
r ip link set rb up
a ip address add 10.0.1.2/24 dev ea
a ip link set ea up
b ip address add 10.0.2.2/24 dev eb
b ip link set eb up
b ip route add default via 10.0.2.1
"""
FORWARD = "r sysctl -qw net.ipv4.ip_forward=1\n"


ME = "02:00:00:00:00:77"


@contextlib.contextmanager
def opened(spaces: Spaces) -> Iterator[int]:
    """The tap as its process has it, so that it has a carrier."""
    with spaces["r"].entered():
        fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    try:
        with spaces["r"].entered():
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", b"tap0", IFF_TAP | IFF_NO_PI))
        wait_until(
            lambda: tap().operstate == "UP" and "forwarding" in kinds.port_details(tap().fact).values()
        )
        yield fd
    finally:
        os.close(fd)


def tap() -> nswire.Link:
    """The tap."""
    return next(link for link in nswire.scan() if link.ifname == "tap0")


def arrives(spaces: Spaces, fd: int, to: str, dst: str) -> tuple[str, ...]:
    """Where a frame comes up that the process sends to that MAC."""
    body = os.urandom(12)
    udp = struct.pack(">HHHH", 1024, 53, 8 + len(body), 0) + body
    addresses = socket.inet_aton(SOURCE) + socket.inet_aton(dst)
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0)
    check = checksum(head + addresses)
    frame = (
        bytes.fromhex((to + ME).replace(":", ""))
        + b"\x08\0"
        + head[:10]
        + struct.pack(">H", check)
        + addresses
        + udp
    )
    with contextlib.ExitStack() as ending:
        readers = {}
        for name, ns in spaces.spaces.items():
            with ns.entered():
                sock = ending.enter_context(socket.socket(socket.AF_INET, socket.SOCK_RAW, UDP))
            readers[sock] = name
        os.write(fd, frame)
        found = set()
        while ready := select.select(list(readers), [], [], PATIENCE)[0]:
            found |= {readers[sock] for sock in ready if sock.recv(100).endswith(body)}
        return tuple(sorted(found))


@pytest.mark.needs("ip", "sysctl")
@pytest.mark.parametrize(
    ("lines", "dst", "via", "fate", "at"),
    [
        ("", "10.0.1.1", "br0", "delivered", ("r",)),
        ("", "10.0.9.9", "br0", "unknown", ()),
        (NEIGHBOUR, "10.0.1.2", "ea", "delivered", ("a",)),
        (NEIGHBOUR, "10.0.2.2", "br0", "unknown", ()),
        (NEIGHBOUR + FORWARD, "10.0.2.2", "br0", "delivered", ("b",)),
    ],
)
def test_to_whom_a_vm_sends(lab: Lab, lines: str, dst: str, via: str, fate: str, at: tuple[str, ...]) -> None:
    """To whoever has the address on its segment, or to whoever forwards there; where that is nobody, it is not known."""
    spaces = Spaces(lab, BRIDGED + lines)
    with opened(spaces) as fd:
        flow = Flow(dst, SOURCE, UDP, 1024, 53)
        said = spaces.said("r", flow, by=tap().end)
        assert (said.fate, said.at) == (fate, at), said.reason
        to = next(link for link in nswire.scan() if link.ifname == via)
        assert arrives(spaces, fd, to.fact.address, dst) == at


def test_a_port_that_takes_nothing_in(lab: Lab) -> None:
    """Nobody has the tap open: the port is disabled, and that is said."""
    spaces = Spaces(lab, BRIDGED)
    said = spaces.said("r", Flow("10.0.1.1", SOURCE), by=tap().end)
    assert said.fate == "dropped"
    assert said.reason == "port tap0 of br0 is disabled, and takes nothing in"
