"""Tunnels that keep their socket's namespace to themselves: WireGuard and geneve, moved; on kernels that have them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.codec import procfs
from nswire.codec.netlink import wireguard
from nswire.host import genetlink
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip")

TABLE = b"""\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops
  464: 00000000:8349 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 306 2 00000000a5bfafcf 0
  584: 0100007F:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 311 2 000000005cf3ddf8 0
"""


def test_the_table_of_sockets() -> None:
    """Ports are in hex; the head of the table and what is cut off are left out."""
    assert list(procfs.udp_sockets(TABLE)) == [(0x8349, 306), (53, 311)]
    assert list(procfs.udp_sockets(TABLE[:200])) == []


def test_wireguard_made_at_home_and_moved_into_a_container(lab: Lab, run: Callable[..., None]) -> None:
    """Its packets leave from home, where it was made: found by its port, so inferred."""
    lab.namespace("named", "box")
    run("ip link add t-wg type wireguard", "ip link set t-wg netns box", "ip -n box link set t-wg up")
    topology = nswire.scan()
    link = topology.link("box/t-wg")
    (wire,) = link.late_wires("underlay")
    assert wire.to is not None
    assert (wire.evidence, wire.to.type, wire.to.ns) == ("inferred", "namespace", topology.home)
    assert link.details["sockets"]["port"] == int(str(dict(wire.to.data)["port"]))
    assert [stop.end for stop in up(link).ends] == ["namespace"]


def test_two_geneve_tunnels_of_one_port_in_two_namespaces(lab: Lab, run: Callable[..., None]) -> None:
    """One may be the other's: both namespaces are candidates, and nothing is claimed."""
    lab.namespace("named", "box")
    run(
        "ip link add t-gn type geneve id 5 remote 192.0.2.2",
        "ip link set t-gn netns box",
        "ip -n box link set t-gn up",
    )
    alone = nswire.scan().link("box/t-gn").late_wires("underlay")
    assert [(wire.evidence, wire.to.ns if wire.to else None) for wire in alone] == [
        ("inferred", lab.home.inode)
    ]
    run("ip -n box link add t-gx type geneve id 6 remote 192.0.2.2", "ip -n box link set t-gx up")
    topology = nswire.scan()
    link = topology.link("box/t-gn")
    assert link.late_wires("underlay") == ()
    (loose,) = link.late_loose("underlay")
    assert loose.state == "ambiguous"
    assert set(loose.spaces) == {topology.home, link.end.ns}


def test_one_that_is_down_has_no_socket(lab: Lab, run: Callable[..., None]) -> None:
    """WireGuard chooses its port when it comes up: until then nothing is known, and nothing is claimed."""
    lab.namespace("named", "box")
    run("ip link add t-wg type wireguard", "ip link set t-wg netns box")
    link = nswire.scan().link("box/t-wg")
    assert link.late_wires("underlay") == ()
    assert link.late_loose("underlay") == ()


def test_keys_never_leave_the_host_room(lab: Lab, run: Callable[..., None]) -> None:
    """What the kernel says of a WireGuard link has its private key in it; a recording must not."""
    run("ip link add t-wg type wireguard", "ip link set t-wg up")
    lab.release()
    answers: list[object] = []
    from nswire.host import requests
    from nswire.host.live import Live
    from nswire.host.system import Door, Errand

    index = nswire.scan().link("t-wg").ifindex
    door = Door(lab.home.inode, 0, ())
    Live().visit((Errand(door, (requests.wireguard_device(index),)),), lambda _, said: answers.extend(said))
    (answer,) = answers
    assert isinstance(answer, bytes)
    assert wireguard.decode(answer).port


def key_message() -> bytes:
    """A WireGuard answer with a private key and two peers, each with a preshared key."""
    import struct

    from nswire.codec.netlink.framing import attribute

    def nest(number: int, *inside: bytes) -> bytes:
        return attribute(number | 0x8000, b"".join(inside))

    endpoint = struct.pack("=H", 2) + struct.pack(">H", 51820) + bytes((192, 0, 2, 1)) + bytes(8)
    peers = [
        nest(0, attribute(1, b"P" * 32), attribute(2, b"S" * 32), attribute(4, endpoint)) for _ in range(2)
    ]
    body = struct.pack("=BBxx", 0, 1) + attribute(6, struct.pack("=H", 4242)) + attribute(3, b"K" * 32)
    body += nest(8, *peers)
    head = struct.pack("=IHHII", 16 + len(body), 30, 2, 0, 0)
    return head + body + struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)


def test_secrets_are_blanked() -> None:
    """The private key and each preshared key, by their place and not by their look; the rest stays."""
    answer = key_message()
    clean = genetlink.without_secrets("wireguard", answer)
    assert b"K" * 32 in answer
    assert b"S" * 32 in answer
    assert b"K" not in clean
    assert b"S" not in clean
    assert clean.count(b"P" * 32) == 2
    assert wireguard.decode(clean) == wireguard.Device(4242, 0, 2, ("192.0.2.1:51820",))


@pytest.mark.parametrize("cut", range(20, 200, 7))
def test_an_answer_that_cannot_be_cleaned_is_not_given(cut: int) -> None:
    """Cut anywhere it is refused, or clean."""
    try:
        clean = genetlink.without_secrets("wireguard", key_message()[:cut])
    except OSError:
        return
    assert b"K" * 8 not in clean
    assert b"S" * 8 not in clean
