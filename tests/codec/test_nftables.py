"""Rules as the real nft lists them, read: in nft's language on the left, what they do on the right."""

from __future__ import annotations

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.codec import nftables
from nswire.lab.lab import Lab
from nswire.model.firewall import (
    ANYTHING,
    Assign,
    Key,
    Mapped,
    Nat,
    Opaque,
    Operation,
    Statement,
    Target,
    Untracked,
    Verdict,
)
from nswire.model.firewall import Test as Compared


def key(
    name: str, *cells: tuple[int, int] | str, mask: int = -1, negate: bool = False, bits: bool = False
) -> Compared:
    """A test of one key."""
    return Compared((Key(name, mask),), tuple((cell,) for cell in cells), negate=negate, bits=bits)


ONE, SEVEN = (0x0A000001,) * 2, (0x0A000007,) * 2
ACCEPT, DROP = Verdict("accept"), Verdict("drop")
FILTER: dict[str, tuple[Statement, ...]] = {
    "tcp dport 80 accept": (key("tcp dport", (80, 80)), ACCEPT),
    "ip saddr 10.0.0.0/8 drop": (key("ip saddr", (0x0A000000, 0x0AFFFFFF)), DROP),
    "ip saddr != { 10.0.0.1, 10.0.0.3-10.0.0.5 } drop": (
        key("ip saddr", ONE, (0x0A000003, 0x0A000005), negate=True),
        DROP,
    ),
    'iifname "eth*" accept': (key("iifname", "eth*"), ACCEPT),
    "iif lo accept": (key("iif", "lo"), ACCEPT),
    "ct state established,related accept": (key("ct state", (6, 6), bits=True), ACCEPT),
    "ct status dnat accept": (key("ct status", (32, 32), bits=True), ACCEPT),
    "tcp flags syn accept": (key("tcp flags", (2, 2), bits=True), ACCEPT),
    "tcp flags & (syn|ack) == syn accept": (key("tcp flags", (2, 2), mask=18), ACCEPT),
    "meta mark & 0xff == 0x1 accept": (key("mark", (1, 1), mask=255), ACCEPT),
    "meta mark != 0x7 accept": (key("mark", (7, 7), negate=True), ACCEPT),
    "tcp dport { 22, 80-90 } accept": (key("tcp dport", (22, 22), (80, 90)), ACCEPT),
    "tcp dport > 1024 accept": (key("tcp dport", (1025, ANYTHING[1])), ACCEPT),
    "ip protocol tcp accept": (key("ip protocol", (6, 6)), ACCEPT),
    "meta nfproto ipv6 accept": (key("nfproto", (10, 10)), ACCEPT),
    "ip6 saddr fd00::/8 accept": (key("ip6 saddr", (0xFD << 120, (0xFE << 120) - 1)), ACCEPT),
    "ether saddr 02:00:00:00:00:01 accept": (key("ether saddr", (0x020000000001,) * 2), ACCEPT),
    "ip saddr . tcp dport { 10.0.0.1 . 80 } accept": (
        Compared((Key("ip saddr"), Key("tcp dport")), ((ONE, (80, 80)),)),
        ACCEPT,
    ),
    "ip daddr @hosts accept": (Compared((Key("ip daddr"),), set=("inet", "t", "hosts")), ACCEPT),
    "tcp dport vmap { 22 : accept, 80 : drop, 443 : jump sub }": (
        Compared(
            (Key("tcp dport"),),
            (((22, 22),), ((80, 80),), ((443, 443),)),
            verdicts=(ACCEPT, DROP, Verdict("jump", "sub")),
            map=True,
        ),
    ),
    "ip daddr . tcp dport vmap @portals": (
        Compared((Key("ip daddr"), Key("tcp dport")), set=("inet", "t", "portals"), map=True),
    ),
    "meta mark set 0x7": (Assign("mark", 7),),
    "meta mark set meta mark | 0x4000": (Assign("mark", Operation("|", Key("mark"), 0x4000)),),
    "meta mark set ct mark": (Assign("mark", Key("ct mark")),),
    'counter log prefix "x" accept': (ACCEPT,),
    "goto sub": (Verdict("goto", "sub"),),
    # what is not understood stays, and so does what it decides about
    "limit rate 10/second accept": (Opaque("limit rate 10/second"), ACCEPT),
    "numgen random mod 2 0 drop": (key("number 0 1", (0, 0)), DROP),
}
NAT: dict[str, tuple[Statement, ...]] = {
    "ip daddr 10.0.0.1 tcp dport 80 dnat ip to 10.0.0.7:8080": (
        key("ip daddr", ONE),
        key("tcp dport", (80, 80)),
        Nat("dnat", Target(("10.0.0.7",), (8080,)), "ip"),
    ),
    "udp dport 53 redirect to :5353": (key("udp dport", (53, 53)), Nat("redirect", Target((), (5353,)))),
    "dnat ip to tcp dport map { 80 : 10.0.0.2, 81 : 10.0.0.3 }": (
        Nat(
            "dnat",
            family="ip",
            chosen=Mapped(
                (Key("tcp dport"),),
                (((80, 80),), ((81, 81),)),
                (Target(("10.0.0.2",)), Target(("10.0.0.3",))),
            ),
        ),
    ),
}
RAW: dict[str, tuple[Statement, ...]] = {"notrack": (Untracked(),)}
SOURCE: dict[str, tuple[Statement, ...]] = {
    "masquerade": (Nat("masquerade"),),
    "snat ip to 10.0.0.2-10.0.0.5": (Nat("snat", Target(("10.0.0.2", "10.0.0.5")), "ip"),),
}
HOOKS = {
    "type filter hook forward priority 0": FILTER,
    "type filter hook prerouting priority -300": RAW,
    "type nat hook prerouting priority -100": NAT,
    "type nat hook postrouting priority 100": SOURCE,
}
TABLE = """table inet t {{
 set hosts {{ type ipv4_addr; elements = {{ 10.0.0.1, 10.0.0.7 }}; }}
 map portals {{ type ipv4_addr . inet_service : verdict; elements = {{ 10.0.0.1 . 80 : drop }}; }}
 chain sub {{ }}
 chain c {{ {hook}; policy drop; {rule}; }}
}}"""


