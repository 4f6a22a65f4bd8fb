"""What iptables-save prints, read: a table of rules, and words that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.codec import iptables
from nswire.codec.netlink import ipset
from nswire.codec.xtables import ipsets, recents
from nswire.codec.xtables.rows import Where
from nswire.codec.xtables.words import saved
from nswire.model.firewall import (
    ANYTHING,
    Assign,
    Change,
    Key,
    Nat,
    Opaque,
    Operation,
    Statement,
    Target,
    Tproxy,
    Unfollowed,
    Untracked,
    Verdict,
)
from nswire.model.firewall import Test as Compared


def key(
    name: str, *cells: tuple[int, int] | str, mask: int = -1, negate: bool = False, bits: bool = False
) -> Compared:
    """A test of one key."""
    return Compared((Key(name, mask),), tuple((cell,) for cell in cells), negate=negate, bits=bits)


NET = (0x0A000000, 0x0AFFFFFF)
TCP, ACCEPT, DROP = key("l4proto", (6, 6)), Verdict("accept"), Verdict("drop")
NEVER = key("always", ANYTHING, negate=True)


def mixed(name: str, value: int, kept: int) -> Assign:
    """(old & kept) ^ value."""
    return Assign(name, Operation("^", Operation("&", Key(name), kept), value))


RULES: dict[str, tuple[Statement, ...]] = {
    "-s 10.0.0.0/8 -j ACCEPT": (key("ip saddr", NET), ACCEPT),
    "! -d 10.0.0.0/255.0.0.0 -j DROP": (key("ip daddr", NET, negate=True), DROP),
    "-s 10.0.0.1/255.0.0.255 -j DROP": (key("ip saddr", (0x0A000001,) * 2, mask=0xFF0000FF), DROP),
    "-i eth+ -j ACCEPT": (key("iifname", "eth*"), ACCEPT),
    "! -o br0 -j RETURN": (key("oifname", "br0", negate=True), Verdict("return")),
    "-p tcp -m tcp --dport 80 -j ACCEPT": (TCP, key("th dport", (80, 80)), ACCEPT),
    "-p tcp -m multiport --dports 22,80:90 -j ACCEPT": (TCP, key("th dport", (22, 22), (80, 90)), ACCEPT),
    "-p tcp -m multiport ! --ports 22 -j DROP": (
        TCP,
        Compared(
            (Key("th sport"), Key("th dport")), (((22, 22), ANYTHING), (ANYTHING, (22, 22))), negate=True
        ),
        DROP,
    ),
    "-p tcp -m tcp --sport 1024: -j ACCEPT": (TCP, key("th sport", (1024, 65535)), ACCEPT),
    "-p icmp -m icmp --icmp-type 8 -j ACCEPT": (key("l4proto", (1, 1)), key("icmp type", (8, 8)), ACCEPT),
    "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT": (
        key("l4proto", (1, 1)),
        Compared((Key("icmp type"), Key("icmp code")), (((3, 3), (4, 4)),)),
        ACCEPT,
    ),
    "-p icmp -m icmp ! --icmp-type any -j DROP": (key("l4proto", (1, 1)), NEVER, DROP),
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": (key("ct state", (6, 6), bits=True), ACCEPT),
    "-m conntrack ! --ctstate DNAT -j DROP": (key("ct status", (32, 32), negate=True, bits=True), DROP),
    "-m conntrack --ctstate NEW,DNAT -j DROP": (
        Compared((Key("ct state"), Key("ct status", 32)), (((8, 8), ANYTHING), (ANYTHING, (32, 32)))),
        DROP,
    ),
    "-m conntrack --ctstate UNTRACKED,DNAT -j DROP": (Opaque("--ctstate UNTRACKED,DNAT"), DROP),
    "-m conntrack --ctstate INVALID --ctdir REPLY -j DROP": (
        key("ct state", (1, 1), bits=True),
        Opaque("-m conntrack --ctstate INVALID --ctdir REPLY"),
        DROP,
    ),
    "-m conntrack --ctorigdst 10.0.0.0/8 --ctdir ORIGINAL -j DROP": (
        key("ct original ip daddr", NET),
        key("ct direction", (0, 0)),
        DROP,
    ),
    "-m conntrack --ctstatus NONE -j DROP": (key("ct status", (0, 0), bits=True), DROP),
    "-m conntrack --ctexpire 1:5 -j DROP": (Opaque("--ctexpire 1:5"), DROP),
    "-m state --state NEW -j ACCEPT": (key("ct state", (8, 8), bits=True), ACCEPT),
    "-m mark --mark 0x4000/0x4000 -j ACCEPT": (key("mark", (0x4000, 0x4000), mask=0x4000), ACCEPT),
    "-m connmark --mark 0x1 -j ACCEPT": (key("ct mark", (1, 1)), ACCEPT),
    "-m addrtype --dst-type LOCAL -j DOCKER": (key("fib daddr type", (2, 2)), Verdict("jump", "DOCKER")),
    "-m addrtype ! --src-type LOCAL --limit-iface-in -j DROP": (
        key("fib saddr . iif type", (2, 2), negate=True),
        DROP,
    ),
    "-m iprange --src-range 10.0.0.0-10.255.255.255 -j ACCEPT": (key("ip saddr", NET), ACCEPT),
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT": (
        TCP,
        key("tcp flags", (2, 2), mask=1 | 2 | 4 | 16),
        ACCEPT,
    ),
    "-p tcp -m tcp --syn -j ACCEPT": (TCP, key("tcp flags", (2, 2), mask=1 | 2 | 4 | 16), ACCEPT),
    "-m physdev --physdev-is-bridged -j ACCEPT": (key("physdev out", (1, 1)), ACCEPT),
    "-m physdev ! --physdev-is-in --physdev-in eth+ -j ACCEPT": (
        key("physdev in", (1, 1), negate=True),
        key("physin", "eth*"),
        ACCEPT,
    ),
    "-m physdev --physdev-out eth0 -j DROP": (key("physout", "eth0"), DROP),
    "-m physdev ! --physdev-out eth0 -j DROP": (
        Compared((Key("physdev in"), Key("physdev out")), (((1, 1), (0, 0)),), negate=True),
        key("physout", "eth0", negate=True),
        DROP,
    ),
    "-m mac --mac-source 02:00:00:00:00:01 -j ACCEPT": (key("ether saddr", (0x020000000001,) * 2), ACCEPT),
    "-m length --length 100:200 -j DROP": (key("length", (100, 200)), DROP),
    "-m ttl ! --ttl-eq 64 -j DROP": (key("ip ttl", (64, 64), negate=True), DROP),
    "-m ttl --ttl-lt 5 -j DROP": (key("ip ttl", (0, 4)), DROP),
    "-m tos --tos 0x10/0xff -j DROP": (key("ip tos", (16, 16), mask=255), DROP),
    "-m dscp ! --dscp 0x2e -j DROP": (key("ip dscp", (46, 46), negate=True), DROP),
    "-m policy --dir in --pol none -j DROP": (key("ipsec", (0, 0)), DROP),
    "-m policy --dir out --pol ipsec --proto esp -j DROP": (
        key("rt ipsec", (1, 1)),
        Opaque("-m policy --dir out --pol ipsec --proto esp"),
        DROP,
    ),
    "-m rpfilter --loose --invert -j DROP": (key("rpfilter loose", (1, 1), negate=True), DROP),
    "-m rpfilter -j DROP": (key("rpfilter", (1, 1)), DROP),
    "-m devgroup --src-group 0x1/0xff -j DROP": (key("iifgroup", (1, 1), mask=0xFF), DROP),
    "-m recent --set --name x --rsource -j DROP": (key("always", ANYTHING), DROP),
    "-m helper --helper ftp -j DROP": (NEVER, DROP),
    "-f -j DROP": (key("ip frag-off", (0, 0), negate=True, mask=0x1FFF), DROP),
    '-m comment --comment "a \\"quoted\\" -j DROP" -j ACCEPT': (ACCEPT,),
    "-m comment --comment -j -m comment --comment it\\'s -j ACCEPT": (ACCEPT,),
    "-j REJECT --reject-with icmp-port-unreachable": (Verdict("reject"),),
    '-j LOG --log-prefix "-j DROP"': (),
    "-g CHAIN": (Verdict("goto", "CHAIN"),),
    "-j NFQUEUE --queue-num 3 --queue-bypass": (Verdict("queue", "NFQUEUE --queue-num 3 --queue-bypass"),),
    "-j TPROXY --on-port 3128 --on-ip 0.0.0.0 --tproxy-mark 0x0/0x0": (Tproxy(3128, "drop"),),
    "-j CT --notrack": (Untracked(),),
    "-j CT --zone 5 --helper ftp": (Assign("ct zone", 5),),
    "-j CT --zone-reply mark": (Assign("ct reply zone", Key("mark", 0xFFFF)),),
    "-j MARK --set-xmark 0x4000/0x4000": (mixed("mark", 0x4000, 0xFFFFBFFF),),
    "-j MARK --set-mark 0x1/0x2": (mixed("mark", 1, 0xFFFFFFFC),),
    "-j MARK --set-xmark 0x5/0xffffffff": (Assign("mark", 5),),
    "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf": (
        Assign(
            "ct mark",
            Operation("^", Operation("&", Key("ct mark"), 0xFFFFFFF0), Operation("&", Key("mark"), 0xFF)),
        ),
    ),
    "-j CONNMARK --restore-mark": (Assign("mark", Key("ct mark")),),
    "-j HMARK --hmark-tuple src --hmark-mod 10 --hmark-rnd 0x1": (Assign("mark", None),),
    "-j TTL --ttl-dec 3": (Assign("ip ttl", Operation("-", Key("ip ttl"), 3)),),
    "-j TOS --set-tos 0x10/0x3f": (
        Assign("ip tos", Operation("^", Operation("&", Key("ip tos"), 0xC0), 0x10)),
    ),
    "-j DSCP --set-dscp 0x2e": (Assign("ip dscp", 46),),
    "-j CLASSIFY --set-class 0001:0002": (Assign("priority", 0x10002),),
    "-j DNAT --to-destination 10.0.0.2:80": (Nat("dnat", Target(("10.0.0.2",), (80,)), "ip"),),
    "-j DNAT --to-destination :8080": (Nat("dnat", Target((), (8080,)), "ip"),),
    "-j DNAT --to-destination 10.0.0.2:80-90/4000": (
        Nat("dnat", Target(("10.0.0.2",), (80, 90)), "ip", base=4000),
    ),
    "-j SNAT --to-source 10.0.0.2-10.0.0.5 --random": (
        Nat("snat", Target(("10.0.0.2", "10.0.0.5")), "ip", random=True),
    ),
    "-j MASQUERADE --to-ports 1024-2048": (Nat("masquerade", Target((), (1024, 2048)), "ip"),),
    "-j REDIRECT --to-ports 53": (Nat("redirect", Target((), (53,)), "ip"),),
    # what is not understood stays, word by word
    "-m statistic --mode random --probability 0.5 -j DROP": (
        Opaque("-m statistic --mode random --probability 0.5"),
        DROP,
    ),
    "-m set --match-set banned src -j DROP": (Opaque("-m set --match-set banned src"), DROP),
    "-m recent --rcheck --name x -j DROP": (Opaque("-m recent --rcheck --name x"), DROP),
    "-m owner ! --uid-owner 0-5 -j DROP": (
        Compared((Key("skuid"),), (((0, 5),),), negate=True, lax=True),
        DROP,
    ),
    "-m nobodyknows -j DROP": (Opaque("-m nobodyknows"), DROP),
    "-m nobodyknows --what -j DROP": (Opaque("-m nobodyknows --what"), DROP),
    "-m mark --mark x -j DROP": (Opaque("-m mark --mark x"), DROP),
    "-m tcp --what 5 -p tcp -j DROP": (TCP, Opaque("-m tcp --what 5"), DROP),
    "-j SET --add-set banned src": (Unfollowed("-j SET --add-set banned src"),),
    "-j MARK --what": (Unfollowed("-j MARK --what"),),
    "-j SYNPROXY --mss 1460": (Unfollowed("-j SYNPROXY --mss 1460"),),
}


def decoded(rule: str, family: str = "ip") -> tuple[Statement, ...]:
    """What one rule does."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n".encode()
    (chain,) = iptables.decode(text, family, "iptables-save")
    (made,) = chain.rules
    assert made.text == f"-A INPUT {rule}"
    return made.statements


