"""What each match of iptables is true of: packets sent through a router with a rule, and what is foretold of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from filter_site import A6, B6, ICMP, ICMPV6, TCP, Case, Sent, Site, wrong

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

SYN, PING, PING6 = Sent(proto=TCP), Sent(proto=ICMP), Sent(dst=B6, proto=ICMPV6)
DROP = "IPT -A FORWARD {} -j DROP"
MATCHES: list[tuple[str, str, Sent]] = [
    ("-s 10.0.1.2/255.0.0.255", "D", Sent()),
    ("-s 10.0.1.2/255.0.0.254 ! -d 10.0.0.0/255.0.255.0", "D", Sent()),
    ("! -s 10.0.1.2/255.0.0.255", "P", Sent()),
    ("-p udp -m multiport --ports 1,6999:7001", "D", Sent()),
    ("-p udp -m multiport ! --ports 1,6999:7001", "P", Sent()),
    ("-p udp -m multiport --ports 1,2", "P", Sent(sport=5000)),
    ("-p udp -m multiport --ports 1,5000", "D", Sent(sport=5000)),
    ("-f", "P", Sent()),
    ("! -f", "D", Sent()),
    ("-p icmp -m icmp --icmp-type any", "D", PING),
    ("-p icmp -m icmp ! --icmp-type any", "P", PING),
    ("-p icmp -m icmp --icmp-type 8/0", "D", PING),
    ("-p icmp -m icmp ! --icmp-type 8", "P", PING),
    ("-m mac --mac-source 02:00:00:00:01:02", "D", Sent()),
    ("-m mac ! --mac-source 02:00:00:00:01:02", "P", Sent()),
    ("-m addrtype --dst-type LOCAL", "P", Sent()),
    ("-m addrtype ! --src-type LOCAL --limit-iface-in", "D", Sent()),
    ("-m ttl --ttl-eq 63", "D", Sent()),
    ("-m ttl --ttl-lt 63", "P", Sent()),
    ("-m ttl --ttl-gt 60", "D", Sent()),
    ("-m ttl ! --ttl-eq 63", "P", Sent()),
    ("-m tos --tos 0x0/0xff", "D", Sent()),
    ("-m tos ! --tos 0x0/0xff", "P", Sent()),
    ("-m dscp --dscp 0x10", "P", Sent()),
    ("-m dscp ! --dscp 0x10", "D", Sent()),
    ("-m ecn --ecn-ip-ect 2", "P", Sent()),
    ("-m ecn ! --ecn-ip-ect 0", "P", Sent()),
    ("-m pkttype --pkt-type unicast", "D", Sent()),
    ("-m pkttype --pkt-type broadcast", "P", Sent()),
    ("-m policy --dir in --pol none", "D", Sent()),
    ("-m policy --dir in --pol ipsec", "P", Sent()),
    ("-m policy --dir out --pol none", "D", Sent()),
    ("-m policy --dir out --pol ipsec --proto esp", "P", Sent()),
    ("-m conntrack --ctstatus NONE", "P", Sent()),
    ("-m conntrack --ctdir ORIGINAL", "D", Sent()),
    ("-m conntrack --ctdir REPLY", "P", Sent()),
    (
        "-m conntrack --ctproto udp --ctorigsrc 10.0.1.0/24 --ctorigdst 10.0.2.2 --ctorigdstport 7000",
        "D",
        Sent(),
    ),
    ("-m conntrack --ctorigdst 10.0.2.3", "P", Sent()),
    ("-m conntrack --ctreplsrc 10.0.2.2 --ctrepldst 10.0.1.2 --ctreplsrcport 7000", "D", Sent()),
    ("-m conntrack --ctstate NEW,DNAT", "D", Sent()),
    ("-m conntrack --ctstate ESTABLISHED,DNAT", "P", Sent()),
    ("-m conntrack --ctstate UNTRACKED,INVALID", "P", Sent()),
    ("-m conntrack ! --ctstate NEW --ctdir ORIGINAL", "P", Sent()),
    ("-m connmark --mark 0x0/0xff", "D", Sent()),
    ("-m helper --helper ftp", "P", Sent()),
    ("-m recent --set --name x --rsource", "D", Sent()),
    ("-m recent ! --set --name y --rsource", "P", Sent()),
    ("-p esp -m esp", "P", Sent()),
    ("-p ah -m ah", "P", Sent()),
    ("-p ipcomp", "P", Sent()),
    ("! -p ipcomp", "D", Sent()),
    ("-p sctp -m sctp --dport 7000 --chunk-types any DATA", "P", Sent()),
    ("-p tcp -m tcp --tcp-flags SYN,ACK SYN --dport 7000", "D", SYN),
    ("-p tcp -m tcp ! --tcp-flags SYN,ACK SYN", "P", SYN),
    ("-m comment --comment '-j ACCEPT'", "D", Sent()),
    ("-m comment --comment -j", "D", Sent()),
    ("-m statistic --mode nth --every 1 --packet 0", "D", Sent()),
    ("-m u32 --u32 '6&0xFF=1:16'", "P", Sent()),
    ("-m u32 --u32 '6&0xFF=17'", "D", Sent()),
    ("-m u32 --u32 '0>>28=4&&6&0xFF=0x11'", "D", Sent()),
    ("-m u32 ! --u32 '6&0xFF=17'", "P", Sent()),
    ("-m bpf --bytecode '4,48 0 0 9,21 0 1 17,6 0 0 1,6 0 0 0'", "D", Sent()),
    ("-m bpf --bytecode '4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0'", "P", Sent()),
    ("-m time --datestart 2020-01-01T00:00:00", "D", Sent()),
    ("-m time --datestop 2021-01-01T00:00:00", "P", Sent()),
    ("-m time --timestart 00:00 --timestop 23:59:59", "D", Sent()),
    ("-m connbytes --connbytes 1:1 --connbytes-dir original --connbytes-mode packets", "D", Sent()),
    ("-m connbytes --connbytes 2: --connbytes-dir both --connbytes-mode packets", "P", Sent()),
    ("-m connbytes ! --connbytes 1:5 --connbytes-dir reply --connbytes-mode bytes", "D", Sent()),
    ("-m connlabel --label 5", "P", Sent()),
    ("-m connlabel ! --label 5", "D", Sent()),
    ("-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 3 --cluster-hash-seed 7", "D", Sent()),
    ("-m realm --realm 0", "D", Sent()),
    ("-m realm --realm 7", "P", Sent()),
    ("-p tcp -m tcp --tcp-option 2", "D", SYN),
    ("-p tcp -m tcp ! --tcp-option 8", "P", SYN),
    ("-p tcp -m tcpmss --mss 1460", "D", SYN),
    ("-p tcp -m tcpmss ! --mss 1:1459", "D", SYN),
    ("-p tcp -m ecn ! --ecn-tcp-cwr", "D", SYN),
    ("-p tcp -m ecn --ecn-tcp-ece", "P", SYN),
    ("-p tcp -m length --length 60", "D", SYN),
    ("-p tcp -m length --length 61:", "P", SYN),
    ("-i br0 -o rb", "D", Sent()),
    ("-i p+", "P", Sent()),
]
UNDECIDED = [
    "-m statistic --mode random --probability 0.5", "-m statistic --mode nth --every 2 --packet 1", "-m u32 --u32 '4>>16=1:5'", "-m string --string x --algo bm", "-m quota --quota 10", "-m cpu --cpu 1", "-m time --weekdays Mon", "-m connbytes --connbytes 1:100 --connbytes-dir both --connbytes-mode bytes", "-m cluster --cluster-total-nodes 2 --cluster-local-node 1 --cluster-hash-seed 7",
    "-m hashlimit --hashlimit-name h --hashlimit-above 10/sec --hashlimit-mode srcip",
    "-m connlimit --connlimit-above 20",
]  # fmt: skip
HEADERS = [
    ("-m frag", "P"), ("-m hbh", "P"), ("-m dst", "P"), ("-m rt", "P"), ("-m ah", "P"), ("-m eui64", "P"), ("-p esp -m esp", "P"),
    ("-p mh -m mh", "P"), ("-m frag --fragmore", "P"), ("-m ipv6header --header frag,dst --soft", "P"), ("-m ipv6header --header hop", "P"),
    ("-m hl --hl-eq 63", "D"), ("-m hl --hl-lt 63", "P"), ("-s fd00:1::2/ffff:ffff::ffff", "D"), ("-p icmpv6 -m icmp6 --icmpv6-type 128", "D"),
    ("-m policy --dir in --pol none", "D"), ("-m conntrack --ctorigdst fd00:2::2", "D"), ("-p ipv6-frag", "P"), ("-m srh", "P"),
]  # fmt: skip
OLD_AND_NEW = ("iptables-legacy", "iptables-nft")


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_matches(lab: Lab) -> None:
    """Both variants, for what the kernel compares."""
    site = Site(lab)
    cases = [Case(DROP.format(match), fate, sent) for match, fate, sent in MATCHES]
    assert not wrong(site, cases, OLD_AND_NEW)


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_what_nobody_can_decide(lab: Lab) -> None:
    """It may be either."""
    site = Site(lab)
    assert not wrong(site, [Case(DROP.format(match), "?") for match in UNDECIDED], OLD_AND_NEW)


@pytest.mark.needs("ip", "ip6tables-legacy", "ip6tables-nft", "ipset", "nft")
def test_headers_of_ipv6(lab: Lab) -> None:
    """A module that is named and has no option asks for a header, which a plain packet has not."""
    site = Site(lab)
    cases = [Case(DROP.format(match), fate, PING6) for match, fate in HEADERS]
    assert not wrong(site, cases, ("ip6tables-legacy", "ip6tables-nft"))


def test_addresses() -> None:
    """So that the packets above are what their rules are about."""
    assert A6.startswith("fd00:1:")