@pytest.mark.needs("nft")
@pytest.mark.parametrize(("hook", "rule"), [(hook, rule) for hook, rules in HOOKS.items() for rule in rules])
def test_rules(lab: Lab, hook: str, rule: str) -> None:
    """Given to the kernel, listed by nft, read: it does what it says."""
    with lab.namespace("named", "ns").entered():
        subprocess.run(["nft", TABLE.format(hook=hook, rule=rule)], check=True, capture_output=True)
        listed = subprocess.run(["nft", "-j", "list", "ruleset"], check=True, capture_output=True).stdout
    found = nftables.decode(listed)
    chain = next(one for one in found.chains if one.name == "c")
    _, kind, _, where, _, priority = hook.split()
    assert (chain.tool, chain.family, chain.type, chain.hook, chain.priority) == (
        "nft",
        "inet",
        kind,
        where,
        int(priority),
    )
    assert chain.policy == "drop"
    assert chain.rules[0].statements == HOOKS[hook][rule]
    assert not found.foreign


QUOTED = """\
meta mark & 0xffff0000 != 0x4000000 drop
ct mark & 0xff == 0x1 accept
meta mark { 0x1, 0x2 } accept
fib saddr . mark . iif oif missing drop
fib saddr . iif oif exists accept
fib daddr . iif type local accept
ct state established,related accept
ct original ip saddr 10.0.0.1 accept
tcp flags syn / syn,rst,ack accept
iifname "eth*" accept
iifname { "eth*", "lo" } accept
tcp dport 22-25 drop
ip saddr 10.0.0.0/8 drop
ip daddr . tcp dport { 10.0.0.1 . 80 } accept
tcp dport vmap { 22 : drop, 80 : accept }
numgen random mod 2 vmap { 0 : accept, 1 : drop }
limit rate over 10/second drop
quota over 10 mbytes drop
meta l4proto tcp reject with tcp reset
exthdr hbh missing accept
rt ip nexthop 10.0.0.1 accept
meta ipsec exists accept
ip frag-off & 8191 != 0 drop
meta hour "10:00"-"12:00" accept
meta mark set meta mark & 0xf00 | 0x1f
ct mark set meta mark
ip ttl set 1
ip dscp cs1 drop
meta pkttype broadcast drop
counter name tcp dport map { 80 : "o" } drop
quota name tcp dport map { 80 : "q" } drop
limit name tcp dport map { 80 : "l" } drop
ct helper set tcp dport map { 21 : "h" }
ct timeout set tcp dport map { 80 : "t" }
ct expectation set tcp dport map { 80 : "e" }
notrack
"""
OBJECTS = """
counter o { }
quota q { over 10 mbytes }
limit l { rate over 10/second }
ct helper h { type "ftp" protocol tcp; l3proto inet; }
ct timeout t { protocol tcp; policy = { established : 60 }; }
ct expectation e { protocol tcp; dport 80; timeout 1m; size 1; l3proto ip; }
"""


