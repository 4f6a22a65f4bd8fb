"""What iptables-save prints, read: a table of rules, and words that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.codec import iptables
from nswire.model.firewall import (
    Assign,
    Key,
    Nat,
    Opaque,
    Operation,
    Statement,
    Target,
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
TCP, ACCEPT = key("l4proto", (6, 6)), Verdict("accept")


def masked(name: str, value: int | Operation, mask: int) -> Assign:
    """Sets a mark to (old & ~mask) ^ value."""
    return Assign(name, Operation("^", Operation("&", Key(name), ~mask & 0xFFFFFFFF), value))


RULES: dict[str, tuple[Statement, ...]] = {
    "-s 10.0.0.0/8 -j ACCEPT": (key("ip saddr", NET), ACCEPT),
    "! -d 10.0.0.0/255.0.0.0 -j DROP": (key("ip daddr", NET, negate=True), Verdict("drop")),
    "-i eth+ -j ACCEPT": (key("iifname", "eth*"), ACCEPT),
    "! -o br0 -j RETURN": (key("oifname", "br0", negate=True), Verdict("return")),
    "-p tcp -m tcp --dport 80 -j ACCEPT": (TCP, key("th dport", (80, 80)), ACCEPT),
    "-p tcp -m multiport --dports 22,80:90 -j ACCEPT": (TCP, key("th dport", (22, 22), (80, 90)), ACCEPT),
    "-p tcp -m tcp --sport 1024: -j ACCEPT": (TCP, key("th sport", (1024, 65535)), ACCEPT),
    "-p icmp -m icmp --icmp-type 8 -j ACCEPT": (key("l4proto", (1, 1)), key("icmp type", (8, 8)), ACCEPT),
    "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT": (
        key("l4proto", (1, 1)),
        Compared((Key("icmp type"), Key("icmp code")), (((3, 3), (4, 4)),)),
        ACCEPT,
    ),
    "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT": (key("ct state", (6, 6), bits=True), ACCEPT),
    "-m conntrack ! --ctstate DNAT -j DROP": (
        key("ct status", (32, 32), negate=True, bits=True),
        Verdict("drop"),
    ),
    "-m state --state NEW -j ACCEPT": (key("ct state", (8, 8), bits=True), ACCEPT),
    "-m mark --mark 0x4000/0x4000 -j ACCEPT": (key("mark", (0x4000, 0x4000), mask=0x4000), ACCEPT),
    "-m connmark --mark 0x1 -j ACCEPT": (key("ct mark", (1, 1)), ACCEPT),
    "-m addrtype --dst-type LOCAL -j DOCKER": (key("fib daddr type", (2, 2)), Verdict("jump", "DOCKER")),
    "-m iprange --src-range 10.0.0.0-10.255.255.255 -j ACCEPT": (key("ip saddr", NET), ACCEPT),
    "-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j ACCEPT": (
        TCP,
        key("tcp flags", (2, 2), mask=1 | 2 | 4 | 16),
        ACCEPT,
    ),
    "-p tcp --syn -j ACCEPT": (TCP, key("tcp flags", (2, 2), mask=1 | 2 | 4 | 16), ACCEPT),
    "-m physdev --physdev-is-bridged -j ACCEPT": (key("bridged", (1, 1)), ACCEPT),
    "-m mac --mac-source 02:00:00:00:00:01 -j ACCEPT": (key("ether saddr", (0x020000000001,) * 2), ACCEPT),
    '-m comment --comment "a \\"quoted\\" -j DROP" -j ACCEPT': (ACCEPT,),
    "-j REJECT --reject-with icmp-port-unreachable": (Verdict("reject"),),
    "-j LOG --log-prefix x": (),
    "-g CHAIN": (Verdict("goto", "CHAIN"),),
    "-j NFQUEUE --queue-num 3": (Verdict("queue", "NFQUEUE"),),
    "-j TPROXY --on-port 3128": (Unfollowed("TPROXY"),),
    "-j CT --notrack": (Untracked(),),
    "-j MARK --set-xmark 0x4000/0x4000": (masked("mark", 0x4000, 0x4000),),
    "-j MARK --set-mark 0x1/0x2": (masked("mark", 1, 3),),
    "-j MARK --or-mark 0x4": (masked("mark", 4, 4),),
    "-j CONNMARK --save-mark --nfmask 0xff --ctmask 0xf": (
        masked("ct mark", Operation("&", Key("mark"), 0xFF), 0xF),
    ),
    "-j CONNMARK --restore-mark": (masked("mark", Operation("&", Key("ct mark"), 0xFFFFFFFF), 0xFFFFFFFF),),
    "-j DNAT --to-destination 10.0.0.2:80": (Nat("dnat", Target(("10.0.0.2",), (80,))),),
    "-j DNAT --to-destination :8080": (Nat("dnat", Target((), (8080,))),),
    "-j SNAT --to-source 10.0.0.2-10.0.0.5": (Nat("snat", Target(("10.0.0.2", "10.0.0.5"))),),
    "-j MASQUERADE --to-ports 1024-2048": (Nat("masquerade", Target((), (1024, 2048))),),
    "-j REDIRECT --to-ports 53": (Nat("redirect", Target((), (53,))),),
    # what is not understood stays, word by word
    "-m statistic --mode random --probability 0.5 -j DROP": (
        Opaque("--mode random --probability 0.5"),
        Verdict("drop"),
    ),
    "-m set --match-set banned src -j DROP": (Opaque("--match-set banned src"), Verdict("drop")),
    "-m recent -j DROP": (Opaque("-m recent"), Verdict("drop")),
    "-m owner ! --uid-owner 0 -j DROP": (Opaque("! --uid-owner 0"), Verdict("drop")),
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
    assert decoded("-j DNAT --to-destination [fd00::1]:80", "ip6") == (
        Nat("dnat", Target(("fd00::1",), (80,))),
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


@pytest.mark.parametrize(
    "text", [b"*filter\n-A INPUT -j DROP\n", b"*filter\n:INPUT\n", b'*f\n:A - [0:0]\n-A A "\n']
)
def test_texts_that_are_none(text: bytes) -> None:
    """What is not made by iptables-save is refused as a whole."""
    with pytest.raises((ValueError, IndexError)):
        iptables.decode(text, "ip", "iptables-save")
