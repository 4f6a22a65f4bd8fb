"""The way up, through stacks and circles that are made by hand: higher than a kernel builds, and as a forger might."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest

import nswire
from nswire.host.replay import Recorded
from nswire.lab import attributes as nla
from nswire.model.facts import Facts
from nswire.model.inspector import NothingMore
from nswire.model.topology import Topology
from nswire.model.values import End, LinkFact, Namespace, Taken
from nswire.resolve import resolve
from nswire.resolve.uplinks import LONGEST, may_lead_out, up

HOME, AWAY = 1, 2
HIGH = 200


def fact(
    ifindex: int,
    kind: str,
    link: int | None = None,
    nsid: int | None = None,
    port_of: tuple[int, str] | tuple[None, str] = (None, ""),
    data: bytes = b"",
) -> LinkFact:
    """A link of which only what matters here is set; `port_of` is its master and that one's kind."""
    name, (master, slave_kind) = f"l{ifindex}", port_of
    return LinkFact(
        ifindex, name, kind, link, nsid, master, "", 1500, 6, 1, 1, (), "", "", "", "", data, slave_kind, b""
    )


def topology(links: dict[int, list[LinkFact]]) -> Topology:
    """Home calls the other one 7, and is called 3 by it."""
    facts = Facts(HOME)
    facts.links = {ns: {link.ifindex: link for link in some} for ns, some in links.items()}
    facts.asked = {(HOME, AWAY): 7, (AWAY, HOME): 3}
    outcome = resolve(facts)
    return Topology(
        home=HOME,
        namespaces={ns: Namespace(ns, ns, None, (), f"ns{ns}", home=ns == HOME) for ns in links},
        links=facts.links,
        wires=outcome.wires,
        lowers=outcome.lowers,
        loose=outcome.loose,
        gaps=(),
        taken=Taken("", 0, "", "", "", (), 0),
        inspector=NothingMore(),
    )