@pytest.mark.parametrize("rule", RULES)
def test_rules(rule: str) -> None:
    """Each option of the manual that paths understand."""
    assert decoded(rule) == RULES[rule]


def test_ipv6() -> None:
    """The other family's addresses and types."""
    assert decoded("-s fd00::/8 -j ACCEPT", "ip6") == (
        key("ip6 saddr", (0xFD << 120, (0xFE << 120) - 1)),
        ACCEPT,
    )
    assert decoded("-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j ACCEPT", "ip6") == (
        key("l4proto", (58, 58)),
        key("icmpv6 type", (135, 135)),
        ACCEPT,
    )
    assert decoded("-m frag -j DROP", "ip6") == (key("exthdr frag", (1, 1)), DROP)
    assert decoded("-m frag --fragmore -j DROP", "ip6") == (
        key("exthdr frag", (1, 1)),
        Opaque("-m frag --fragmore"),
        DROP,
    )
    assert decoded("-m ipv6header --header hop-by-hop,ipv6-frag --soft -j DROP", "ip6") == (
        Compared((Key("exthdr hbh"), Key("exthdr frag")), (((1, 1), ANYTHING), (ANYTHING, (1, 1)))),
        DROP,
    )
    assert decoded("-j DNAT --to-destination [fd00::1]:80", "ip6") == (
        Nat("dnat", Target(("fd00::1",), (80,)), "ip6"),
    )