@pytest.mark.needs("nft")
def test_a_rule_is_quoted_as_nft_prints_it(lab: Lab) -> None:
    """So that whoever greps for it finds it."""
    with lab.namespace("named", "ns").entered():
        body = "; ".join(QUOTED.splitlines())
        subprocess.run(
            [
                "nft",
                f"table inet t {{ {OBJECTS} chain c {{ type filter hook prerouting priority -300; {body}; }}; }}",
            ],
            check=True,
            capture_output=True,
        )
        listed = subprocess.run(["nft", "-j", "list", "ruleset"], check=True, capture_output=True).stdout
        text = subprocess.run(["nft", "list", "ruleset"], check=True, capture_output=True, text=True).stdout
    printed = {line.strip() for line in text.splitlines()}
    (chain,) = nftables.decode(listed).chains
    assert [str(rule.text) for rule in chain.rules if str(rule.text) not in printed] == []


@pytest.mark.needs("nft", "iptables-nft")
def test_extensions_of_iptables(lab: Lab) -> None:
    """A table that nft cannot tell in full is left to iptables."""
    with lab.namespace("named", "ns").entered():
        subprocess.run(["iptables-nft", "-A", "INPUT", "-m", "statistic", "--mode", "nth", "--every", "2", "--packet", "0", "-j", "DROP"], check=True)  # fmt: skip
        listed = subprocess.run(["nft", "-j", "list", "ruleset"], check=True, capture_output=True).stdout
    assert nftables.decode(listed).foreign == {("ip", "filter")}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.sampled_from(["match", "left", "op", "right", "accept", "vmap", "key", "data", "set", "x"]) | st.text(), inside),
    max_leaves=20,
)  # fmt: skip


@given(st.lists(JSON))
def test_rules_that_are_none(statements: list[object]) -> None:
    """Whatever a newer nft says: it is kept, word by word, or the whole is refused."""
    chain = {"family": "ip", "table": "t", "name": "c"}
    rule = {"family": "ip", "table": "t", "chain": "c", "expr": statements}
    try:
        chains = nftables.decode(json.dumps({"nftables": [{"chain": chain}, {"rule": rule}]}).encode()).chains
        (made,) = chains[0].rules
    except ValueError:
        return
    assert len(made.statements) <= len(statements)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"nftables": [{"rule": {}}]}', b'{"nftables": 1}'])
def test_texts_that_are_none(text: bytes) -> None:
    """What nft would never print is refused as a whole."""
    with pytest.raises(ValueError, match="that is not what nft -j lists"):
        nftables.decode(text)
