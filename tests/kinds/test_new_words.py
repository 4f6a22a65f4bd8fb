"""Words of kernels that are younger than Debian 12's iproute2, by the numbers of include/uapi/linux/if_link.h of Linux 7.2."""

from __future__ import annotations

import struct

import pytest

from nswire.kinds import is_single, of
from nswire.kinds.fields import read
from nswire.lab import attributes as nla
from nswire.model.values import LinkFact

LOCAL6 = bytes.fromhex("20010db8000000000000000000000001")
RANGE = nla.attribute(15, struct.pack(">HH", 1000, 2000))

WORDS = {
    "bridge": (
        nla.u32(4, 0) + nla.attribute(46, struct.pack("=II", 0b10100, 0b11111)) + nla.u32(48, 7) + nla.u32(49, 9) + nla.u32(50, 1),
        {"ageing_time": 0, "mst_enabled": True, "fdb_local_vlan_0": True, "fdb_n_learned": 7, "fdb_max_learned": 9, "stp_mode": "user"},
    ),
    "bridge with filters of its own": (
        nla.u8(36, 1) + nla.u8(37, 1) + nla.u8(38, 1),
        {"nf_call_iptables": 1, "nf_call_ip6tables": 1, "nf_call_arptables": 1},
    ),
    "a usual bridge": (
        nla.u32(4, 30000) + nla.attribute(46, struct.pack("=II", 0, 0b11111)) + nla.u32(49, 0) + nla.u32(50, 0),
        {},
    ),
    "ipvlan private": (nla.u16(1, 0) + nla.u16(2, 1), {"mode": "l2", "private": True}),
    "ipvlan vepa": (nla.u16(1, 0) + nla.u16(2, 2), {"mode": "l2", "vepa": True}),
    "ipvlan": (nla.u16(1, 0) + nla.u16(2, 0), {"mode": "l2"}),
    "macvlan": (nla.u32(9, 5), {"bccutoff": 5}),
    "netkit": (nla.u8(2, 1) + nla.u32(10, 1), {"type": "primary", "pairing": "single"}),
    "a usual netkit": (nla.u8(2, 1) + nla.u32(10, 0), {"type": "primary"}),
    "geneve": (
        RANGE + nla.attribute(16, b"") + nla.attribute(17, bytes((192, 0, 2, 1))),
        {"port_range": {"low": 1000, "high": 2000}, "gro_hint": True, "local": "192.0.2.1"},
    ),
    "geneve IPv6": (nla.attribute(18, LOCAL6), {"local": "2001:db8::1"}),
    "gtp": (nla.attribute(7, bytes((192, 0, 2, 1))), {"local": "192.0.2.1"}),
    "gtp IPv6": (nla.attribute(8, LOCAL6), {"local": "2001:db8::1"}),
    "ovpn": (nla.u8(1, 1), {"mode": "mp"}),
    "bond": (nla.u8(32, 0) + nla.u8(33, 1) + nla.u8(34, 1), {"coupled_control": False, "broadcast_neighbor": True, "lacp_strict": True}),
    "a usual bond": (nla.u8(32, 1) + nla.u8(33, 0) + nla.u8(34, 0), {}),
    "hsr": (nla.u32(1, 3) + nla.u32(2, 4) + nla.u8(6, 1) + nla.u32(8, 5), {"slave1": "3", "slave2": "4", "version": 1, "interlink": "5"}),
    "vxlan": (
        nla.u8(30, 1) + nla.u8(31, 0) + nla.u32(32, 1) + nla.attribute(33, b"\xff" * 8) + nla.u8(34, 1),
        {"vnifilter": True, "localbypass": False, "label_policy": "inherit", "reserved_bits": "ff" * 8, "mc_route": True},
    ),
    "a usual vxlan": (
        nla.u8(30, 0) + nla.u8(31, 1) + nla.u32(32, 0) + nla.attribute(33, bytes.fromhex("f7ffffff000000ff")) + nla.u8(34, 0),
        {},
    ),
}  # fmt: skip
PORT_WORDS = {
    "bridge": (
        nla.u8(12, 1) + nla.u32(34, 5) + nla.u8(39, 1) + nla.u8(40, 1) + nla.u8(43, 1) + nla.u32(44, 6) + nla.u8(45, 1),
        {"proxy_arp_wifi": True, "backup_port": "5", "locked": True, "mab": True, "neigh_vlan_suppress": True, "backup_nhid": 6, "neigh_forward_grat": True},
    ),
    "bond": (
        nla.u32(9, 3) + nla.u16(10, 7) + nla.u8(11, 1) + nla.u8(12, 2),
        {"prio": 3, "actor_port_prio": 7, "ad_churn_actor_state": "churned"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WORDS)
def test_words_of_a_kind(case: str) -> None:
    """Each has its number; what is as usual is not told."""
    data, said = WORDS[case]
    kind = next(word for word in case.split() if of(word).fields)
    assert read(of(kind).fields, data) == said


@pytest.mark.parametrize("case", PORT_WORDS)
def test_words_of_a_port(case: str) -> None:
    data, said = PORT_WORDS[case]
    assert read(of(case).port_fields, data) == said


def _link(kind: str, data: bytes, link: int | None = 0) -> LinkFact:
    return LinkFact(5, "x", kind, link, None, None, "", 1500, 6, 1, 1, (), "", "", "", "", data, "", b"")


def test_who_is_single() -> None:
    """A netkit that was made so and names no other link; not one of which the kernel merely does not say the other end."""
    single = nla.u32(10, 1)
    assert is_single(_link("netkit", single))
    assert not is_single(_link("netkit", nla.u32(10, 0)))
    assert not is_single(_link("netkit", single, 7))
    assert not is_single(_link("veth", single))
