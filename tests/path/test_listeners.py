"""Who takes what has arrived: sockets that are bound to an address, to a family, to a link."""

from __future__ import annotations

import subprocess
import zipfile
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import TCP, UDP, Listening, Spaces

import nswire
from nswire.codec import procfs
from nswire.codec.netlink import sockets
from nswire.errors import MalformedReply, NetlinkError
from nswire.host.replay import Recorded
from nswire.model.sockets import Listener
from nswire.path import Flow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

PAIR = """
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip address add fd01::1/64 dev a0 nodad
a ip link set lo up
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip address add 10.0.0.3/24 dev b0
b ip address add fd01::2/64 dev b0 nodad
b ip link set lo up
b ip link set b0 up
"""
PORT = 9700
V4, V6 = Flow("10.0.0.2", "", TCP, 0, PORT), Flow("fd01::2", "", TCP, 0, PORT)
U4, U6 = Flow("10.0.0.2", "", UDP, 0, PORT), Flow("fd01::2", "", UDP, 0, PORT)


TAKES, REFUSES = "answered", "refused"


class Bound(NamedTuple):
    """A socket of b, a packet of a, the answer, and what is said of it."""

    listening: Listening | None
    flow: Flow
    answer: str
    told: str


BOUND = {
    "nobody": Bound(None, V4, REFUSES, "nothing listens on 10.0.0.2:9700 (a reset)"),
    "nobody, UDP": Bound(None, U6, REFUSES, "nothing listens on [fd01::2]:9700 (port unreachable)"),
    "everywhere": Bound(Listening("b", PORT), V4, TAKES, "listens on 0.0.0.0:9700"),
    "everywhere, UDP": Bound(Listening("b", PORT), U4, TAKES, "listens on 0.0.0.0:9700"),
    "that address": Bound(Listening("b", PORT, "10.0.0.2"), V4, TAKES, "listens on 10.0.0.2:9700"),
    "another one": Bound(
        Listening("b", PORT, "10.0.0.3"), V4, REFUSES, "nothing listens on 10.0.0.2:9700 (a reset); "
    ),
    "127.0.0.1": Bound(Listening("b", PORT, "127.0.0.1"), V4, REFUSES, "listens on 127.0.0.1:9700"),
    "127.0.0.1, UDP": Bound(Listening("b", PORT, "127.0.0.1"), U4, REFUSES, "listens on 127.0.0.1:9700"),
    "both families": Bound(Listening("b", PORT, "::"), V4, TAKES, "listens on [::]:9700"),
    "both families, UDP": Bound(Listening("b", PORT, "::"), U4, TAKES, "listens on [::]:9700"),
    "both families, IPv6": Bound(Listening("b", PORT, "::"), V6, TAKES, "listens on [::]:9700"),
    "IPv6 alone": Bound(
        Listening("b", PORT, "::", v6only=True), V4, REFUSES, "listens on [::]:9700 (IPv6 alone)"
    ),
    "IPv6 alone, IPv6": Bound(Listening("b", PORT, "::", v6only=True), V6, TAKES, "listens on [::]:9700"),
    "IPv4 in IPv6": Bound(
        Listening("b", PORT, "::ffff:10.0.0.2"), V4, TAKES, "listens on [::ffff:10.0.0.2]:9700"
    ),
    "all IPv4 in IPv6": Bound(
        Listening("b", PORT, "::ffff:0.0.0.0"), V4, TAKES, "listens on [::ffff:0.0.0.0]:9700"
    ),
    "all IPv4 in IPv6, IPv6": Bound(
        Listening("b", PORT, "::ffff:0.0.0.0"), V6, REFUSES, "nothing listens on [fd01::2]:9700 (a reset)"
    ),
    "IPv4, IPv6": Bound(Listening("b", PORT, "0.0.0.0"), V6, REFUSES, "nothing listens on [fd01::2]:9700"),
    "that link": Bound(Listening("b", PORT, device="b0"), V4, TAKES, "listens on 0.0.0.0%b0:9700"),
    "another link": Bound(Listening("b", PORT, device="lo"), V4, REFUSES, "listens on 0.0.0.0%lo:9700"),
    "another link, UDP": Bound(Listening("b", PORT, device="lo"), U4, REFUSES, "listens on 0.0.0.0%lo:9700"),
}


@pytest.mark.needs("ip")
def test_who_takes_it(lab: Lab, tmp_path: Path) -> None:
    """As the kernel looks up sockets: by address, family and link; the process is named."""
    spaces = Spaces(lab, PAIR)
    spaces.settled()
    for what, bound in BOUND.items():
        listening = () if bound.listening is None else (bound.listening,)
        real = spaces.really("a", bound.flow, listen=listening)
        assert real.at == ("b",), what
        assert real.answer == bound.answer, what
        with spaces.listening(bound.flow, *listening):
            pid = spaces.holder
            live = spaces.said("a", bound.flow)
            file = f"{tmp_path}/{what}.nsw".replace(" ", "-")
            replayed = spaces.said("a", bound.flow, recording=file)
        for said in (live, replayed):
            assert said.fate == "delivered"
            assert bound.told in said.reason, (what, said.reason)
            assert ("nothing listens" in said.reason) == (bound.answer == REFUSES), (what, said.reason)
            if listening:
                assert f"sleep (pid {pid}) listens on" in said.reason
        assert replayed.trace.forward.reason == live.trace.forward.reason


