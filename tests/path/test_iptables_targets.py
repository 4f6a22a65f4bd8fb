"""What each target of iptables does to a packet, seen by packets that are really sent: marks, headers, tracking, NAT, sets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filter_site import ICMP, TCP, B, Case, Sent, Site, wrong

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

OLD_AND_NEW = ("iptables-legacy", "iptables-nft")
PING, SYN = Sent(proto=ICMP), Sent(proto=TCP)
MANGLE = "IPT -t mangle -A PREROUTING -j {}\nIPT -A FORWARD {} -j DROP"
TARGETS: list[tuple[str, str, str]] = [
    ("MARK --set-xmark 0x5/0xff", "-m mark --mark 0x5", "D"),
    ("MARK --set-xmark 0x5/0xff", "-m mark --mark 0x4", "P"),
    ("MARK --set-mark 0x6", "-m mark ! --mark 0x2/0x2", "P"),
    ("CONNMARK --set-xmark 0x5/0xffffffff --left-shift-mark 2", "-m connmark --mark 0x14", "D"),
    ("CONNMARK --set-xmark 0x5/0x3", "-m connmark --mark 0x5", "D"),
    ("HMARK --hmark-tuple src --hmark-mod 1 --hmark-offset 7 --hmark-rnd 1", "-m mark --mark 0x7", "D"),
    ("TTL --ttl-set 5", "-m ttl --ttl-eq 4", "D"),
    ("TTL --ttl-dec 4", "-m ttl --ttl-eq 59", "D"),
    ("TTL --ttl-inc 1", "-m ttl --ttl-eq 64", "D"),
    ("TTL --ttl-set 1", "-p sctp", "L"),
    ("TOS --set-tos 0x10/0x3f", "-m tos --tos 0x10/0xff", "D"),
    ("DSCP --set-dscp 0x2e", "-m dscp --dscp 0x2e", "D"),
    ("DSCP --set-dscp 0x2e", "-m tos --tos 0xb8/0xff", "D"),
    ("DSCP --set-dscp 0x2e", "-m dscp ! --dscp 0x2e", "P"),
    ("LOG --log-prefix '-j DROP'", "-p sctp", "P"),
    ("NFLOG", "-p sctp", "P"),
    ("CHECKSUM --checksum-fill", "-p sctp", "P"),
]
RAW: list[tuple[str, str, str]] = [
    ("CT --notrack", "-m conntrack --ctstate NEW", "P"),
    ("CT --notrack", "-m conntrack --ctstate UNTRACKED", "D"),
    ("CT --notrack", "-m conntrack ! --ctstate NEW", "D"),
    ("CT --notrack", "-m connmark --mark 0x0", "P"),
    ("CT --notrack", "-m connmark ! --mark 0x0", "P"),
    ("NOTRACK", "-m conntrack --ctdir ORIGINAL", "P"),
    ("CT --zone 5", "-m conntrack --ctstate NEW", "D"),
]
SETS: list[tuple[str, str, Sent]] = [
    ("hash:ip; 10.0.1.2; src", "D", Sent()),
    ("hash:ip; 10.0.1.3; src", "P", Sent()),
    ("hash:ip timeout 300; 10.0.1.2 timeout 200; src", "D", Sent()),
    ("hash:ip netmask 24; 10.0.1.77; src", "D", Sent()),
    ("hash:net; 10.0.1.0/24; src", "D", Sent()),
    ("hash:net; 0.0.0.0/1; dst", "D", Sent()),
    ("hash:net; 10.0.0.0/8, 10.0.1.0/24 nomatch; src", "P", Sent()),
    ("hash:net; 10.0.0.0/8, 10.0.1.0/24 nomatch, 10.0.1.2; src", "D", Sent()),
    ("hash:net; 10.0.0.0/8, 10.0.1.0/24 nomatch; src --return-nomatch", "D", Sent()),
    ("hash:net; 10.0.0.0/8, 10.0.3.0/24 nomatch; src --return-nomatch", "P", Sent()),
    ("hash:ip,port; 10.0.2.2,udp:7000; dst,dst", "D", Sent()),
    ("hash:ip,port; 10.0.2.2,tcp:7000; dst,dst", "P", Sent()),
    ("hash:ip,port; 10.0.2.2,udp:7000; dst,src", "P", Sent(sport=6000)),
    ("hash:ip,port; 10.0.2.2,udp:6000; dst,src", "D", Sent(sport=6000)),
    ("hash:ip,port; 10.0.2.2,icmp:8/0; dst,dst", "D", PING),
    ("hash:ip,port; 10.0.2.2,icmp:0/0; dst,dst", "P", PING),
    ("hash:ip,port; 10.0.2.2,udp:7000; dst", "P", Sent()),
    ("hash:ip; 10.0.2.2; dst,src", "D", Sent()),
    ("hash:net,port; 10.0.2.0/24,udp:6999-7001; dst,dst", "D", Sent()),
    ("hash:ip,port,ip; 10.0.1.2,udp:7000,10.0.2.2; src,dst,dst", "D", Sent()),
    ("hash:ip,port,net; 10.0.1.2,udp:7000,10.0.2.0/24; src,dst,dst", "D", Sent()),
    ("hash:ip,port,net; 10.0.1.2,udp:7000,10.0.3.0/24; src,dst,dst", "P", Sent()),
    ("hash:net,iface; 10.0.1.0/24,br0; src,src", "D", Sent()),
    ("hash:net,iface; 10.0.1.0/24,rb; src,src", "P", Sent()),
    ("hash:net,iface; 10.0.1.0/24,r wildcard; src,dst", "D", Sent()),
    ("bitmap:ip range 10.0.1.0/24; 10.0.1.2; src", "D", Sent()),
    ("bitmap:ip range 10.0.0.0/16 netmask 24; 10.0.1.77; src", "D", Sent()),
    ("bitmap:ip,mac range 10.0.1.0/24; 10.0.1.2,02:00:00:00:01:02; src,src", "D", Sent()),
    ("bitmap:ip,mac range 10.0.1.0/24; 10.0.1.2,02:00:00:00:01:09; src,src", "P", Sent()),
    ("bitmap:ip,mac range 10.0.1.0/24; 10.0.1.2; src,src", "D", Sent()),
    ("bitmap:port range 1-9000; 7000; dst", "D", Sent()),
    ("bitmap:port range 1-9000; 7000; dst", "D", SYN),
    ("bitmap:port range 1-9000; 7000; dst", "P", PING),
    ("hash:ip family inet6; fd00::1; src", "!", Sent()),
]
LISTS = """\
ipset create one hash:ip
ipset create two hash:net
ipset create list list:set
ipset add list one
ipset add list two
ipset add {} {}
IPT -A FORWARD -m set {} --match-set list src -j DROP
"""
REMEMBERED = """\
ipset create seen hash:ip
{}
IPT -t mangle -A PREROUTING -j SET {} seen src
IPT -A FORWARD -m set --match-set seen src -j DROP
"""


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_what_is_done_to_the_packet(lab: Lab) -> None:
    """Each is seen by a later rule, or by the kernel itself."""
    site = Site(lab)
    cases = [
        Case(MANGLE.format(target, match), "D" if fate == "L" else fate) for target, match, fate in TARGETS
    ]
    raw = [
        Case(f"IPT -t raw -A PREROUTING -j {target}\nIPT -A FORWARD {match} -j DROP", fate)
        for target, match, fate in RAW
    ]
    late = [Case("IPT -t mangle -A FORWARD -j CLASSIFY --set-class 1:2", "P")]
    assert not wrong(site, [*cases, *raw, *late], OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_what_is_remembered_of_a_mark(lab: Lab) -> None:
    """Saved in the connection, restored from it."""
    site = Site(lab)
    rules = """\