def test_chains() -> None:
    """Hooks, types and priorities of the built-in ones; others are merely jumped to."""
    text = b"""# made by
*nat
:PREROUTING ACCEPT [1:2]
:POSTROUTING DROP [0:0]
:DOCKER - [0:0]
-A DOCKER -j RETURN
COMMIT
*mangle
:OUTPUT ACCEPT [0:0]
COMMIT
"""
    chains = iptables.decode(text, "ip", "iptables-save")
    assert [(c.table, c.name, c.hook, c.type, c.priority, c.policy) for c in chains] == [
        ("nat", "PREROUTING", "prerouting", "nat", -100, "accept"),
        ("nat", "POSTROUTING", "postrouting", "nat", 100, "drop"),
        ("nat", "DOCKER", "", "nat", 100, "accept"),
        ("mangle", "OUTPUT", "output", "route", -150, "accept"),
    ]


@given(st.lists(st.sampled_from(["-s", "-d", "!", "-p", "tcp", "--dport", "-m", "-j", "--ctstate", "x", "-1", "10.0.0.1", "--mark", ""])))  # fmt: skip
def test_words_that_are_no_rule(words: list[str]) -> None:
    """Whatever comes: the rule, with what is not understood in it said so, or the whole is refused."""
    text = "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT " + " ".join(word or "''" for word in words) + "\n"
    try:
        (chain,) = iptables.decode(text.encode(), "ip", "iptables-save")
    except ValueError:
        return
    assert len(chain.rules) == 1


