"""What people see, word by word, at a fixed width: a change here is a change of the product."""

from __future__ import annotations

import io
import re
import time
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from nswire.handles import find
from nswire.show import (
    equivalent_commands,
    table,
    text_ls,
    text_netns,
    text_pairs,
    text_peer,
    text_show,
    words,
)
from nswire.show.terminal import Paper, Span, span, width

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.topology import Link, Topology


def printed(write: Callable[[Paper], object], columns: int | None = None, *, color: bool = False) -> str:
    out = io.StringIO()
    write(Paper(out, columns=columns, color=color))
    return out.getvalue()


def link(topology: Topology, handle: str) -> Link:
    (match,) = find(topology, handle)
    return match.links[0]


def peer(topology: Topology, handle: str, columns: int | None = None) -> str:
    return printed(
        lambda paper: text_peer.write_peers(paper, [text_peer.Question(handle, [link(topology, handle)])]),
        columns=columns,
    )


def golden(text: str) -> str:
    return dedent(text).lstrip("\n")


def test_peer(topology: Topology) -> None:
    assert peer(topology, "ns-1") == golden("""
        qdhcp-1/ns-1  ifindex 68  veth  UP  fa:16:3e:98:e6:f3  10.10.100.2/24
        └─ peer (proved)  host/tap1  ifindex 69  veth  UP  02:00:00:00:00:45
           └─ port of  host/brq1  ifindex 67  bridge  UP  02:00:00:00:00:43
              └─ uplink  host/eth1  ifindex 3  NIC  UP  02:00:00:00:00:03
        proved: nsid 0 of qdhcp-1 is host (RTM_GETNSID); --why: how it is known
    """)


def test_peer_with_all_of_it(topology: Topology) -> None:
    """Why, and the addresses that only neighbours know, are there for whoever asks."""
    asked = [text_peer.Question("ns-1", [link(topology, "ns-1")])]
    detail = text_peer.Detail(addresses=True, why=True)
    said = printed(lambda paper: text_peer.write_peers(paper, asked, detail)).splitlines()
    assert said[0].endswith("10.10.100.2/24  169.254.169.254/16")
    assert said[-3:] == [
        "qdhcp-1/ns-1 (68) reports peer ifindex 69 in nsid 0 (IFLA_LINK, IFLA_LINK_NETNSID)",
        "host/tap1 (69) reports peer ifindex 68 in nsid 0 (IFLA_LINK, IFLA_LINK_NETNSID)",
        "nsid 0 of qdhcp-1 is host (RTM_GETNSID)",
    ]


def test_peer_from_the_home_side_on_a_narrow_terminal(topology: Topology) -> None:
    assert peer(topology, "tap1", columns=60) == golden("""
        host/tap1  ifindex 69  veth  UP  02:00:00:00:00:45
        ├─ peer (proved)  qdhcp-1/ns-1  ifindex 68  veth  UP
        │       fa:16:3e:98:e6:f3  10.10.100.2/24
        └─ port of  host/brq1  ifindex 67  bridge  UP
           │    02:00:00:00:00:43
           └─ uplink  host/eth1  ifindex 3  NIC  UP
                   02:00:00:00:00:03
        proved: nsid 0 of qdhcp-1 is host (RTM_GETNSID); --why: how
          it is known
    """)


def test_a_peer_that_cannot_be_read_says_where_it_is_and_what_would_show_it(topology: Topology) -> None:
    assert peer(topology, "out0").splitlines()[1:3] == [
        "├─ carries nothing: out0 in host is down  fix: ip link set dev out0 up",
        (
            "└─ peer is ifindex 9 in a namespace this user cannot read (ev\\x1b[31m\\u202eil)"
            "  root would see it (CAP_SYS_ADMIN, CAP_SYS_PTRACE)"
        ),
    ]


def test_an_ambiguous_peer_shows_all_that_fit(topology: Topology) -> None:
    assert peer(topology, "old0").splitlines()[1:4] == [
        (
            "└─ peer is ifindex 5, and this kernel does not say in which namespace; these fit:"
            "  Linux 4.0 and newer say in which namespace the other end is"
        ),
        "   ├─ qdhcp-1/ns-1  ifindex 68  veth  UP  fa:16:3e:98:e6:f3  10.10.100.2/24",
        "   └─ nsid:4@host/eth0  ifindex 2  veth  UP  02:00:00:00:00:02",
    ]