IPT -t mangle -A PREROUTING -j MARK --set-xmark 0x1234/0xffffffff
IPT -t mangle -A PREROUTING -j CONNMARK --save-mark --nfmask 0xff --ctmask 0xff
IPT -t mangle -A PREROUTING -j MARK --set-xmark 0x0/0xffffffff
IPT -t mangle -A FORWARD -j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff
IPT -A FORWARD -m mark --mark {} -j DROP
"""
    assert not wrong(site, [Case(rules.format("0x34"), "D"), Case(rules.format("0x1234"), "P")], OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_nat(lab: Lab) -> None:
    """Networks, ranges of ports, and what later chains see of them."""
    site = Site(lab)
    nat = "IPT -t nat -A "
    cases = [
        Case(f"{nat}PREROUTING -d 10.0.9.0/24 -j NETMAP --to 10.0.2.0/24", "P", Sent(dst="10.0.9.2")),
        Case(
            f"{nat}PREROUTING -p udp -j DNAT --to-destination 10.0.2.2:80-82\nIPT -A FORWARD -p udp --dport 80:82 -j DROP",
            "D",
        ),
        Case(
            f"{nat}PREROUTING -p udp -j DNAT --to-destination 10.0.2.2:80-82\nIPT -A FORWARD -p udp --dport 90 -j DROP",
            "P",
        ),
        Case(
            f"{nat}PREROUTING -p udp -j DNAT --to-destination 10.0.2.2:80-180/6990\nIPT -A FORWARD -p udp --dport 90 -j DROP",
            "D",
        ),
        Case(
            f"{nat}PREROUTING -p udp -j MARK --set-mark 1\nIPT -A FORWARD -m conntrack --ctstate NEW,DNAT -j DROP",
            "D",
        ),
        Case(
            f"{nat}PREROUTING -p udp -j DNAT --to-destination 10.0.2.2:80\n"
            "IPT -A FORWARD -m conntrack --ctorigdstport 7000 --ctreplsrcport 80 -j DROP",
            "D",
        ),
    ]
    assert not wrong(site, cases, OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_sets_of_ipset(lab: Lab) -> None:
    """Each type of set, each way of looking into it; looked up by the kernel's own members."""
    site = Site(lab)
    cases = []
    for words, fate, sent in SETS:
        kind, members, flags = (one.strip() for one in words.split(";"))
        added = "\n".join(f"ipset add s {one.strip()}" for one in members.split(", "))
        for bang, end in (("", fate), ("!", {"D": "P", "P": "D"}.get(fate, ""))):
            rules = (
                f"ipset create s {kind}\n{added}\nIPT -A FORWARD -m set {bang} --match-set s {flags} -j DROP"
            )
            if end in ("D", "P"):
                cases.append(Case(rules, end, sent))
    assert not wrong(site, cases, OLD_AND_NEW[:1])
    assert not wrong(site, cases[::4], OLD_AND_NEW[1:])


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_lists_of_sets(lab: Lab) -> None:
    """A list is looked into set by set."""
    site = Site(lab)
    cases = [
        Case(LISTS.format("one", "10.0.1.2", ""), "D"),
        Case(LISTS.format("two", "10.0.1.0/24", ""), "D"),
        Case(LISTS.format("two", "10.0.3.0/24", ""), "P"),
        Case(LISTS.format("two", "10.0.3.0/24", "!"), "D"),
    ]
    assert not wrong(site, cases, OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_what_a_packet_puts_into_a_set(lab: Lab) -> None:
    """It is there for the next rule; the packet that is foretold has not been sent."""
    site = Site(lab)
    cases = [
        Case(REMEMBERED.format("", "--add-set"), "D"),
        Case(REMEMBERED.format("ipset add seen 10.0.1.2", "--del-set"), "P"),
        Case(REMEMBERED.format("ipset add seen 10.0.1.3", "--del-set"), "P"),
    ]
    assert not wrong(site, cases, OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_who_was_seen_lately(lab: Lab) -> None:
    """The lists of -m recent: whether the sender is in one, what this packet puts there, and how often a first one can have been seen."""
    site = Site(lab)
    kept = "IPT -A FORWARD -m recent --set --name {0} --rsource\n"
    known = "IPT -t raw -A OUTPUT -m recent --rcheck --name {0} --rsource\necho +10.0.1.2 > /proc/net/xt_recent/{0}\n"
    drop = "IPT -A FORWARD -m recent {1} --name {0} -j DROP"
    rows = [
        (drop, "--rcheck", "P"),
        (drop, "! --rcheck", "D"),
        (drop, "--update --seconds 60 --hitcount 4", "P"),
        (kept + drop, "--rcheck", "D"),
        (kept + drop, "--rcheck --rdest", "P"),
        (kept + drop, "--update --seconds 60", "D"),
        (kept + drop, "--update --seconds 60 --hitcount 4", "P"),
        (known + drop, "--rcheck", "D"),
        (known + drop, "! --rcheck", "P"),
        (known + drop, "--rcheck --mask 255.255.255.0", "?"),  # the mask is that of the list's first rule
        (drop, "! --rcheck --mask 255.255.255.0", "D"),
        (known + drop, "--update --seconds 60", "?"),
        (known + "IPT -A FORWARD -m recent --remove --name {0} --rsource\n" + drop, "--rcheck", "P"),
    ]
    for program in OLD_AND_NEW:
        cases = [
            Case(f"{rules}\n".format(f"{program[9]}{at}", match), fate)
            for at, (rules, match, fate) in enumerate(rows)
        ]
        cases = [one._replace(rules=f"{one.rules}# -t raw") for one in cases]
        assert not wrong(site, cases, (program,))


def test_sites() -> None:
    """The receiver of these packets is the one that the rules name."""
    assert B == "10.0.2.2"
