"""The resolver alone, with facts written by hand: what no kernel here shows, or only by chance."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nswire.model.facts import Facts, View
from nswire.model.values import End, LinkFact
from nswire.resolve.peers import resolve
from nswire.resolve.uplinks import LONGEST, up

HOME, A, B = 1, 2, 3


def fact(ifindex: int, link: int | None, nsid: int | None, kind: str = "veth") -> LinkFact:
    """A link of which only what matters here is set."""
    return LinkFact(
        ifindex, f"l{ifindex}", kind, link, nsid, None, "", 1500, 6, 1, 1, (), "", "", "", "", b"", "", b""
    )


def facts(links: dict[int, list[LinkFact]], asked: dict[tuple[int, int], int] | None = None) -> Facts:
    """Facts of a scan from HOME."""
    made = Facts(HOME)
    made.links = {ns: {link.ifindex: link for link in some} for ns, some in links.items()}
    made.asked = dict(asked or {})
    return made


def test_a_mutual_pair_is_a_candidate_and_no_more() -> None:
    """Both name each other, but in whose namespace? Nothing is claimed before the kernel was asked."""
    outcome = resolve(facts({HOME: [fact(69, 68, 0)], A: [fact(68, 69, 0)]}))
    assert not outcome.wires
    assert len(outcome.ask) == 1


def test_one_proved_side_suffices() -> None:
    """What A calls home proves the pair for both ends, and teaches what home calls A."""
    outcome = resolve(facts({HOME: [fact(69, 68, 4)], A: [fact(68, 69, 0)]}, {(A, HOME): 0}))
    wire = outcome.wires[End(HOME, 69)]
    assert wire == outcome.wires[End(A, 68)]
    assert (wire.a, wire.evidence, wire.said_by) == (End(A, 68), "proved", "RTM_GETNSID")
    assert outcome.nsids[HOME] == {4: A}


def test_a_false_pair_is_ruled_out_by_its_nsid() -> None:
    """The trap: B's 68 names 69 too, but B's nsid 0 is not home. Home's link leads to A, which nobody has found."""
    outcome = resolve(facts({HOME: [fact(69, 68, 4)], B: [fact(68, 69, 0)]}, {(B, HOME): 7, (HOME, B): 2}))
    assert not outcome.wires
    assert outcome.unexplained == {View(HOME, 4), View(B, 0)}
    assert {loose.state for loose in outcome.loose.values()} == {"not visible"}


def test_an_omitted_link_is_the_own_index() -> None:
    """Before Linux 5.10 IFLA_LINK was left out where it equals the own ifindex; the nsid was still there."""
    outcome = resolve(facts({HOME: [fact(5, None, 4)], A: [fact(5, 5, 0)]}, {(A, HOME): 0}))
    assert outcome.wires[End(HOME, 5)].b == End(HOME, 5)


def test_the_same_index_at_both_ends() -> None:
    """Equal ifindexes at both ends must not look like a link to itself."""
    outcome = resolve(facts({HOME: [fact(5, 5, 4)], A: [fact(5, 5, 0)]}, {(A, HOME): 0}))
    assert len(set(outcome.wires.values())) == 1
    assert resolve(facts({HOME: [fact(5, 5, None)]})).reread == {End(HOME, 5)}


def test_ends_that_contradict_each_other_are_read_again() -> None:
    """The other end names something else: it moved under us. Not paired, and both are asked for again."""
    outcome = resolve(facts({HOME: [fact(69, 68, 4)], A: [fact(68, 70, 0)]}, {(HOME, A): 4, (A, HOME): 0}))
    assert not outcome.wires
    assert {End(HOME, 69), End(A, 68)} <= outcome.reread
    assert outcome.loose[End(HOME, 69)].state == "moved"


def test_kinds_do_not_mix() -> None:
    """A veth's other end is a veth, whatever the numbers say."""
    outcome = resolve(facts({HOME: [fact(69, 68, 4)], A: [fact(68, 69, 0, "netkit")]}, {(A, HOME): 0}))
    assert not outcome.wires


def test_unknown_kinds_survive() -> None:
    """Next year's kind is shown by its name and makes no wire."""
    outcome = resolve(facts({HOME: [fact(69, 68, 4, "foo")]}))
    assert not outcome.wires
    assert not outcome.loose


links = st.builds(
    fact,
    st.integers(1, 6),
    st.none() | st.integers(0, 6),
    st.none() | st.integers(-1, 3),
    st.sampled_from(["veth", "netkit", "bridge"]),
)


@given(
    st.dictionaries(st.integers(1, 4), st.lists(links, max_size=5), min_size=1),
    st.dictionaries(st.tuples(st.integers(1, 4), st.integers(1, 4)), st.integers(-1, 3), max_size=8),
)
def test_any_facts_give_consistent_answers(
    some: dict[int, list[LinkFact]], asked: dict[tuple[int, int], int]
) -> None:
    """Whatever the machine claims: an end has one wire or one reason, and the other end has the same wire."""
    outcome = resolve(facts(some, asked))
    for end, wire in outcome.wires.items():
        assert end in (wire.a, wire.b)
        assert wire.a != wire.b
        assert wire.b is not None
        assert outcome.wires[wire.a] is outcome.wires[wire.b]
        assert end not in outcome.loose


def test_a_way_up_in_circles_ends() -> None:
    """Recordings may claim bridges that are ports of each other, or stacks without end."""
    from nswire.model.inspector import NothingMore
    from nswire.model.topology import Topology
    from nswire.model.values import Namespace, Taken

    def stack(masters: dict[int, int]) -> Topology:
        ring = {
            i: LinkFact(i, f"l{i}", "bridge", None, None, m, "", 0, 6, 1, 1, (), "", "", "", "", b"", "", b"")
            for i, m in masters.items()
        }
        return Topology(
            home=HOME,
            namespaces={HOME: Namespace(HOME, 1, None, (), "host", home=True)},
            links={HOME: ring},
            wires={},
            lowers={},
            loose={},
            gaps=(),
            taken=Taken("", 0, "", "", "", (), 0),
            inspector=NothingMore(),
        )

    circle = stack({1: 2, 2: 3, 3: 1})
    way = up(circle.link("l1"))
    assert [step.link.ifindex for step in way.steps if step.link is not None] == [2, 3]
    assert [(stop.after, stop.end) for stop in way.ends] == [(1, "again")]
    tower = stack({i: i + 1 for i in range(1, LONGEST + 1000)})
    way = up(tower.link("l1"))
    assert len(way.steps) == LONGEST
    assert way.ends[-1].end == "too long"
