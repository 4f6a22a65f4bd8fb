"""Handles on topologies built by hand: what each family finds, and that no link is without a handle of its own."""

from __future__ import annotations

import os
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.handles import filters, find, nearest, own, unique_handle
from nswire.handles.table import PREFIXES
from nswire.model.inspector import NothingMore
from nswire.model.topology import Topology
from nswire.model.values import Address, Holder, LinkFact, Namespace, Taken

HOME, ROUTER, QDHCP, NAMELESS, HIDDEN = 4026531840, 4026532001, 4026532002, 4026532003, -1


class Known(NothingMore):
    """Whom a topology asks late: here somebody who knows addresses."""

    def __init__(self, addresses: dict[int, list[Address]]) -> None:
        self._addresses = addresses

    def addresses(self, ns: int) -> tuple[Address, ...]:
        return tuple(self._addresses.get(ns, ()))


def fact(
    ifindex: int,
    ifname: str,
    *,
    kind: str = "veth",
    link: int | None = None,
    nsid: int | None = None,
    address: str = "",
    permaddr: str = "",
    altnames: tuple[str, ...] = (),
    alias: str = "",
    flags: int = 0x1003,
) -> LinkFact:
    return LinkFact(
        ifindex=ifindex,
        ifname=ifname,
        kind=kind,
        link=link,
        link_netnsid=nsid,
        master=None,
        address=address,
        mtu=1500,
        operstate=6,
        flags=flags,
        type=1,
        altnames=altnames,
        alias=alias,
        permaddr=permaddr,
        parentdev="",
        parentbus="",
        data=b"",
        slave_kind="",
        slave_data=b"",
    )


def topology_of(
    namespaces: list[Namespace],
    links: dict[int, list[LinkFact]],
    addresses: dict[int, list[Address]] | None = None,
) -> Topology:
    return Topology(
        home=HOME,
        namespaces={ns.key: ns for ns in namespaces},
        links={key: {fact.ifindex: fact for fact in facts} for key, facts in links.items()},
        wires={},
        lowers={},
        loose={},
        gaps=(),
        taken=Taken("2026-01-01T00:00:00.000+00:00", 0.1, "0", "6.18", "host", (), 0),
        inspector=Known(addresses or {}),
    )


LO = fact(1, "lo", kind="", flags=0x9, address="00:00:00:00:00:00")


@pytest.fixture
def topology() -> Topology:
    return topology_of(
        [
            Namespace(
                HOME, HOME, 1, (), "host", home=True, holders=(Holder("process", 1), Holder("process", 50))
            ),
            Namespace(
                ROUTER,
                ROUTER,
                2,
                ("router",),
                "router",
                holders=(
                    Holder("name", path="/run/netns/router"),
                    Holder("process", 812),
                    Holder("thread", 900, number=901),
                    Holder("fd", 77, number=5),
                ),
            ),
            Namespace(QDHCP, QDHCP, 3, ("qdhcp-1",), "qdhcp-1"),
            Namespace(NAMELESS, NAMELESS, 4, (), f"net:[{NAMELESS}]"),
            Namespace(HIDDEN, None, None, (), "nsid:5@host", hidden=True, seen_from=(HOME, 5)),
        ],
        {
            HOME: [
                LO,
                fact(2, "eth0", kind="", address="52:54:00:12:34:56", permaddr="52:54:00:aa:bb:cc"),
                fact(69, "tap1", link=68, nsid=0, altnames=("port-of-dhcp",), alias="customer 17"),
                fact(5, "68"),
            ],
            ROUTER: [LO, fact(2, "eth0"), fact(3, "router")],
            QDHCP: [
                LO,
                fact(68, "ns-1", address="fa:16:3e:98:e6:f3"),
                fact(69, "vlan5", kind="vlan", link=68),
            ],
            NAMELESS: [LO, fact(2, "eth0")],
            HIDDEN: [LO, fact(2, "eth0"), fact(7, "deep")],
        },
        {
            QDHCP: [Address(68, "10.10.100.2/24", 2, 0), Address(68, "fe80::1/64", 10, 253)],
            HOME: [Address(69, "fe80::1/64", 10, 253), Address(2, "2001:db8::1/64", 10, 0)],
        },
    )