def test_a_bridge_has_its_ports_told_with_their_far_ends(topology: Topology) -> None:
    assert peer(topology, "brq1") == golden("""
        host/brq1  ifindex 67  bridge  UP  02:00:00:00:00:43
        ├─ port  tap1  veth  UP  peer qdhcp-1/ns-1  10.10.100.2/24
        └─ uplink  host/eth1  ifindex 3  NIC  UP  02:00:00:00:00:03
    """)


def test_many_links_are_a_table(fan: Callable[[int], Topology]) -> None:
    """Seven trees are more than anybody reads; --why has them all the same."""
    some = [text_peer.Question("all", list(fan(6).links()))]
    short = printed(lambda paper: text_peer.write_peers(paper, some)).splitlines()
    assert short[0].split() == ["LINK", "IFINDEX", "KIND", "STATE", "MASTER"]
    assert len(short) == 9
    trees = printed(lambda paper: text_peer.write_peers(paper, some, text_peer.Detail(why=True)))
    assert trees.count("\n\n") == 6


def test_every_pair(topology: Topology) -> None:
    assert printed(lambda paper: text_pairs.write_pairs(paper, topology)) == golden("""
        LINK            IFINDEX  PEER              IFINDEX  KIND  STATE  MASTER  EVIDENCE
        host/tap1       69       qdhcp-1/ns-1      68       veth  UP     brq1    proved
        host/bytes\\xff  72       nsid:4@host/eth0  2        veth  UP             proved

        LINK       IFINDEX  KIND  STATE  NOT KNOWN
        host/out0  70       veth  DOWN   peer is ifindex 9 in a namespace this user cannot read (ev\\x1b[31m\\u202eil)
        host/old0  71       veth  UP     peer is ifindex 5, and this kernel does not say in which namespace; these fit: qdhcp-1/ns-1 nsid:4@host/eth0
        root would see it (CAP_SYS_ADMIN, CAP_SYS_PTRACE)
        Linux 4.0 and newer say in which namespace the other end is
    """)


def test_ls(topology: Topology) -> None:
    assert printed(lambda paper: text_ls.write_links(paper, topology.links())) == golden("""
        NETNS        IFNAME     IFINDEX  KIND    STATE    MAC                ADDRESSES                          PEER                 MASTER
        host         lo         1                UNKNOWN  00:00:00:00:00:00  127.0.0.1/8
        host         eth1       3                UP       02:00:00:00:00:03                                                          brq1
        host         brq1       67       bridge  UP       02:00:00:00:00:43
        host         tap1       69       veth    UP       02:00:00:00:00:45                                     qdhcp-1/ns-1         brq1
        host         out0       70       veth    DOWN     02:00:00:00:00:46                                     if9 (not permitted)
        host         old0       71       veth    UP       02:00:00:00:00:47                                     if5 (ambiguous)
        host         bytes\\xff  72       veth    UP       02:00:00:00:00:48                                     nsid:4@host/eth0
        qdhcp-1      ns-1       68       veth    UP       fa:16:3e:98:e6:f3  10.10.100.2/24 169.254.169.254/16  host/tap1
        nsid:4@host  eth0       2        veth    UP       02:00:00:00:00:02                                     host/bytes\\xff
    """)


def test_ls_on_a_narrow_terminal_breaks_no_name(topology: Topology) -> None:
    links = [link(topology, "ns-1"), link(topology, "tap1")]
    assert printed(lambda paper: text_ls.write_links(paper, links), columns=64) == golden("""
        NETNS    IFNAME  IFINDEX  KIND  STATE  MAC
        qdhcp-1  ns-1    68       veth  UP     fa:16:3e:98:e6:f3
          addresses 10.10.100.2/24  169.254.169.254/16  peer host/tap1
        host     tap1    69       veth  UP     02:00:00:00:00:45
          peer qdhcp-1/ns-1  master brq1
    """)


