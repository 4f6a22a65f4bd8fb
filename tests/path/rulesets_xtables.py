"""The grammar of iptables(8), ip6tables(8) and iptables-extensions(8): what matches.

The forms are those that the manual describes and that the extensions' own tests (extensions/*.t of iptables) list.
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, NamedTuple

from rulesets_lab import NOWHERE
from rulesets_nft import OTHERS4, OTHERS6
from rulesets_packets import ICMP, ICMPV6, TCP, UDP

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from rulesets_courses import Aim

Words = str | None


class Match(NamedTuple):
    """A match: `make` gives its words so that it takes the packet, None if it cannot. `tables`: the only ones that have it."""

    name: str
    make: Callable[[Aim, random.Random], Words]
    tables: str = ""

    def stands(self, hook: str, table: str = "") -> bool:
        """Whether it can be in a chain of that hook, and in that table."""
        words = self.tables.split()
        return not words or (CHAINS[hook] in words and (not table or table in words))


PROTO = {ICMP: "icmp", TCP: "tcp", UDP: "udp", ICMPV6: "ipv6-icmp"}
CHAINS = {
    "prerouting": "PREROUTING",
    "input": "INPUT",
    "forward": "FORWARD",
    "output": "OUTPUT",
    "postrouting": "POSTROUTING",
}
TABLES = {
    "prerouting": "raw mangle",
    "input": "filter filter filter mangle security",
    "forward": "filter filter filter mangle security",
    "output": "filter filter filter mangle raw security",
    "postrouting": "mangle",
}


def _net(address: str, rng: random.Random) -> str:
    length = rng.choice((48, 64, 120, 128) if ":" in address else (8, 16, 24, 31, 32))
    return str(ipaddress.ip_network(f"{address}/{length}", strict=False))


def other(aim: Aim, rng: random.Random) -> str:
    return rng.choice(OTHERS6 if aim.six else OTHERS4)


def _addressed(side: str) -> Callable[[Aim, random.Random], Words]:
    def make(aim: Aim, rng: random.Random) -> str:
        address = aim.src if side == "-s" else aim.dst
        words = [f"{side} {address}", f"{side} {_net(address, rng)}", f"! {side} {other(aim, rng)}"]
        if not aim.six:
            words.append(
                f"{side} {address.rsplit('.', 1)[0].rsplit('.', 1)[0]}.0.{address.rsplit('.', 1)[1]}/255.255.0.255"
                if address.startswith("10.")
                else f"{side} {address}"
            )
        return rng.choice(words)

    return make


def _link(side: str) -> Callable[[Aim, random.Random], Words]:
    def make(aim: Aim, rng: random.Random) -> Words:
        name = aim.spot.iif if side == "-i" else aim.spot.oif
        if (
            not name
            or (side == "-o" and aim.spot.hook in ("prerouting", "input"))
            or (side == "-i" and aim.spot.hook in ("output", "postrouting"))
        ):
            return None
        return rng.choice((f"{side} {name}", f"{side} {name[:1]}+", f"! {side} eth7", f"{side} +"))

    return make


def _port(module: str, option: str, side: str) -> Callable[[Aim, random.Random], Words]:
    def make(aim: Aim, rng: random.Random) -> Words:
        if not aim.ported:
            return None
        port = aim.sport if side == "s" else aim.dport
        proto = PROTO[aim.proto]
        if module == "multiport":
            words = [f"{port}", f"22,{port},999", f"{port - 1}:{port + 2},1", f"1,{port}:{port}"]
            return f"-p {proto} -m multiport {rng.choice((f'--{option} ' + rng.choice(words), f'! --{option} 1,2,3:4'))}"
        words = [
            f"--{option} {port}",
            f"--{option} {port - 3}:{port + 3}",
            f"--{option} :{port}",
            f"--{option} {port}:",
            f"! --{option} 1234",
            f"! --{option} 1:20",
        ]
        return f"-p {proto} -m {proto} {rng.choice(words)}"

    return make


def _tcp_flags(aim: Aim, rng: random.Random) -> Words:
    if aim.proto != TCP:
        return None
    if aim.spot.back:
        return rng.choice(
            ("-p tcp --tcp-flags SYN,ACK SYN,ACK", "-p tcp ! --syn", "-p tcp --tcp-flags ALL SYN,ACK")
        )
    return rng.choice(
        (
            "-p tcp --syn",
            "-p tcp --tcp-flags FIN,SYN,RST,ACK SYN",
            "-p tcp ! --tcp-flags ALL NONE",
            "-p tcp --tcp-flags ALL SYN",
        )
    )


def _icmp(aim: Aim, rng: random.Random) -> Words:
    if aim.proto not in (ICMP, ICMPV6):
        return None
    word = "echo-reply" if aim.spot.back else "echo-request"
    number = {ICMP: (8, 0), ICMPV6: (128, 129)}[aim.proto][aim.spot.back]
    if aim.proto == ICMP:
        return rng.choice(
            (
                f"-p icmp --icmp-type {word}",
                f"-p icmp --icmp-type {number}/0",
                "-p icmp ! --icmp-type 3",
                "-p icmp --icmp-type any",
            )
        )
    return rng.choice(
        (
            f"-p ipv6-icmp --icmpv6-type {word}",
            f"-p ipv6-icmp --icmpv6-type {number}/0",
            "-p icmpv6 ! --icmpv6-type 1",
        )
    )


def _state(aim: Aim, rng: random.Random) -> Words:
    state = "ESTABLISHED" if aim.spot.back else "NEW"
    other = "NEW" if aim.spot.back else "ESTABLISHED"
    return rng.choice(
        (
            f"--ctstate {state}",
            f"--ctstate {state},RELATED",
            f"! --ctstate {other},INVALID",
            "! --ctstate INVALID",
            "! --ctstate UNTRACKED",
        )
    )


def _conntrack(aim: Aim, rng: random.Random) -> Words:
    proto = PROTO[aim.proto]
    probe = aim.probe
    words = [f"--ctproto {proto}", f"--ctorigsrc {probe.src}", f"--ctorigdst {probe.dst}", f"--ctreplsrc {probe.dst}", f"--ctrepldst {probe.src}",
             f"! --ctorigdst {other(aim, rng)}", f"--ctdir {'REPLY' if aim.spot.back else 'ORIGINAL'}", "--ctstatus NONE" if not aim.spot.back else "--ctstatus SEEN_REPLY", "! --ctstatus EXPECTED",
             "--ctexpire 0:100000", f"--ctorigsrc {_net(probe.src, rng)}"]  # fmt: skip
    if aim.ported:
        words += [
            f"-p {proto} --ctorigsrcport {probe.sport}",
            f"-p {proto} --ctorigdstport {probe.dport}",
            f"-p {proto} --ctreplsrcport {probe.dport}",
            f"--ctproto {proto} --ctrepldstport 1:65535",
        ]
    word = rng.choice(words)
    return f"{word[: word.index('--ct')] if word.startswith('-p') else ''}-m conntrack {word[word.index('--ct') :] if word.startswith('-p') else word}"


def _in(aim: Aim) -> bool:
    return bool(aim.spot.iif) and aim.spot.hook != "postrouting"


def _physdev(aim: Aim, rng: random.Random) -> Words:
    spot = aim.spot
    words = []
    if spot.physin and spot.hook in ("prerouting", "forward", "input"):
        words += [f"--physdev-in {spot.physin}", "--physdev-in p+", "! --physdev-in eth7", "--physdev-is-in"]
    if spot.physout and spot.physin and spot.hook in ("forward", "postrouting"):
        words += [f"--physdev-out {spot.physout}", "--physdev-is-out", "--physdev-is-bridged"]
    if not spot.physin:
        words += ["! --physdev-is-in", "! --physdev-is-bridged"]
    return f"-m physdev {rng.choice(words)}" if words else None


def _addrtype(aim: Aim, rng: random.Random) -> Words:
    words = [
        "! --src-type BROADCAST",
        "! --dst-type MULTICAST",
        "! --dst-type BLACKHOLE",
        "! --src-type UNREACHABLE,PROHIBIT",
    ]
    if aim.spot.hook == "input":
        words += ["--dst-type LOCAL", "--dst-type LOCAL --limit-iface-in"]
    if aim.spot.hook == "output" and aim.dst not in NOWHERE:
        words += ["--src-type LOCAL"]
    if aim.spot.hook == "forward":
        words += [
            "! --dst-type LOCAL",
            "--dst-type UNICAST",
            "! --dst-type LOCAL --limit-iface-in",
            "! --src-type LOCAL --limit-iface-out",
        ]
    if aim.spot.hook == "prerouting":
        words += ["--src-type UNICAST", "! --dst-type LOCAL --limit-iface-in"]
    return f"-m addrtype {rng.choice(words)}"


def _owner(aim: Aim, rng: random.Random) -> Words:
    if aim.spot.iif or aim.spot.hook not in ("output", "postrouting"):
        return None
    return rng.choice(
        (
            "-m owner --uid-owner 0",
            "-m owner --gid-owner 0",
            "-m owner --socket-exists",
            "-m owner ! --uid-owner 1000",
            "-m owner --uid-owner 0-10",
            "-m owner ! --gid-owner 33",
        )
    )


def _hops(aim: Aim) -> int | None:
    return 64 if aim.spot.node in "acde" or aim.spot.hook == "output" else None


def _time_to_live(aim: Aim, rng: random.Random) -> Words:
    word = ("hl", "--hl") if aim.six else ("ttl", "--ttl")
    hops = _hops(aim)
    exact = f"{word[1]}-eq {hops}" if hops is not None else f"{word[1]}-lt 65"
    return f"-m {word[0]} {rng.choice((exact, f'{word[1]}-lt 65', f'{word[1]}-gt 10', f'! {word[1]}-eq 17'))}"


def _only_if(test: Callable[[Aim], bool], *words: str) -> Callable[[Aim, random.Random], Words]:
    return lambda aim, rng: rng.choice(words) if test(aim) else None


def _always(*words: str) -> Callable[[Aim, random.Random], Words]:
    return lambda _, rng: rng.choice(words)


def _v4(aim: Aim) -> bool:
    return not aim.six


def _v6(aim: Aim) -> bool:
    return aim.six


def _tcp(aim: Aim) -> bool:
    return aim.proto == TCP


MATCHES = (
    Match("-s", _addressed("-s")),
    Match("-d", _addressed("-d")),
    Match("-p", lambda aim, rng: rng.choice((f"-p {PROTO[aim.proto]}", f"-p {aim.proto}", "! -p sctp", "-p all"))),
    Match("-i", _link("-i")),
    Match("-o", _link("-o")),
    Match("! -f", _only_if(_v4, "! -f")),
    Match("tcp/udp --sport", _port("", "sport", "s")),
    Match("tcp/udp --dport", _port("", "dport", "d")),
    Match("multiport --sports", _port("multiport", "sports", "s")),
    Match("multiport --dports", _port("multiport", "dports", "d")),
    Match("multiport --ports", _port("multiport", "ports", "d")),
    Match("tcp --tcp-flags", _tcp_flags),
    Match("tcp --tcp-option", _only_if(_tcp, "-p tcp --tcp-option 2", "-p tcp ! --tcp-option 34")),
    Match("tcpmss", _only_if(_tcp, "-p tcp -m tcpmss --mss 1000:1500", "-p tcp -m tcpmss ! --mss 1:500")),
    Match("icmp", _icmp),
    Match("addrtype", _addrtype),
    Match("bpf", _only_if(_v4, '-m bpf --bytecode "4,48 0 0 9,21 0 1 255,6 0 0 0,6 0 0 1"')),
    Match("cgroup", _only_if(lambda aim: aim.spot.hook in ("output", "input", "postrouting"), "-m cgroup --cgroup 0", "-m cgroup ! --cgroup 7")),
    Match("comment", _always('-m comment --comment "a b; c -j DROP"')),
    Match("connbytes", _always("-m connbytes --connbytes 0:100000 --connbytes-dir both --connbytes-mode bytes", "-m connbytes ! --connbytes 1000:2000 --connbytes-dir original --connbytes-mode packets")),
    Match("connlabel", _always("-m connlabel ! --label 5")),
    Match("connlimit", _always("-m connlimit --connlimit-upto 20 --connlimit-mask 24", "-m connlimit --connlimit-above 0", "-m connlimit --connlimit-upto 20 --connlimit-daddr")),
    Match("connmark", _always("-m connmark --mark 0x0", "-m connmark --mark 0x0/0xff", "-m connmark ! --mark 0x5")),
    Match("conntrack --ctstate", lambda aim, rng: f"-m conntrack {_state(aim, rng)}"),
    Match("conntrack", _conntrack),
    Match("state", lambda aim, _: f"-m state --state {'ESTABLISHED' if aim.spot.back else 'NEW'}"),
    Match("cpu", _always("-m cpu ! --cpu 77")),
    Match("cluster", _always("-m cluster --cluster-total-nodes 2 --cluster-local-nodemask 0x3 --cluster-hash-seed 0xdeadbeef")),
    Match("devgroup", _only_if(_in, "-m devgroup --src-group 0", "-m devgroup ! --src-group 7")),
    Match("dscp", _always("-m dscp --dscp 0", "-m dscp --dscp-class CS0", "-m dscp ! --dscp 0x0a")),
    Match("tos", _always("-m tos --tos 0/0xff", "-m tos ! --tos 0x10/0x3f", "-m tos --tos Normal-Service")),
    Match("ecn", _always("-m ecn --ecn-ip-ect 0", "-m ecn ! --ecn-ip-ect 2")),
    Match("ecn tcp", _only_if(_tcp, "-p tcp -m ecn ! --ecn-tcp-cwr", "-p tcp -m ecn ! --ecn-tcp-ece")),
    Match("hashlimit", _always("-m hashlimit --hashlimit-upto 10/sec --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name h1", "-m hashlimit --hashlimit-above 1kb/s --hashlimit-mode dstip,dstport --hashlimit-name h2")),
    Match("helper", _always('-m helper ! --helper "ftp"')),
    Match("ttl/hl", _time_to_live),
    Match("iprange", lambda aim, _: f"-m iprange --src-range {aim.src}-{ipaddress.ip_address(aim.src) + 2}"),
    Match("iprange --dst-range", lambda aim, _: f"-m iprange --dst-range {aim.dst}-{ipaddress.ip_address(aim.dst) + 2}"),
    Match("length", _always("-m length --length 20:1500", "-m length ! --length 1:10", "-m length --length 28:")),
    Match("limit", _always("-m limit --limit 10/sec", "-m limit --limit 1/hour --limit-burst 3")),
    Match("mac", lambda aim, rng: rng.choice((f"-m mac --mac-source {aim.spot.smac}", "-m mac ! --mac-source aa:bb:cc:dd:ee:ff")) if aim.spot.smac and _in(aim) else None),
    Match("mark", lambda aim, rng: rng.choice((f"-m mark --mark {hex(0 if aim.spot.back or aim.spot.iif else aim.probe.mark)}", "-m mark ! --mark 0x99", "-m mark --mark 0x0/0xf000"))),
    Match("osf", _only_if(_tcp, "-p tcp -m osf --genre Linux --ttl 0")),
    Match("owner", _owner),
    Match("physdev", _physdev),
    Match("pkttype", _only_if(_in, "-m pkttype --pkt-type unicast", "-m pkttype ! --pkt-type broadcast")),
    Match("policy", _only_if(lambda aim: aim.spot.hook in ("input", "forward", "prerouting"), "-m policy --dir in --pol none")),
    Match("policy out", _only_if(lambda aim: aim.spot.hook in ("forward", "output", "postrouting"), "-m policy --dir out --pol none")),
    Match("quota", _always("-m quota --quota 1000000")),
    Match("realm", _only_if(_v4, "-m realm --realm 0")),
    Match("recent", _always("-m recent --set --name r1 --rsource", "-m recent ! --rcheck --name r2 --rsource", "-m recent ! --update --seconds 60 --name r3 --rdest")),
    Match("rpfilter", _always("-m rpfilter", "-m rpfilter --loose", "-m rpfilter --validmark", "-m rpfilter --accept-local"), "raw mangle PREROUTING"),
    Match("rpfilter --invert", _always("-m rpfilter --invert"), "raw mangle PREROUTING"),
    Match("socket", _always("-m socket", "-m socket --nowildcard", "-m socket --transparent"), "mangle raw INPUT PREROUTING"),
    Match("statistic", _always("-m statistic --mode nth --every 1 --packet 0", "-m statistic --mode random ! --probability 0", "-m statistic --mode nth --every 2 --packet 0")),
    Match("string", _only_if(lambda aim: aim.proto == UDP, "-m string --algo bm --string nswire", "-m string --algo kmp ! --string zzz")),
    Match("time", _always("-m time --datestart 2020-01-01T00:00:00", "-m time --timestart 00:00 --timestop 23:59:59")),
    Match("u32", lambda aim, _: None if aim.six else f'-m u32 --u32 "6&0xFF=0x{aim.proto:x}"'),
    Match("ipv6header", lambda aim, _: None if not aim.six else "-m ipv6header --soft --header prot"),
)  # fmt: skip
LACKING4 = (
    "-f",
    "-p sctp -m sctp --dport 53",
    "-p esp -m esp --espspi 1",
    "-p ah -m ah --ahspi 1",
    "-p dccp -m dccp --dport 53",
    "-p icmp --icmp-type 3/1",
    "-m ttl --ttl-eq 200",
    "-m addrtype --dst-type BROADCAST",
)
LACKING6 = (
    "-m frag --fragmore",
    "-m frag",
    "-m hbh --hbh-len 8",
    "-m hbh",
    "-m dst",
    "-m rt",
    "-m rt --rt-type 0",
    "-m ah",
    "-m eui64",
    "-m ipv6header --header frag",
    "-m ipv6header --header hop,dst",
    "-p mh -m mh",
    "-m hl --hl-eq 200",
    "-m srh",
    "-p sctp -m sctp --dport 53",
    "-p esp -m esp --espspi 1",
)
LACKING = ("-m helper --helper ftp", "-m connlabel --label 5", "-m policy --dir in --pol ipsec", "-m conntrack --ctstatus EXPECTED", "-m recent --rcheck --name z1", "-m string --algo bm --string zzzz", "-m dscp --dscp 0x2e", '-m u32 --u32 "0&0xFF=0x55"', "-m tos --tos 0x10", "-m devgroup --src-group 9", "-m length --length 9000:", "-m conntrack --ctstate RELATED", "-m conntrack --ctstate UNTRACKED", "-m ecn --ecn-ip-ect 1", "-m pkttype --pkt-type multicast", "-m connmark --mark 0x77", "-m cgroup --cgroup 9", "-m realm --realm 7", "-m time --datestop 2021-01-01T00:00:00", "-m statistic --mode random --probability 0", "-m limit --limit 1/hour --limit-burst 1 -m string --algo bm --string zzz")  # fmt: skip