def ends(topology: Topology, text: str) -> set[tuple[str, str]]:
    """What a handle finds, as (namespace's label, name of the link, or "*" for the namespace)."""
    return {
        (match.namespace.label, "*")
        if match.namespace
        else (match.links[0].netns.label, match.links[0].ifname)
        for match in find(topology, text)
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("tap1", {("host", "tap1")}),
        ("port-of-dhcp", {("host", "tap1")}),
        ("customer 17", {("host", "tap1")}),
        ("tap1@if68", {("host", "tap1")}),
        ("tap1@if67", set()),
        ("vlan5@ns-1", {("qdhcp-1", "vlan5")}),
        ("69", {("host", "tap1"), ("qdhcp-1", "vlan5")}),
        ("68", {("host", "68"), ("qdhcp-1", "ns-1")}),
        ("ifindex:68", {("qdhcp-1", "ns-1")}),
        ("FA-16-3E-98-E6-F3", {("qdhcp-1", "ns-1")}),
        ("fa16.3e98.e6f3", {("qdhcp-1", "ns-1")}),
        ("52:54:00:aa:bb:cc", {("host", "eth0")}),
        ("10.10.100.2", {("qdhcp-1", "ns-1")}),
        ("10.10.100.2/24", {("qdhcp-1", "ns-1")}),
        ("10.10.100.2/16", set()),
        ("2001:DB8:0::1", {("host", "eth0")}),
        ("fe80::1", {("host", "tap1"), ("qdhcp-1", "ns-1")}),
        ("fe80::1%tap1", {("host", "tap1")}),
        ("router", {("router", "*"), ("router", "router")}),
        ("netns:router", {("router", "*")}),
        ("netns:/run/netns/router", {("router", "*")}),
        ("/run/netns/router/eth0", {("router", "eth0")}),
        ("router/eth0", {("router", "eth0")}),
        ("router/3", {("router", "router")}),
        ("pid:812/eth0", {("router", "eth0")}),
        (f"{ROUTER}/eth0", {("router", "eth0")}),
        (f"net:[{NAMELESS}]/eth0", {(f"net:[{NAMELESS}]", "eth0")}),
        (f"net:[{NAMELESS}]", {(f"net:[{NAMELESS}]", "*")}),
        (str(NAMELESS), {(f"net:[{NAMELESS}]", "*")}),
        ("nsid:5@host", {("nsid:5@host", "*")}),
        ("nsid:5@host/deep", {("nsid:5@host", "deep")}),
        ("pid:812", {("router", "*")}),
        ("pid:901", {("router", "*")}),
        ("pid:77", set()),
        ("pid:50", {("host", "*")}),
        ("self", {("host", "*")}),
        (".", {("host", "*")}),
        ("host", {("host", "*")}),
        ("host/eth0", {("host", "eth0")}),
        ("", set()),
        ("/", set()),
        ("host/", set()),
        ("pid:", set()),
        ("net:[", set()),
        ("١", set()),
    ],
)
def test_what_each_handle_finds(topology: Topology, text: str, expected: set[tuple[str, str]]) -> None:
    assert ends(topology, text) == expected


def test_an_ambiguous_name_gives_a_unique_handle_for_each(topology: Topology) -> None:
    handles = [match.unique for match in find(topology, "eth0")]
    assert handles == ["host/eth0", "router/eth0", f"net:[{NAMELESS}]/eth0", "nsid:5@host/eth0"]
    assert all(len(find(topology, handle)) == 1 for handle in handles)