@pytest.mark.parametrize("text", [b"*filter\n-A INPUT -j DROP\n", b"*filter\n:INPUT\n"])
def test_texts_that_are_none(text: bytes) -> None:
    """What is not made by iptables-save is refused as a whole."""
    with pytest.raises((ValueError, IndexError)):
        iptables.decode(text, "ip", "iptables-save")


def test_who_tracks() -> None:
    """A rule that looks at connections makes the kernel track them, one that keeps packets from that does not."""
    text = """*raw
:PREROUTING ACCEPT [0:0]
-A PREROUTING -m comment --comment "-m conntrack" -j CT --notrack
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A FORWARD -m conntrack --ctstate NEW -j DROP
COMMIT
"""
    chains = iptables.decode(text.encode(), "ip", "iptables-save")
    assert [(one.table, one.name, one.tracks) for one in chains] == [
        ("raw", "PREROUTING", False),
        ("filter", "INPUT", False),
        ("filter", "FORWARD", True),
    ]


def test_networks_are_mapped_as_the_hook_says() -> None:
    """NETMAP changes the destination before routing and the source after it, in whatever chain it stands."""
    text = """*nat
:PREROUTING ACCEPT [0:0]
:POSTROUTING ACCEPT [0:0]
:in - [0:0]
:both - [0:0]
-A PREROUTING -j in
-A PREROUTING -j both
-A POSTROUTING -j both
-A POSTROUTING -j NETMAP --to 10.1.0.0/16
-A in -j NETMAP --to 10.1.0.0/16
-A both -j NETMAP --to 10.1.0.0/16
"""
    chains = {
        one.name: one.rules[-1].statements for one in iptables.decode(text.encode(), "ip", "iptables-save")
    }
    assert chains["in"] == (Nat("dnat", Target(prefix="10.1.0.0/16"), "ip"),)
    assert chains["POSTROUTING"] == (Nat("snat", Target(prefix="10.1.0.0/16"), "ip"),)
    assert chains["both"] == (Unfollowed("-j NETMAP --to 10.1.0.0/16"),)


