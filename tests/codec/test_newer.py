"""What newer kernels say in messages that old ones send, too: by the numbers of include/uapi of Linux 7.2."""

from __future__ import annotations

import struct

import pytest

from nswire.codec.netlink import link, nexthop, rule
from nswire.lab import attributes as nla
from nswire.model.routing import Masked, Rule

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
