"""What ebtables and arptables print, read: both variants of each."""

from __future__ import annotations

import pytest

from nswire.codec import arptables, ebtables
from nswire.model.firewall import Assign, Key, Opaque, Operation, Statement, Unfollowed, Verdict
from nswire.model.firewall import Test as Compared

DROP, ACCEPT = Verdict("drop"), Verdict("accept")
MAC = 0x020000000001


def key(
    name: str, *cells: tuple[int, int] | str, mask: int = -1, negate: bool = False, bits: bool = False
) -> Compared:
    """A test of one key."""
    return Compared((Key(name, mask),), tuple((cell,) for cell in cells), negate=negate, bits=bits)


ARP = key("ether type", (0x806, 0x806))
IP = key("ether type", (0x800, 0x800))
FRAMES: dict[str, tuple[Statement, ...]] = {
    "-p ARP --arp-op Request --arp-htype 1 --arp-ptype 0x800 --arp-ip-src 10.0.0.1 --arp-ip-dst ! 10.0.0.0/24 -j DROP": (
        ARP,
        key("arp operation", (1, 1)),
        key("arp htype", (1, 1)),
        key("arp ptype", (0x800, 0x800)),
        key("arp saddr ip", (0x0A000001, 0x0A000001)),
        key("arp daddr ip", (0x0A000000, 0x0A0000FF), negate=True),
        DROP,
    ),
    "-p ARP --arp-mac-src 2:0:0:0:0:1 -j DROP": (ARP, key("arp saddr ether", (MAC, MAC)), DROP),
    "-p ARP --arp-gratuitous -j DROP": (ARP, key("always", (0, (1 << 128) - 1), negate=True), DROP),
    "-p Length -j DROP": (key("ether type", (0, 0x5FF)), DROP),
    "-p ! IPv4 -j DROP": (key("ether type", (0x800, 0x800), negate=True), DROP),
    "-p 88b5 -j DROP": (key("ether type", (0x88B5, 0x88B5)), DROP),
    "-p IPv4 --ip-src 10.0.0.1 --ip-proto tcp --ip-sport 1:5 --ip-dport ! 80 -j DROP": (
        IP,
        key("ip saddr", (0x0A000001, 0x0A000001)),
        key("l4proto", (6, 6)),
        key("th sport", (1, 5)),
        key("th dport", (80, 80), negate=True),
        DROP,
    ),
    "-p IPv4 --ip-proto icmp --ip-icmp-type ! echo-request -j DROP": (
        IP,
        key("l4proto", (1, 1)),
        Compared((Key("icmp type"), Key("icmp code")), (((8, 8), (0, 255)),), negate=True),
        DROP,
    ),
    "-p IPv6 --ip6-proto ipv6-icmp --ip6-icmp-type 135:136/0 -j DROP": (
        key("ether type", (0x86DD, 0x86DD)),
        key("l4proto", (58, 58)),
        Compared((Key("icmpv6 type"), Key("icmpv6 code")), (((135, 136), (0, 0)),)),
        DROP,
    ),
    "-i eth0 --logical-in br0 -o ! eth+ -j ACCEPT": (
        key("iifname", "eth0"),
        key("ibrname", "br0"),
        key("oifname", "eth*", negate=True),
        ACCEPT,
    ),
    "-s 02:00:00:00:00:01 -d Multicast -j DROP": (
        key("ether saddr", (MAC, MAC)),
        key("ether daddr", (1 << 40, 1 << 40), mask=1 << 40),
        DROP,
    ),
    "--among-src ! 2:0:0:0:0:1,2:0:0:0:0:2 -j DROP": (
        key("ether saddr", (MAC, MAC), (MAC + 1, MAC + 1), negate=True),
        DROP,
    ),
    "--among-src 2:0:0:0:0:1=10.0.0.1 -j DROP": (Opaque("--among-src 2:0:0:0:0:1=10.0.0.1"), DROP),
    "--mark 0x1/0x3 -j DROP": (key("mark", (1, 1), mask=3), DROP),
    "--mark /0x3 -j DROP": (key("mark", (3, 3), bits=True), DROP),
    "--pkttype-type ! otherhost -j DROP": (key("pkttype", (3, 3), negate=True), DROP),
    "--limit 1/sec --limit-burst 3 -j DROP": (Opaque("--limit 1/sec"), DROP),
    "-d BGA --stp-type config -j DROP": (
        key("ether daddr", (0x0180C2000000, 0x0180C2000000)),
        Opaque("--stp-type config"),
        DROP,
    ),
    "-p 802_1Q --vlan-id 5 --vlan-encap 0800 -j DROP": (
        key("ether type", (0x8100, 0x8100)),
        key("vlan id", (5, 5)),
        key("vlan type", (0x800, 0x800)),
        DROP,
    ),
    '--log-level notice --log-prefix "a -j b" --log-arp -j CONTINUE': (Verdict("continue"),),
    "--nflog-group 5 -j RETURN": (Verdict("return"),),
    "--unknown 5 -j DROP": (Opaque("--unknown 5"), DROP),
    "-j mark --mark-set 0x5 --mark-target CONTINUE": (Assign("mark", 5), Verdict("continue")),
    "-j mark --mark-or 0x5": (
        Assign("mark", Operation("^", Operation("&", Key("mark"), 0xFFFFFFFA), 5)),
        ACCEPT,
    ),
    "-j dnat --to-dst 2:0:0:0:0:1 --dnat-target DROP": (Assign("ether daddr", MAC), DROP),
    "-j snat --to-src 2:0:0:0:0:1 --snat-arp --snat-target ACCEPT": (
        Unfollowed("-j snat --to-src 2:0:0:0:0:1 --snat-arp --snat-target ACCEPT"),
    ),
    "-j redirect": (Unfollowed("-j redirect"),),
    "-j arpreply --arpreply-mac 2:0:0:0:0:9": (Unfollowed("-j arpreply --arpreply-mac 2:0:0:0:0:9"),),
    "-j MINE": (Verdict("jump", "MINE"),),
}