def test_a_stack_of_two_hundred_links_in_two_namespaces() -> None:
    """VLAN on macvlan on VLAN ..., each in the other namespace than what it stands on, and all with one step each."""
    kinds = ["vlan", "macvlan"] * (HIGH // 2)
    links: dict[int, list[LinkFact]] = {HOME: [fact(1, "")], AWAY: []}
    for floor, kind in enumerate(kinds, 2):
        ns, nsid = ((HOME, 7), (AWAY, 3))[floor % 2 == 0]
        links[ns].append(fact(floor, kind, floor - 1, nsid))
    made = topology(links)
    assert not made.loose
    top = made.get(End(HOME if HIGH % 2 == 0 else AWAY, HIGH + 1))
    assert top is not None
    way = up(top)
    ends = [step.link.end for step in way.steps if step.link is not None]
    assert [step.relation for step in way.steps] == ["lower"] * HIGH
    assert [end.ifindex for end in ends] == list(range(HIGH, 0, -1))
    assert all(above.ns != below.ns for above, below in pairwise(ends))
    assert [(stop.after, stop.end) for stop in way.ends] == [(HIGH - 1, "nic")]


@pytest.mark.parametrize("length", [2, 3, LONGEST // 2])
def test_links_that_stand_on_each_other_in_circles(length: int) -> None:
    """No kernel makes them; a recording may claim them."""
    ring = [fact(index, "vlan", index % length + 1) for index in range(1, length + 1)]
    way = up(topology({HOME: ring, AWAY: []}).link("l1"))
    assert len(way.steps) == length - 1
    assert [(stop.after, stop.end) for stop in way.ends] == [(length - 2, "again")]


def test_a_recording_of_such_a_circle() -> None:
    """The same all the way from the bytes, which anybody may have written: three VLANs, and a bridge that is a port of itself."""
    done = struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)
    links = [(1, 2, 0, "vlan"), (2, 3, 0, "vlan"), (3, 1, 0, "vlan"), (4, 0, 4, "bridge")]
    dump = b""
    for index, lower, master, kind in links:
        body = nla.ifinfomsg(index) + nla.text(nla.IFLA_IFNAME, f"l{index}")
        body += nla.u32(nla.IFLA_LINK, lower) if lower else b""
        body += nla.u32(nla.IFLA_MASTER, master) if master else b""
        body += nla.nest(nla.IFLA_LINKINFO, nla.text(nla.IFLA_INFO_KIND, kind))
        dump += struct.pack("=IHHII", 16 + len(body), nla.RTM_NEWLINK, 2, 0, 0) + body
    answers = {
        "host/about": b'{"home": 1, "pid": 1}',
        "netns/1/links": dump + done,
        "netns/1/addresses": done,
    }
    made = nswire.scan(Recorded.fake(answers))
    way = up(made.link("l1"))
    assert [step.link.ifname for step in way.steps if step.link is not None] == ["l2", "l3"]
    assert [(stop.after, stop.end) for stop in way.ends] == [(1, "again")]
    assert [stop.end for stop in up(made.link("l4")).ends] == ["again"]


def test_two_links_that_stand_on_each_other_across_namespaces() -> None:
    """The same with one ifindex in both: only the namespace tells them apart."""
    made = topology({HOME: [fact(5, "macvlan", 5, 7)], AWAY: [fact(5, "macvlan", 5, 3)]})
    start = made.get(End(HOME, 5))
    assert start is not None
    assert start.lower == made.get(End(AWAY, 5))
    way = up(start)
    assert [step.link.end for step in way.steps if step.link is not None] == [End(AWAY, 5)]
    assert [(stop.after, stop.end) for stop in way.ends] == [(0, "again")]


def test_a_link_that_stands_on_itself() -> None:
    made = topology({HOME: [fact(5, "vlan", 5)], AWAY: []})
    way = up(made.link("l5"))
    assert way.steps == ()
    assert [(stop.after, stop.end) for stop in way.ends] == [(-1, "again")]


@pytest.mark.parametrize("kind", ["bond", "team", "batadv", "hsr"])
def test_all_ports_of_a_bond_lead_out(kind: str) -> None:
    """Its NICs may be veths, as on every host that is itself a container: a bond has no clients among its ports."""
    nics = [fact(index, "veth", index, 7, port_of=(9, kind)) for index in (1, 2)]
    far = [fact(index, "veth", index, 3) for index in (1, 2)]
    made = topology({HOME: [*nics, fact(9, kind), fact(10, "vlan", 9)], AWAY: far})
    way = up(made.link("l10"))
    assert [(step.relation, step.link.end) for step in way.steps if step.link is not None] == [
        ("lower", End(HOME, 9)),
        ("uplink", End(HOME, 1)),
        ("uplink", End(HOME, 2)),
        ("peer", End(AWAY, 1)),
        ("peer", End(AWAY, 2)),
    ]
    assert [(stop.after, stop.end) for stop in way.ends] == [(3, "routes"), (4, "routes")]


def test_the_way_from_a_port_of_a_bond_is_its_own() -> None:
    """What is sent there leaves there: the bond's other NIC has no part in it."""
    nics = [fact(index, "veth", index, 7, port_of=(9, "bond")) for index in (1, 2)]
    far = [fact(index, "veth", index, 3) for index in (1, 2)]
    way = up(topology({HOME: [*nics, fact(9, "bond")], AWAY: far}).link("l9").ports[0])
    assert [(step.relation, step.link and step.link.end) for step in way.steps] == [("peer", End(AWAY, 1))]
    assert [(stop.after, stop.end) for stop in way.ends] == [(0, "routes")]


@pytest.mark.parametrize("master", ["bond", "bridge", "vrf"])
def test_the_way_from_a_nic_ends_there(master: str) -> None:
    """It is what ways lead to, whatever it is a port of."""
    nics = [fact(index, "", port_of=(9, master)) for index in (1, 2)]
    way = up(topology({HOME: [*nics, fact(9, master)], AWAY: []}).link("l1"))
    assert (way.steps, [(stop.after, stop.end) for stop in way.ends]) == ((), [(-1, "nic")])


def test_a_bridge_s_clients_do_not_lead_out() -> None:
    """The contrast: the same with a bridge, for which a veth is a client until something says more."""
    nics = [fact(index, "veth", index, 7, port_of=(9, "bridge")) for index in (1, 2)]
    far = [fact(index, "veth", index, 3) for index in (1, 2)]
    made = topology({HOME: [*nics, fact(9, "bridge"), fact(10, "vlan", 9)], AWAY: far})
    way = up(made.link("l10"))
    assert [step.relation for step in way.steps] == ["lower"]
    assert [(stop.after, stop.end) for stop in way.ends] == [(0, "no uplink")]


@pytest.mark.parametrize(
    "master", [(9, "hsr"), (None, "")], ids=["as a port", "where the kernel gives no master"]
)
def test_a_port_of_a_ring_leads_to_it(master: tuple[int, str] | tuple[None, str]) -> None:
    """All three of them: before Linux 7.0 none is a port of hsr's, and only its own data name them."""
    ports = [fact(index, "dummy", port_of=master) for index in (1, 2, 3)]
    ring = fact(9, "hsr", data=nla.u32(1, 1) + nla.u32(2, 2) + nla.u32(8, 3))
    made = topology({HOME: [*ports, ring], AWAY: []})
    for port in ports:
        way = up(made.link(port.ifname))
        assert [(step.relation, step.link and step.link.end) for step in way.steps[:1]] == [
            ("port", End(HOME, 9))
        ]


def test_one_that_was_made_single_has_no_other_end() -> None:
    """A netkit without a pair (Linux 7.0): known for certain, so it is neither an open end nor a gap."""
    made = topology({HOME: [fact(5, "netkit", 0, data=nla.u8(2, 1) + nla.u32(10, 1))], AWAY: []})
    assert made.loose == {}
    assert [(stop.after, stop.end) for stop in up(made.link("l5")).ends] == [(-1, "single")]


@pytest.mark.parametrize("kind", ["vlan", "vxlan"])
def test_the_way_from_a_port_that_stands_on_something_goes_down(kind: str) -> None:
    """The others of the bridge are told of it as their uplink; it used to be told that none leads out."""
    data = nla.u32(3, 1) if kind == "vxlan" else b""
    made = topology(
        {HOME: [fact(1, ""), fact(2, kind, 1, port_of=(9, "bridge"), data=data), fact(9, "bridge")], AWAY: []}
    )
    way = up(made.link("l2"))
    assert [step.link and step.link.end for step in way.steps] == [End(HOME, 1)]
    assert [(stop.after, stop.end) for stop in way.ends] == [(0, "nic")]


def test_the_way_up_does_not_depend_on_where_one_starts() -> None:
    """A bridge itself, a guest of which nothing is known, and a client whose gateway is behind a veth: one uplink for all."""
    home = [
        fact(1, "veth", 7, 7, port_of=(9, "bridge")),
        fact(2, "tun", port_of=(9, "bridge")),
        fact(3, "veth", 8, 7, port_of=(9, "bridge")),
        fact(9, "bridge"),
    ]
    made = topology({HOME: home, AWAY: [fact(7, "veth", 1, 3), fact(8, "veth", 3, 3)]})
    clients = {End(HOME, 9): frozenset(("192.0.2.1",))}
    addresses = {End(AWAY, 8): "192.0.2.1"}

    def far(port: object) -> set[str]:
        return {addresses[port.end]} if getattr(port, "end", None) in addresses else set()  # type: ignore[attr-defined]

    from nswire.resolve import uplinks as module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_own", far)
        for start in ("l9", "l2"):
            way = up(made.link(start), frozenset, lambda switch: clients[switch.end])
            assert [step.link.end for step in way.steps if step.link is not None][-2:] == [
                End(HOME, 3),
                End(AWAY, 8),
            ]


def test_what_may_lead_out() -> None:
    """Where nothing does for certain: the ports whose other end's namespace goes on somewhere."""
    home = [fact(1, "veth", 7, 7, port_of=(9, "bridge")), fact(9, "bridge")]
    for further, found in ([], []), ([fact(8, "")], [End(HOME, 1)]):
        made = topology({HOME: home, AWAY: [fact(7, "veth", 1, 3), *further]})
        assert [port.end for port in may_lead_out(made.link("ns1/l9"))] == found