def _sets() -> dict[str, ipset.IpSet]:
    def made(name: str, kind: str, *elements: ipset.Element, family: int = 2) -> ipset.IpSet:
        found = ipset.IpSet(name, kind, family, {})
        found._elements = elements
        return found

    one = ipset.Element
    return {
        "ip": made("ip", "hash:ip", one(ip=1), one(ip=5)),
        "net": made("net", "hash:net", one(ip=0x0A000000, cidr=8), one(ip=0x0A010000, cidr=16, nomatch=True)),
        "ports": made("ports", "bitmap:port", one(port=80), family=0),
        "service": made("service", "hash:ip,port", one(ip=1, proto=6, port=80)),
        "via": made("via", "hash:net,iface", one(ip=0, cidr=0, iface="eth", wildcard=True)),
        "six": made("six", "hash:ip", family=10),
        "both": made("both", "list:set", one(name="ip"), one(name="net"), one(name="six"), family=0),
        "unlike": made("unlike", "list:set", one(name="ip"), one(name="ports"), family=0),
    }


SRC = (Key("ip saddr"),)
SET_RULES: dict[str, tuple[Statement, ...]] = {
    "-m set --match-set ip src -j DROP": (Compared(SRC, set=("ipset", "", "ip"), lax=True), DROP),
    "-m set ! --match-set ip dst -j DROP": (
        Compared((Key("ip daddr"),), set=("ipset", "", "ip"), negate=True, lax=True),
        DROP,
    ),
    "-m set --match-set net src --return-nomatch -j DROP": (
        Compared(SRC, (((0x0A010000, 0x0A01FFFF),),), lax=True),
        DROP,
    ),
    "-m set --match-set service dst,src -j DROP": (
        Compared(
            (Key("ip daddr"), Key("l4proto"), Key("ipset sport")), set=("ipset", "", "service"), lax=True
        ),
        DROP,
    ),
    "-m set --match-set service dst -j DROP": (NEVER, DROP),
    "-m set ! --match-set six src -j DROP": (key("always", ANYTHING), DROP),
    "-m set --match-set both src -j DROP": (
        Compared(
            SRC, (((1, 1),), ((5, 5),), ((0x0A000000, 0x0A00FFFF),), ((0x0A020000, 0x0AFFFFFF),)), lax=True
        ),
        DROP,
    ),
    "-m set --match-set unlike src -j DROP": (Opaque("-m set --match-set unlike src"), DROP),
    "-m set --match-set ip src --packets-gt 5 -j DROP": (
        Compared(SRC, set=("ipset", "", "ip"), lax=True),
        Opaque("-m set --match-set ip src --packets-gt 5"),
        DROP,
    ),
    "-m set --match-set nosuch src -j DROP": (Opaque("-m set --match-set nosuch src"), DROP),
    "-j SET --add-set ip src --exist": (Change("add", ("ipset", "", "ip"), SRC, ends=False),),
    "-j SET --del-set service src,dst": (
        Change("delete", ("ipset", "", "service"), (*SRC, Key("l4proto"), Key("ipset dport")), ends=False),
    ),
    "-j SET --map-set ip src --map-mark": (Assign("mark", None),),
    "-j SET --add-set both src": (Unfollowed("-j SET --add-set both src"),),
}


@pytest.mark.parametrize("rule", SET_RULES)
def test_sets(rule: str) -> None:
    """What is looked up where, by the type of the set."""
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n".encode()
    (chain,) = iptables.decode(text, "ip", "iptables-save", Where("", sets=_sets()))
    assert chain.rules[0].statements == SET_RULES[rule]


@given(
    st.lists(
        st.tuples(st.integers(0, 255), st.integers(24, 32), st.booleans()),
        max_size=8,
        unique_by=lambda one: one[:2],
    ),
    st.integers(0, 255),
)
def test_the_smallest_network_decides(networks: list[tuple[int, int, bool]], address: int) -> None:
    """With exceptions in exceptions: the same as looking for the smallest network that the address is in."""
    masked = {(number & ~((1 << 32 - cidr) - 1), cidr): nomatch for number, cidr, nomatch in networks}
    one = ipset.IpSet("net", "hash:net", 2, {})
    one._elements = tuple(
        ipset.Element(ip=ip, cidr=cidr, nomatch=nomatch) for (ip, cidr), nomatch in masked.items()
    )
    rows, _ = ipsets.Members(one).content(SRC)
    holding = [
        (cidr, nomatch)
        for (ip, cidr), nomatch in masked.items()
        if ip <= address <= ip | (1 << 32 - cidr) - 1
    ]
    expected = bool(holding) and not max(holding)[1]
    assert any(isinstance(cell, tuple) and cell[0] <= address <= cell[1] for (cell,) in rows) == expected