def test_a_name_of_the_own_namespace_is_that_one_as_ip_has_it(topology: Topology) -> None:
    """Of links alone; a namespace that is called so as well may be what was meant, and an ifindex is no name."""
    mine = own(topology, find(topology, "eth0"))
    assert mine is not None
    assert mine.unique == "host/eth0"
    assert own(topology, find(topology, "vlan5")) is None, "a name that others alone have"
    assert own(topology, find(topology, "router")) is None, "a namespace is called so, too"
    assert own(topology, find(topology, "69")) is None


@pytest.mark.parametrize("word", ["host", "self", "."])
def test_words_for_the_own_namespace_cannot_be_taken_over(topology: Topology, word: str) -> None:
    """Whoever may name links or namespaces: what is called so is found by its longer handle."""
    spaces = [*topology.namespaces.values(), Namespace(9, 9, 9, (word,), "net:[9]")]
    evil = topology_of(
        spaces,
        {key: [link.fact for link in topology.links(key)] for key in topology.namespaces}
        | {9: [LO, fact(9, word, altnames=(word,), alias=word)]},
    )
    assert ends(evil, word) == {("host", "*")}
    assert ends(evil, f"netns:{word}") == {("net:[9]", "*")}
    assert ends(evil, f"net:[9]/{word}") == {("net:[9]", word)}


def test_a_namespace_stands_for_its_links_without_loopback(topology: Topology) -> None:
    (match,) = find(topology, "netns:router")
    assert [link.ifname for link in match.links] == ["eth0", "router"]
    assert match.unique == "netns:router"


def test_found_in_several_ways_counts_once() -> None:
    """A link whose name, altname and alias agree is still one link, known by the best of these."""
    one = topology_of(
        [Namespace(HOME, HOME, 1, (), "host", home=True)], {HOME: [fact(2, "x", altnames=("x",), alias="x")]}
    )
    (match,) = find(one, "x")
    assert match.kind == "ifname"


def test_our_own_process_is_at_home(topology: Topology) -> None:
    """A scan leaves the scanning process out, so its pid is known only by being ours."""
    assert ends(topology, f"pid:{os.getpid()}") == {("host", "*")}


@pytest.mark.parametrize(
    "spoof", ["pid:812", f"net:[{ROUTER}]", "netns:router", "ifindex:3", f"net:[{ROUTER}]/eth0"]
)
def test_a_typed_handle_cannot_be_taken_over_by_a_name(topology: Topology, spoof: str) -> None:
    """Altnames may be anything, and whoever runs a container chooses them."""
    honest = ends(topology, spoof)
    evil = topology_of(
        list(topology.namespaces.values()),
        {key: [link.fact for link in topology.links(key)] for key in topology.namespaces}
        | {NAMELESS: [LO, fact(9, "evil", altnames=(spoof,))]},
    )
    assert ends(evil, spoof) == honest


def test_near_names_are_offered(topology: Topology) -> None:
    assert nearest(topology, "qdhcp-2")[0] == "qdhcp-1"
    assert "tap1" in nearest(topology, "tpa1")
    assert nearest(topology, "host/tap2")[0] == "tap1"
    assert len(nearest(topology, "e")) <= 5


# -- whatever the names --------------------------------------------------------------------------------------------

words = st.one_of(
    st.sampled_from(
        [
            "eth0",
            "1",
            "2",
            "host",
            "self",
            ".",
            "net:[5]",
            "pid:1",
            "ns",
            "ns/eth0",
            "ifindex:2",
            "a@if2",
            "-x",
        ]
    ),
    st.text(
        st.sampled_from([*string.ascii_lowercase[:3], "/", ":", "@", "\\", " ", "\x1b", "\udcff", "1"]),
        min_size=1,
        max_size=6,
    ),
    st.text(min_size=1, max_size=10),
)
names = words.filter(lambda name: "/" not in name)


