"""What newer kernels say in messages that old ones send, too: by the numbers of include/uapi of Linux 7.2."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.codec import bpf
from nswire.codec.netlink import bridge, hook, link, neighbour, nexthop, rule, tc, xfrm
from nswire.errors import MalformedReply, NetlinkError
from nswire.lab import attributes as nla
from nswire.model.routing import Masked, Rule, VlanState
from nswire.model.tables import Hook

if TYPE_CHECKING:
    from collections.abc import Callable

DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def message(kind: int, body: bytes) -> bytes:
    """One message of a dump, and its end."""
    return struct.pack("=IHHII", 16 + len(body), kind, 2, 1, 0) + body + DONE


def rules(*attributes: bytes) -> tuple[Rule, ...]:
    """A rule for table 100 with these attributes."""
    head = struct.pack("=BBBBBxxBI", 2, 0, 0, 0, 100, 1, 0)
    return rule.decode(message(rule.RTM_NEWRULE, head + b"".join(attributes)))


@pytest.mark.parametrize(
    ("attributes", "dscp", "label", "text"),
    [
        (nla.u8(25, 46), Masked(46, 0x3F), None, "dscp 0x2e"),
        (nla.u8(25, 46) + nla.u8(30, 0x38), Masked(46, 0x38), None, "dscp 0x2e/0x38"),
        (nla.attribute(26, struct.pack(">I", 0x12345)) + nla.attribute(27, struct.pack(">I", 0xFF000)), None, Masked(0x12345, 0xFF000), "flowlabel 0x12345/0xff000"),
    ],
)  # fmt: skip
def test_rules(attributes: bytes, dscp: Masked | None, label: Masked | None, text: str) -> None:
    """FRA_DSCP (6.13) and its mask (6.15), FRA_FLOWLABEL: known, so that a rule with them is decided."""
    from nswire.path.fib import described

    (one,) = rules(attributes)
    assert (one.dscp, one.flowlabel, one.unknown) == (dscp, label, ())
    assert text in described(one)
    assert Masked(46, 0x38).fits(40)
    assert not Masked(46, 0x38).fits(0)


def test_weights_of_two_bytes() -> None:
    """nexthop_grp.weight_high (6.12): 300 used to be read as 44."""
    group = struct.pack("=IBBH", 7, 299 & 0xFF, 299 >> 8, 0) + struct.pack("=IBBH", 8, 0, 0, 0)
    answer = message(
        nexthop.RTM_NEWNEXTHOP, struct.pack("=BBBxI", 0, 0, 0, 0) + nla.u32(1, 3) + nla.attribute(2, group)
    )
    assert nexthop.decode(answer)[0].group == ((7, 300), (8, 1))


def test_entries_of_forwarding_tables() -> None:
    """NTF_EXT_LOCKED (6.2): of somebody who may not come in yet. NDA_NH_ID (5.8): a group of next hops."""
    head = struct.pack("=BxxxiHBB", 7, 5, 2, 0, 0)
    mac = nla.attribute(2, bytes.fromhex("020000000001"))
    for more, locked, group in (
        (nla.u32(15, 2), True, 0),
        (nla.u32(15, 1), False, 0),
        (nla.u32(13, 9), False, 9),
    ):
        (entry,) = neighbour.fdb(message(neighbour.RTM_NEWNEIGH, head + mac + more), ("02:00:00:00:00:01",))
        assert (entry.locked, entry.nh_id) == (locked, group)


def test_states_by_vlan() -> None:
    """RTM_GETVLAN (5.6): ranges; neigh_suppress by VLAN (6.4)."""
    one = nla.nest(1, nla.attribute(1, struct.pack("=HH", 0, 4)), nla.u16(2, 6), nla.u8(3, 4))
    two = nla.nest(1, nla.attribute(1, struct.pack("=HH", 0, 9)), nla.u8(3, 3), nla.u8(9, 1))
    answer = message(bridge.RTM_NEWVLAN, struct.pack("=BxxxI", 7, 5) + one + two)
    assert bridge.states(answer) == {
        5: (VlanState(4, 6, "blocking"), VlanState(9, 9, "forwarding", neigh_suppress=True))
    }


@pytest.mark.parametrize(
    ("kind", "options", "loses"),
    [
        ("netem", struct.pack("=6I", 0, 1000, 0xFFFFFFFF, 0, 0, 0), "all"),
        ("netem", struct.pack("=6I", 0, 1000, 5, 0, 0, 0), "some"),
        ("netem", struct.pack("=6I", 9, 1000, 0, 0, 7, 0), "nothing"),
        ("netem", struct.pack("=6I", 9, 1000, 0, 0, 7, 0) + nla.nest(5, nla.attribute(1, bytes(20))), "some"),
        ("netem", b"", "some"),
        ("pfifo", struct.pack("=I", 0), "all"),
        ("pfifo", struct.pack("=I", 9), "nothing"),
        ("blackhole", b"", "all"),
        ("fq_codel", b"", "nothing"),
        ("plug", b"", "some"),
        ("of next year", b"", "some"),
    ],
)
def test_qdiscs(kind: str, options: bytes, loses: str) -> None:
    head = struct.pack("=BxxxiIII", 0, 5, 0x10000, tc.TC_H_ROOT, 2)
    answer = message(tc.RTM_NEWQDISC, head + nla.text(1, kind) + nla.attribute(2, options))
    (one,) = tc.qdiscs(answer)
    assert (one.ifindex, one.kind, one.root, one.loses) == (5, kind, True, loses)


def hook_message(*attributes: bytes) -> bytes:
    """One hook of netfilter."""
    body = struct.pack("=BBH", 2, 0, 0) + b"".join(attributes)
    return struct.pack("=IHHII", 16 + len(body), 12 << 8, 2, 1, 0) + body


def test_hooks() -> None:
    """Chains of nftables are left out; answers about several hooks stand one behind the other."""
    number = nla.attribute(1, struct.pack(">I", 1)) + nla.attribute(2, struct.pack(">i", -5))
    named = nla.text(4, "ip_vs_in_hook") + nla.text(5, "ip_vs")
    chain = nla.nest(6, nla.attribute(2, struct.pack(">I", 1)))
    program = nla.nest(
        6, nla.nest(1, nla.attribute(1, struct.pack(">I", 33))), nla.attribute(2, struct.pack(">I", 2))
    )
    answer = (
        hook_message(number, named)
        + DONE
        + DONE
        + hook_message(number, chain)
        + hook_message(number, program)
        + DONE
    )
    assert hook.decode(answer) == (
        Hook("input", -5, "ip_vs_in_hook", "ip_vs"),
        Hook("input", -5, program=33),
    )


DECODERS = (
    bridge.states,
    tc.qdiscs,
    xfrm.policies,
    xfrm.default,
    hook.decode,
    link.further,
    lambda answer: tuple(bpf.at_netfilter(answer, "ip")),
)


@given(st.sampled_from(DECODERS), st.binary(max_size=300), st.sampled_from([16, 19, 36, 40, 112, 3072]))
def test_any_bytes(decode: Callable[[bytes], object], noise: bytes, kind: int) -> None:
    """Damaged or hostile: MalformedReply or NetlinkError, and nothing else."""
    for answer in (noise, message(kind, noise), hook_message(noise)):
        with contextlib.suppress(MalformedReply, NetlinkError):
            decode(answer)


def test_what_any_link_says() -> None:
    """IFLA_DEVLINK_PORT, _DPLL_PIN, _NETNS_IMMUTABLE, _HEADROOM, _TAILROOM; what is as usual is left out."""
    port = nla.nest(62, nla.text(1, "pci"), nla.text(2, "0000:01:00.0"), nla.u32(3, 4))
    pin = nla.nest(65, nla.u32(1, 9))
    room = nla.u8(67, 1) + nla.u16(68, 32) + nla.u16(69, 16)
    said = {
        "headroom": 32,
        "tailroom": 16,
        "netns_immutable": True,
        "devlink_port": "pci/0000:01:00.0/4",
        "dpll_pin": 9,
    }
    assert link.further(message(link.RTM_NEWLINK, nla.ifinfomsg(5) + port + pin + room)) == said
    usual = nla.u8(67, 0) + nla.u16(68, 0) + nla.u16(69, 0)
    assert link.further(message(link.RTM_NEWLINK, nla.ifinfomsg(5) + usual)) == {}