KEPT = b"""*filter
:INPUT ACCEPT [0:0]
:mine - [0:0]
-A INPUT -m recent --set --name one --mask 255.255.255.255 --rsource
-A INPUT -m recent --update --seconds 60 --hitcount 4 --name one --mask 255.255.255.255 --rsource -j mine
-A INPUT -j mine
-A mine -m recent --set --name two --mask 255.255.255.0 --rdest
"""
LISTS = b"*one\nsrc=10.0.0.1 ttl: 64 last_seen: 4296163611 oldest_pkt: 1 4296163611\nsrc=fd00::1 ttl: 3 last_seen: 1\n*two\n\n*three\n"
ONE, TWO = ("recent", "", "one"), ("recent", "", "two")
DST24 = (Key("ip daddr", 0xFFFFFF00),)
RECENT_RULES: dict[str, tuple[Statement, ...]] = {
    "-m recent --set --name one --rsource -j DROP": (
        Change("add", ONE, SRC, ends=False),
        key("always", ANYTHING),
        DROP,
    ),
    "-m recent ! --set --name one --rsource -j DROP": (Change("add", ONE, SRC, ends=False), NEVER, DROP),
    "-m recent --rcheck --name one --rsource -j DROP": (Compared(SRC, set=ONE, lax=True), DROP),
    "-m recent ! --rcheck --name two --mask 255.255.255.0 --rdest -j DROP": (
        Compared(DST24, set=TWO, negate=True, lax=True),
        DROP,
    ),
    "-m recent --remove --name one --rsource -j DROP": (
        Compared(SRC, set=ONE, lax=True),
        Change("delete", ONE, SRC, ends=False),
        DROP,
    ),
    "-m recent --update --seconds 5 --name one --rsource -j DROP": (
        Compared(SRC, set=ONE, lax=True),
        Opaque("-m recent --update --seconds 5 --name one --rsource"),
        DROP,
    ),
    "-m recent --update --seconds 5 --name two --rsource -j DROP": (Compared(SRC, set=TWO, lax=True), DROP),
    "-m recent ! --update --seconds 5 --name one --rsource -j DROP": (
        Opaque("-m recent ! --update --seconds 5 --name one --rsource"),
        DROP,
    ),
    # two is kept by a rule that is come to in two ways: four times, bridged and routed
    "-m recent --update --hitcount 5 --name two --rsource -j DROP": (NEVER, DROP),
    "-m recent --update --hitcount 4 --name two --rsource -j DROP": (
        Compared(SRC, set=TWO, lax=True),
        Opaque("-m recent --update --hitcount 4 --name two --rsource"),
        DROP,
    ),
    "-m recent --rcheck --hitcount 1 --name three --rsource -j DROP": (NEVER, DROP),
    "-m recent --rcheck --name nosuch --rsource -j DROP": (
        Opaque("-m recent --rcheck --name nosuch --rsource"),
        DROP,
    ),
}


@pytest.mark.parametrize("rule", RECENT_RULES)
def test_recent(rule: str) -> None:
    """What is in a list, what this packet may have put there, and what nobody can say."""
    lists = recents.decode(LISTS, [saved(KEPT)])
    text = f"*filter\n:INPUT ACCEPT [0:0]\n-A INPUT {rule}\nCOMMIT\n".encode()
    (chain,) = iptables.decode(text, "ip", "iptables-save", Where("", recent=lists))
    assert chain.rules[0].statements == RECENT_RULES[rule]


def test_lists_of_addresses() -> None:
    """The two families of one list are kept apart."""
    lists = recents.sets(recents.decode(LISTS, []))
    assert lists[ONE].content((Key("ip saddr"),))[0] == (((0x0A000001, 0x0A000001),),)
    assert lists[ONE].content((Key("ip6 saddr"),))[0] == (((0xFD << 120 | 1,) * 2,),)
    assert lists[TWO].content((Key("ip saddr"),))[0] == ()
    with pytest.raises(ValueError, match="x"):
        recents.decode(b"*one\nsrc=x ttl: 1", [])