@st.composite
def topologies(draw: st.DrawFn) -> Topology:
    namespaces, links = [], {}
    for number, name in enumerate(draw(st.lists(words, min_size=1, max_size=4, unique=True))):
        key = HOME + number
        # the rule by which a scan gives labels
        plain = name not in ("host", "self", ".") and not name.startswith(PREFIXES)
        label = "host" if number == 0 else name if plain else f"net:[{key}]"
        namespaces.append(Namespace(key, key, key, (name,) if number else (), label, home=number == 0))
        facts = draw(
            st.lists(
                st.builds(
                    fact,
                    st.integers(1, 5),
                    names,
                    altnames=st.lists(words, max_size=2).map(tuple),
                    alias=st.one_of(st.just(""), words),
                    link=st.one_of(st.none(), st.integers(1, 5)),
                ),
                max_size=4,
                unique_by=(lambda one: one.ifindex, lambda one: one.ifname),
            )
        )
        links[key] = facts
    return topology_of(namespaces, links)


@given(topologies())
def test_every_link_has_a_handle_that_finds_it_alone(topology: Topology) -> None:
    for link in topology.links():
        found = find(topology, unique_handle(link))
        assert [match.links for match in found] == [(link,)], unique_handle(link)


@given(topologies(), st.one_of(words, st.text()))
def test_find_never_raises_and_its_handles_are_unique(topology: Topology, text: str) -> None:
    for match in find(topology, text):
        (again,) = find(topology, match.unique)
        assert (again.links, again.namespace) == (match.links, match.namespace)
    nearest(topology, text)


def test_a_megabyte_of_digits_is_no_number(topology: Topology) -> None:
    """int() of so many digits raises since Python 3.11, and took seconds before."""
    for text in ("9" * 1_000_000, "pid:" + "9" * 1_000_000, "/" * 100_000, "a:" * 100_000):
        assert find(topology, text) == []


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["kind:vlan"], {"qdhcp-1/vlan5"}),
        (["kind:VLAN", "kind:nic"], {"qdhcp-1/vlan5", "host/eth0"}),
        (["netns:router", "kind:veth"], {"router/eth0", "router/router"}),
        (["netns:q*", "kind:v*"], {"qdhcp-1/ns-1", "qdhcp-1/vlan5"}),
        (["netns:self", "kind:nic"], {"host/eth0"}),
        (["netns:.", "kind:loopback"], {"host/lo"}),
        (["kind:veth", "state:down"], set()),
        (["netns:Router"], set()),
    ],
)
def test_filters_with_different_keys_have_to_agree(
    topology: Topology, words: list[str], expected: set[str]
) -> None:
    chosen = filters.divide(words, lambda _: False)
    found = filters.agreeing(topology.links(), chosen.filters)
    assert {f"{link.netns.label}/{link.ifname}" for link in found} == expected


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("tap*", {"host/tap1"}),
        ("*-of-dhcp", {"host/tap1"}),
        ("router/*", {"router/lo", "router/eth0", "router/router"}),
        ("*/eth0", {"host/eth0", "router/eth0", f"net:[{NAMELESS}]/eth0", "nsid:5@host/eth0"}),
        ("[ef]th?", {"host/eth0", "router/eth0", f"net:[{NAMELESS}]/eth0", "nsid:5@host/eth0"}),
    ],
)
def test_globs_name_links(topology: Topology, glob: str, expected: set[str]) -> None:
    found = filters.named(topology.links(), glob)
    assert {f"{link.netns.label}/{link.ifname}" for link in found} == expected


def test_what_is_a_handle_as_it_stands_is_no_glob() -> None:
    """Anybody may call an altname `tap*`, and an inode has brackets."""
    words = ["net:[4026531840]", "tap*", "x?"]
    chosen = filters.divide(words, lambda word: word != "x?")
    assert (chosen.handles, chosen.globs) == (("net:[4026531840]", "tap*"), ("x?",))