@pytest.mark.parametrize("rule", FRAMES)
def test_frames(rule: str) -> None:
    """Each option that ebtables prints."""
    assert ebtables.rule(f"-A FORWARD {rule}", "filter").statements == FRAMES[rule]


LISTED = b"""Bridge table: broute

Bridge chain: BROUTING, entries: 1, policy: ACCEPT
-p IPv4 -j DROP
Bridge table: filter

Bridge chain: INPUT, entries: 0, policy: ACCEPT

Bridge chain: FORWARD, entries: 2, policy: DROP
-p ARP --arp-ip-src 10.0.0.1 -j DROP
-j MINE

Bridge chain: OUTPUT, entries: 0, policy: ACCEPT

Bridge chain: MINE, entries: 1, policy: RETURN
-s 2:0:0:0:0:1 -j ACCEPT
Bridge table: nat

Bridge chain: POSTROUTING, entries: 0, policy: ACCEPT
"""


def test_the_old_list() -> None:
    """Chains that somebody made have a policy as well; a frame that broute drops is routed."""
    chains = {(one.table, one.name): one for one in ebtables.decode(LISTED, "ebtables-legacy")}
    places = {place: (one.hook, one.priority, one.policy) for place, one in chains.items()}
    assert places == {
        ("broute", "BROUTING"): ("prerouting", -(1 << 31), "accept"),
        ("filter", "INPUT"): ("input", -200, "accept"),
        ("filter", "FORWARD"): ("forward", -200, "drop"),
        ("filter", "OUTPUT"): ("output", 200, "accept"),
        ("filter", "MINE"): ("", 0, "accept"),
        ("nat", "POSTROUTING"): ("postrouting", 300, "accept"),
    }
    assert {one.family for one in chains.values()} == {"bridge"}
    assert chains["filter", "MINE"].rules[-1].statements == (Verdict("return"),)
    assert isinstance(chains["broute", "BROUTING"].rules[0].statements[-1], Unfollowed)
    assert chains["filter", "FORWARD"].rules[0].statements[-1] == DROP


@pytest.mark.parametrize("text", [b"", b"nothing\n", b"Bridge table: filter\n-j DROP\n"])
def test_no_such_list(text: bytes) -> None:
    """Refused as a whole."""
    with pytest.raises(ValueError, match=r"table|chain"):
        ebtables.decode(text, "ebtables-legacy")


ARP_RULES: dict[str, tuple[Statement, ...]] = {
    "-j DROP -i * -o * -s 10.0.0.1 -d 10.0.0.0/24 , pcnt=0 -- bcnt=0 ": (
        key("arp saddr ip", (0x0A000001, 0x0A000001)),
        key("arp daddr ip", (0x0A000000, 0x0A0000FF)),
        DROP,
    ),
    "-j DROP -i * -o * --src-mac 02:00:00:00:00:01 ! --dst-mac 02:00:00:00:00:00/ff:00:00:00:00:00 , pcnt=0 -- bcnt=0 ": (
        key("arp saddr ether", (MAC, MAC)),
        key("arp daddr ether", (2 << 40, 2 << 40), mask=0xFF << 40, negate=True),
        DROP,
    ),
    "-j X ! -i eth+ -o * , pcnt=0 -- bcnt=0 ": (key("iifname", "eth*", negate=True), Verdict("jump", "X")),
    "-j DROP -i * -o * --h-length 8/3 ! --opcode 2 --proto-type 0x800 , pcnt=0 -- bcnt=0 ": (
        key("arp hlen", (8, 8), mask=3),
        key("arp operation", (2, 2), negate=True),
        key("arp ptype", (0x800, 0x800)),
        DROP,
    ),
    "-j mangle -i * -o * --mangle-ip-s 1.2.3.4 --mangle-target CONTINUE , pcnt=0 -- bcnt=0 ": (
        Unfollowed("-j mangle --mangle-ip-s 1.2.3.4 --mangle-target CONTINUE"),
    ),
    "-j MARK -i * -o * --set-mark 5, pcnt=0 -- bcnt=0 ": (Assign("mark", 5),),
    "-i * -o * , pcnt=0 -- bcnt=0 ": (),
    "-j DROP --what 1": (Opaque("--what 1"), DROP),
}


@pytest.mark.parametrize("rule", ARP_RULES)
def test_arp(rule: str) -> None:
    """Each option that arptables-legacy prints, behind the target."""
    text = f"Chain INPUT (policy DROP 0 packets, 0 bytes)\n{rule}\n\nChain X (1 references)\n".encode()
    chain, other = arptables.decode(text, "arptables-legacy")
    assert (chain.family, chain.hook, chain.policy, other.hook) == ("arp", "input", "drop", "")
    assert chain.rules[0].statements == ARP_RULES[rule]


def test_no_arp_list() -> None:
    """Refused as a whole."""
    for text in (b"", b"-j DROP\n"):
        with pytest.raises(ValueError, match="chain"):
            arptables.decode(text, "arptables-legacy")