@pytest.mark.needs("ip")
@pytest.mark.parametrize("dst", ["10.0.0.2", "127.0.0.1", "127.9.9.9", "fd01::2", "::1"])
@pytest.mark.parametrize("proto", [TCP, UDP])
def test_who_takes_what_a_namespace_sends_to_itself(lab: Lab, tmp_path: Path, proto: int, dst: str) -> None:
    """It comes by lo, but a socket that is bound to a link sees it as come by the link that has the address (rt_iif)."""
    spaces = Spaces(lab, PAIR)
    spaces.settled()
    flow = Flow(dst, "", proto, 0, PORT)
    seen = set()
    for device in ("", "b0", "lo"):
        listening = Listening("b", PORT, device=device)
        real = spaces.really("b", flow, listen=(listening,))
        seen.add(real.answer)
        with spaces.listening(flow, listening):
            told = [spaces.said("b", flow), spaces.said("b", flow, tables=True)]
            if device == "b0":
                told.append(spaces.said("b", flow, recording=f"{tmp_path}/host.nsw"))
        for said in told:
            assert said.fate == "delivered"
            assert ("nothing listens" in said.reason) == (real.answer == REFUSES), (device, real, said.reason)
            assert "listens on" in said.reason
    assert seen == {TAKES, REFUSES}


VRF = (
    PAIR
    + """
b ip link add vrf0 type vrf table 100
b ip link set vrf0 up
b ip link set b0 master vrf0
b ip address add 10.0.0.2/24 dev b0 || true
"""
)


@pytest.mark.needs("ip", "sysctl")
@pytest.mark.parametrize("proto", [TCP, UDP])
def test_who_listens_in_a_vrf(lab: Lab, proto: int) -> None:
    """A socket that is bound to no link takes what comes by a VRF only if the sysctl says so."""
    try:
        spaces = Spaces(lab, VRF)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"this kernel: {error.stderr}")
    spaces.settled()
    flow = Flow("10.0.0.2", "", proto, 0, PORT)
    name = "tcp" if proto == TCP else "udp"
    for accept in (0, 1):
        spaces.run(f"b sysctl -qw net.ipv4.{name}_l3mdev_accept={accept}")
        for device in ("", "vrf0", "b0", "lo"):
            listening = Listening("b", PORT, device=device)
            real = spaces.really("a", flow, listen=(listening,))
            with spaces.listening(flow, listening):
                said = spaces.said("a", flow)
            assert ("nothing listens" in said.reason) == (real.answer == REFUSES), (accept, device, real)
            if real.answer != REFUSES:
                assert said.as_real == real, (accept, device)


TCP4 = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0 100 0 0 10 0
   1: 0100007F:1F91 0100007F:0050 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0 100 0 0 10 0
   2: 010000:1F92 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0 100 0 0 10 0
"""


def test_sockets_in_proc() -> None:
    """The address is of words of this machine's; what makes no sense is left out."""
    assert list(procfs.listeners(TCP4, "tcp")) == [Listener("tcp", 4, "127.0.0.1", 8080, inode=4711)]


@pytest.mark.parametrize("cut", [0, 15, 17, 60, 87])
def test_sockets_that_make_no_sense(cut: int) -> None:
    """An answer that was cut off is refused as such."""
    whole = b"\x58\0\0\0\x14\0\x02\0" + bytes(80)
    with pytest.raises((MalformedReply, NetlinkError)):
        sockets.decode(whole[:cut], "tcp")


def test_what_a_recording_does_not_tell(lab: Lab, tmp_path: Path) -> None:
    """One that was made before sockets were asked for by sock_diag has their addresses, but not whether `::` takes IPv4."""
    spaces = Spaces(lab, PAIR)
    spaces.settled()

    for address, told in (("::", "10.0.0.2 is an address of b"), ("127.0.0.1", "listens on 127.0.0.1:9700")):
        listening = Listening("b", PORT, address)
        file = f"{tmp_path}/{address}.nsw".replace(":", "_")
        with spaces.listening(V4, listening):
            nswire.record(file)
        with zipfile.ZipFile(file) as archive:
            older = {name: archive.read(name) for name in archive.namelist() if "/sockets" not in name}
        said = spaces.replayed(Recorded.fake(older), "a", V4)
        assert said.fate == "delivered"
        assert said.reason.endswith(told)