def test_netns(topology: Topology) -> None:
    spaces = topology.namespaces.values()
    assert printed(lambda paper: text_netns.write_namespaces(paper, topology, spaces)) == golden("""
        NAME                INODE       LINKS  HELD BY
        host                4026531840  7      pid 1 +2 more
        qdhcp-1             4026532177  1      pid 812 (dnsmasq), /run/netns/qdhcp-1, fd 5 of pid 812 (dnsmasq)
        ev\\x1b[31m\\u202eil  4026532178  ?      /run/netns/ev\\x1b[31m\\u202eil
        nsid:4@host                     1      seen from host as nsid 4
    """)


def test_show_a_link(topology: Topology) -> None:
    assert (
        printed(lambda paper: text_show.write_link(paper, link(topology, "tap1"))).splitlines()[:16]
        == golden("""
        host/tap1
          namespace   host  net:[4026531840]  pid 1 +2 more
          ifindex     69
          kind        veth
          state       UP  BROADCAST,MULTICAST,UP,LOWER_UP
          type        ether
          MAC         02:00:00:00:00:45
          MTU         1500
          altname     ev\\x1b[31m\\u202eil
          altname     日本🎉
          alias       customer 17
          master      brq1
          port        bridge

          host/tap1  ifindex 69  veth  UP  02:00:00:00:00:45
          ├─ peer (proved)  qdhcp-1/ns-1  ifindex 68  veth  UP  fa:16:3e:98:e6:f3  10.10.100.2/24
    """).splitlines()
    )


def test_show_a_namespace(topology: Topology) -> None:
    (match,) = find(topology, "qdhcp-1")
    assert match.namespace is not None
    namespace = match.namespace
    assert printed(lambda paper: text_show.write_namespace(paper, topology, namespace)) == golden("""
        qdhcp-1
          inode       4026532177
          cookie      7
          name        qdhcp-1
          links       1
          held by     /run/netns/qdhcp-1
          held by     pid 812 (dnsmasq)
          held by     fd 5 of pid 812 (dnsmasq)

        NETNS    IFNAME  IFINDEX  KIND  STATE  MAC                ADDRESSES                          PEER
        qdhcp-1  ns-1    68       veth  UP     fa:16:3e:98:e6:f3  10.10.100.2/24 169.254.169.254/16  host/tap1
    """)


def test_gaps_are_a_part_of_the_answer_and_capped(topology: Topology) -> None:
    text = printed(lambda paper: words.write_gaps(paper, topology.gaps * 13))
    assert text.splitlines()[1] == (
        "not seen: 1 namespace: its links: Operation not permitted (run as root (CAP_SYS_ADMIN))"
    )
    assert text.splitlines()[-1] == "and 3 more: --json shows all"


def test_colours_change_no_character(topology: Topology) -> None:
    def write(paper: Paper) -> None:
        text_pairs.write_pairs(paper, topology)
        text_show.write_link(paper, link(topology, "tap1"))
        text_netns.write_namespaces(paper, topology, topology.namespaces.values())

    coloured = printed(write, color=True)
    assert "\x1b[36mqdhcp-1\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d*m", "", coloured) == printed(write)


def test_a_stream_that_is_no_utf8_gets_ascii_branches(topology: Topology) -> None:
    buffer = io.BytesIO()
    out = io.TextIOWrapper(buffer, encoding="latin-1", errors="backslashreplace")
    text_peer.write_peers(
        Paper(out, columns=None, color=False), [text_peer.Question("ns-1", [link(topology, "ns-1")])]
    )
    out.flush()
    assert b"`- peer (proved)" in buffer.getvalue()


def test_wide_characters_take_two_columns() -> None:
    assert width((span("日本🎉"),)) == 6
    rows = [((span("日本"),), (span("x"),)), ((span("abc"),), (span("y"),))]
    assert printed(lambda paper: table.write(paper, ("A", "B"), rows)) == "A     B\n日本  x\nabc   y\n"


def test_a_table_of_three_thousand_rows_takes_no_time() -> None:
    """rich.Table took 2.4 s, which is why it is not used. The bound is generous: this is no benchmark."""
    rows = [tuple((Span(f"cell{row}-{column}"),) for column in range(9)) for row in range(3000)]
    start = time.process_time()
    printed(lambda paper: table.write(paper, tuple("ABCDEFGHI"), rows))
    assert time.process_time() - start < 1.0


# -- the classic commands ------------------------------------------------------------------------------------------


def test_how_uses_what_really_leads_into_each_namespace(topology: Topology) -> None:
    assert equivalent_commands.for_peer([link(topology, "ns-1")]) == [
        "ip -n qdhcp-1 -d link show dev ns-1  # @if69, link-netnsid 0",
        "ip -n qdhcp-1 netns list-id  # which namespace is nsid 0",
        "ip netns exec qdhcp-1 ethtool -S ns-1  # peer_ifindex",
        "ip -d link show dev tap1  # @if68, link-netnsid 0",
        "ip netns list-id  # which namespace is nsid 0",
        "ethtool -S tap1  # peer_ifindex",
        "ip -d link show master brq1  # its ports",
        "ip -d link show dev eth1",
    ]


def test_how_says_where_no_classic_command_helps(topology: Topology) -> None:
    commands = equivalent_commands.for_peer([link(topology, "72")])
    assert "ip -d link show dev $'bytes\\377'  # @if2, link-netnsid 4" in commands
    assert "# no classic command reads nsid:4@host: nothing leads into it" in commands


@pytest.mark.parametrize("handle", ["tap1", "out0", "old0", "72", "brq1"])
def test_how_is_printable_whatever_the_names(topology: Topology, handle: str) -> None:
    some = [link(topology, handle)]
    spaces = topology.namespaces.values()
    for command in (
        *equivalent_commands.for_peer(some),
        *equivalent_commands.for_pairs(topology),
        *equivalent_commands.for_links(topology, some, every=True),
        *equivalent_commands.for_links(topology, some, every=False),
        *equivalent_commands.for_namespaces(spaces),
        *equivalent_commands.for_show(some, spaces),
    ):
        assert command.isprintable()


def test_a_stack_of_two_hundred_links_stays_on_the_screen(tower: Callable[[int], Topology]) -> None:
    """Deep stacks stop moving to the right, and nothing is lost of them."""
    said = peer(tower(200), "l1").splitlines()
    assert sum("port of" in one for one in said) == 199
    assert max(map(len, said)) < 120


def test_a_switch_with_a_thousand_ways_out_is_told_in_short(fan: Callable[[int], Topology]) -> None:
    """The first ones, and how many more there are."""
    said = peer(fan(1000), "br0").splitlines()
    assert len(said) < 40
    assert "and 977 more: --json shows all" in said[-1]


def test_unused_tunnels_of_the_kernel_are_out_of_the_way(fallbacks: Topology) -> None:
    """gre0 and its like are in every namespace; they are counted until somebody uses one of them."""
    links = list(fallbacks.links())
    said = printed(lambda paper: text_ls.write_links(paper, links, everything=False))
    assert "not shown: 1 unused tunnel (gre0): --all shows them" in said
    assert "tunl0" in said, "this one is up"
    assert "gre0 " in printed(lambda paper: text_ls.write_links(paper, links))


def test_ls_leaves_out_loopbacks_until_they_are_wanted(topology: Topology) -> None:
    links = list(topology.links())
    said = printed(lambda paper: text_ls.write_links(paper, links, everything=False))
    assert " lo " not in said
    assert said.splitlines()[-1] == "not shown: 1 loopback: --all shows them"


def test_columns_are_chosen_and_sorted(topology: Topology) -> None:
    """As people count: 9 comes before 70; a link without any comes last."""

    def write(paper: Paper) -> None:
        links = text_ls.in_order(paper, topology.links(), "-ifindex")
        text_ls.write_links(paper, links, columns=("link", "ifindex", "mtu"))

    assert printed(write).splitlines()[:4] == [
        "LINK              IFINDEX  MTU",
        "host/bytes\\xff    72       1500",
        "host/old0         71       1500",
        "host/out0         70       1500",
    ]
    by_peer = text_ls.in_order(text_ls.wide(), topology.links(), "peer")
    assert [one.ifname for one in by_peer][-1] == "brq1"
    assert {one.ifname for one in by_peer[:2]} == {"ns-1", "eth0"}
    with pytest.raises(KeyError):
        text_ls.in_order(text_ls.wide(), topology.links(), "nonsense")
