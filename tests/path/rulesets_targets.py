"""The grammar of iptables-extensions(8) and ipset(8): sets, targets and translations."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from rulesets_lab import LISTENED
from rulesets_nat import ALIVE, MINE, bracketed, own_address
from rulesets_packets import TCP
from rulesets_xtables import CHAINS, PROTO, other

if TYPE_CHECKING:
    from collections.abc import Callable

    from rulesets_courses import Aim
    from rulesets_script import Script

Made = tuple[str, str, list[tuple[str, ...]]]
"""A target in words, its form, and the rules that come behind it."""

SETS4 = ("bitmap:ip", "bitmap:ip,mac", "bitmap:port", "hash:ip", "hash:ip,port", "hash:ip,port,ip", "hash:ip,port,net", "hash:net", "hash:net,port", "hash:net,iface", "list:set", "hash:ip,mark", "hash:mac", "hash:net,net", "hash:ip,mac", "hash:net,port,net")  # fmt: skip


def ipset(script: Script, aim: Aim) -> tuple[str, str]:
    """A set of ipset that has the packet, and the match that looks there."""
    rng, node = script.rng, aim.spot.node
    kind = rng.choice(
        [
            one
            for one in SETS4
            if not (aim.six and one.startswith("bitmap")) and (aim.ported or "port" not in one)
        ]
    )
    name = script.name(f"s{script.number}_")
    family = " family inet6" if aim.six and kind.startswith("hash") and kind != "hash:mac" else ""
    more = (
        rng.choice(("", "", " timeout 600", " counters", " comment", " maxelem 20000"))
        if kind != "list:set"
        else ""
    )
    if kind == "bitmap:port":
        more = " range 0-65535"
    elif kind.startswith("bitmap"):
        more = (
            " range 10.0.0.0/16"
            if not aim.src.startswith("10.")
            else f" range {aim.src.rsplit('.', 2)[0]}.0.0/16"
        )
    proto = PROTO[aim.proto].replace("ipv6-icmp", "icmpv6")
    stranger = other(aim, rng)
    net = str(
        ipaddress.ip_network(f"{aim.src}/{rng.choice((48, 64) if aim.six else (16, 24, 30))}", strict=False)
    )
    port = f"{proto}:{aim.dport}"
    rows = {
        "bitmap:ip": (aim.src, "src"),
        "bitmap:ip,mac": (f"{aim.src},{aim.spot.smac or '02:00:00:00:01:02'}", "src,src"),
        "bitmap:port": (str(aim.dport), "dst"),
        "hash:ip": (rng.choice((aim.src, f"{aim.src}/{128 if aim.six else 32}")), "src"),
        "hash:ip,port": (f"{aim.src},{port}", "src,dst"),
        "hash:ip,port,ip": (f"{aim.src},{port},{aim.dst}", "src,dst,dst"),
        "hash:ip,port,net": (f"{aim.dst},{port},{net}", "dst,dst,src"),
        "hash:net": (net, "src"),
        "hash:net,port": (f"{net},{proto}:{max(1, aim.dport - 2)}-{aim.dport + 2}", "src,dst"),
        "hash:net,iface": (
            f"{net},{aim.spot.iif or aim.spot.oif}",
            "src,src" if aim.spot.iif and aim.spot.hook != "postrouting" else "src,dst",
        ),
        "hash:ip,mark": (f"{aim.src},{hex(aim.probe.mark or 1)}", "src,src"),
        "hash:mac": (aim.spot.smac or "02:00:00:00:01:02", "src"),
        "hash:net,net": (f"{net},{aim.dst}/{128 if aim.six else 32}", "src,dst"),
        "hash:ip,mac": (f"{aim.src},{aim.spot.smac or '02:00:00:00:01:02'}", "src,src"),
        "hash:net,port,net": (f"{net},{port},{aim.dst}/{128 if aim.six else 32}", "src,dst,dst"),
    }
    if kind == "list:set":
        script.add(node, "ipset", f"create {name}h hash:ip{' family inet6' if aim.six else ''}")
        script.add(node, "ipset", f"add {name}h {aim.src}")
        rows[kind] = (f"{name}h", "src")
    element, flags = rows[kind]
    script.add(node, "ipset", f"create {name} {kind}{family}{more}", forms=(f"ipset {kind}",))
    present = rng.random() < 0.8
    if present:
        script.add(node, "ipset", f"add {name} {element}{' timeout 300' if 'timeout' in more else ''}")
        if kind == "hash:net" and rng.random() < 0.4:
            present = False
            script.add(node, "ipset", f"add {name} {aim.src}/{128 if aim.six else 32} nomatch")
    elif kind == "hash:ip":
        script.add(node, "ipset", f"add {name} {stranger}")
    return f"-m set {'' if present else '! '}--match-set {name} {flags}", f"ipset {kind}"


def target(script: Script, aim: Aim, tool: str, table: str, name: str) -> Made | None:
    """A target for a table; None: it cannot stand there."""
    rng = script.rng
    node = aim.spot.node
    chain = CHAINS[aim.spot.hook]
    drop: list[tuple[str, ...]] = [(f"-A {chain}", "-j DROP")]
    if name == "DROP":
        return "-j DROP", "target DROP", []
    if name == "REJECT":
        if table != "filter":
            return None
        words = (
            ["", " --reject-with icmp6-adm-prohibited", " --reject-with icmp6-no-route"]
            if aim.six
            else [
                "",
                " --reject-with icmp-host-unreachable",
                " --reject-with icmp-admin-prohibited",
                " --reject-with icmp-net-prohibited",
            ]
        )
        if aim.proto == TCP:
            return "-p tcp -j REJECT --reject-with tcp-reset", "target REJECT", []
        return f"-j REJECT{rng.choice(words)}", "target REJECT", []
    if name in ("ACCEPT", "RETURN"):
        return f"-j {name}", f"target {name}", drop
    if name in ("jump", "goto"):
        mine = script.name("u")
        script.add(node, tool, f":{mine} - [0:0]", table=table)
        script.add(
            node,
            tool,
            f"-A {mine}",
            rng.choice(("-j DROP", f"-p {PROTO[aim.proto]} -j DROP", "-j RETURN")),
            table=table,
        )
        script.add(node, tool, f"-A {mine}", "-j DROP", table=table)
        return f"{'-g' if name == 'goto' else '-j'} {mine}", f"target {name}", []
    return _altering(script, aim, tool, table, name)


class Place:
    """Where a target is to stand."""

    def __init__(self, script: Script, aim: Aim, tool: str, table: str) -> None:
        self.script = script
        self.rng = script.rng
        self.aim = aim
        self.tool = tool
        self.table = table
        self.chain = CHAINS[aim.spot.hook]

    def then(self, test: str) -> list[tuple[str, ...]]:
        """A rule behind it that drops what the target has changed."""
        return [(f"-A {self.chain}", test, "-j DROP")]


def _mark(at: Place) -> Made:
    number = at.rng.choice(("0x7", "0x1f0", "0x5"))
    word = at.rng.choice(
        (f"--set-mark {number}", f"--set-xmark {number}/0xffffffff", f"--or-mark {number}", f"--set-mark {number}/0xfff", f"--xor-mark {number}")
    )  # fmt: skip
    routed = number == "0x7" and at.aim.spot.hook in ("prerouting", "output") and at.rng.random() < 0.6
    return f"-j MARK {word}", "target MARK", [] if routed else at.then(f"-m mark --mark {number}/0x1ff")


def _connmark(at: Place) -> Made:
    if at.rng.random() < 0.4:
        restored = [(f"-A {at.chain}", "-j CONNMARK --restore-mark"), *at.then("-m mark --mark 0x5")]
        return "-j CONNMARK --set-mark 0x5", "target CONNMARK", restored
    word = at.rng.choice(("--set-xmark 0x5", "--or-mark 0x5", "--set-mark 0x5/0xff"))
    return f"-j CONNMARK {word}", "target CONNMARK", at.then("-m connmark --mark 0x5")


def _notrack(at: Place) -> Made:
    later = "INPUT" if at.aim.spot.hook == "prerouting" else "POSTROUTING"
    at.script.add(
        at.aim.spot.node,
        at.tool,
        f"-A {later}",
        "-m conntrack --ctstate UNTRACKED",
        "-j DROP",
        table="mangle",
    )
    return at.rng.choice(("-j CT --notrack", "-j NOTRACK")), "target CT --notrack", []


def _hops(at: Place) -> Made:
    word = ("HL", "--hl") if at.aim.six else ("TTL", "--ttl")
    change = at.rng.choice(("set 1", "set 7", "dec 5", "dec 63", "inc 3"))
    test = f"-m {word[0].lower()} {word[1]}-lt 60"
    return f"-j {word[0]} {word[1]}-{change}", "target TTL/HL", at.then(test) if at.rng.random() < 0.5 else []


def _set(at: Place) -> Made:
    mine = at.script.name(f"f{at.script.number}_")
    at.script.add(at.aim.spot.node, "ipset", f"create {mine} hash:ip{' family inet6' if at.aim.six else ''}")
    return f"-j SET --add-set {mine} src", "target SET", at.then(f"-m set --match-set {mine} src")


def _tee(at: Place) -> Made:
    dropped: list[tuple[str, ...]] = [(f"-A {at.chain}", "-j DROP")] if at.rng.random() < 0.5 else []
    return f"-j TEE --gateway {'fd00:7::9' if at.aim.six else '10.7.0.9'}", "target TEE", dropped


def _fixed(words: tuple[str, ...], form: str, test: str = "") -> Callable[[Place], Made]:
    return lambda at: (at.rng.choice(words), f"target {form}", at.then(test) if test else [])


def _tcp(at: Place) -> bool:
    return at.aim.proto == TCP


def _any(_: Place) -> bool:
    return True


CLAMPED = "-p tcp --tcp-flags SYN,RST SYN -j TCPMSS "
ALTERING: dict[str, tuple[str, Callable[[Place], bool], Callable[[Place], Made]]] = {  # name -> tables, whether it can stand there
    "MARK": ("mangle", _any, _mark),
    "CONNMARK": ("mangle filter", _any, _connmark),
    "CT --notrack": ("raw", _any, _notrack),
    "CT --zone": ("raw", _any, _fixed(("-j CT --zone 5", "-j CT --zone-orig 5"), "CT --zone")),
    "CT more": ("raw", _any, _fixed(("-j CT --ctevents new",), "CT")),
    "DSCP": ("mangle", _any, _fixed(("-j DSCP --set-dscp 0x0a", "-j DSCP --set-dscp-class AF11"), "DSCP", "-m dscp --dscp 0x0a")),
    "TOS": ("mangle", _any, _fixed(("-j TOS --set-tos 0x10",), "TOS", "-m tos --tos 0x10")),
    "TOS routed": ("mangle", _any, _fixed(("-j TOS --set-tos 0x10",), "TOS")),
    "TTL/HL": ("mangle", _any, _hops),
    "HMARK": ("mangle", _any, _fixed(("-j HMARK --hmark-tuple src,dst --hmark-mod 1 --hmark-offset 7 --hmark-rnd 0xcafe",), "HMARK", "-m mark --mark 0x7")),
    "TEE": ("mangle", _any, _tee),
    "TPROXY": ("mangle", lambda at: at.chain == "PREROUTING" and at.aim.ported, lambda at: (f"-p {PROTO[at.aim.proto]} -j TPROXY --on-port {at.rng.choice((9999, 80))} --tproxy-mark 0x5/0x5", "target TPROXY", [])),
    "SYNPROXY": ("filter", lambda at: _tcp(at) and at.chain in ("INPUT", "FORWARD"), _fixed(("-p tcp -j SYNPROXY --sack-perm --timestamp --mss 1460 --wscale 9",), "SYNPROXY")),
    "SET": ("filter mangle raw security", _any, _set),
    "TCPMSS": ("mangle", lambda at: _tcp(at) and at.chain in ("FORWARD", "OUTPUT", "POSTROUTING"), _fixed((f"{CLAMPED}--set-mss 1200", f"{CLAMPED}--clamp-mss-to-pmtu"), "TCPMSS", "-p tcp -m tcpmss --mss 1:1200")),
    "ECN": ("mangle", lambda at: _tcp(at) and not at.aim.six, _fixed(("-p tcp -j ECN --ecn-tcp-remove",), "ECN", "-p tcp")),
    "TCPOPTSTRIP": ("mangle", _tcp, _fixed(("-p tcp -j TCPOPTSTRIP --strip-options timestamp,sack-permitted",), "TCPOPTSTRIP", "-p tcp ! --tcp-option 8")),
    "CHECKSUM": ("mangle", _any, _fixed(("-j CHECKSUM --checksum-fill",), "CHECKSUM", "-m length --length 20:")),
}  # fmt: skip
TARGETS = ("DROP", "DROP", "REJECT", "ACCEPT", "RETURN", "jump", "goto", *ALTERING)


def _altering(script: Script, aim: Aim, tool: str, table: str, name: str) -> Made | None:
    tables, fits, make = ALTERING[name]
    at = Place(script, aim, tool, table)
    return make(at) if table in tables.split() and fits(at) else None


HARMLESS = (
    "-j LOG --log-prefix x",
    "-j NFLOG --nflog-group 5",
    "-j AUDIT --type drop",
    "-j IDLETIMER --timeout 600 --label i1",
    "-j CLASSIFY --set-class 1:1",
    "-j TRACE",
    "-m comment --comment only",
    "-j CONNSECMARK --save",
    "-j RATEEST --rateest-name e1 --rateest-interval 250ms --rateest-ewmalog 500ms",
)


def _net(address: str) -> str:
    return str(ipaddress.ip_network(f"{address}/{112 if ':' in address else 24}", strict=False))


def translation(script: Script, aim: Aim) -> tuple[str, str]:
    """A target of table nat."""
    rng, six = script.rng, aim.six
    alive = ALIVE[six] if aim.spot.node in "arb" else {False: "10.6.0.2", True: "fd00:6::2"}[six]
    proto = f"-p {PROTO[aim.proto]} " if aim.ported else ""
    host = bracketed(alive, six=six)
    flag = rng.choice(("", "", "", " --random", " --persistent"))
    if aim.spot.hook in ("prerouting", "output"):
        words = [(f"-j DNAT --to-destination {alive}{flag}", "DNAT"), (f"-j DNAT --to-destination {alive}-{alive}", "DNAT range"), ("-j REDIRECT", "REDIRECT"),
                 (f"-j NETMAP --to {_net(alive)}", "NETMAP")]  # fmt: skip
        if aim.ported:
            words += [(f"{proto}-j DNAT --to-destination {host}:{rng.choice(LISTENED)}{flag}", "DNAT port"), (f"{proto}-j DNAT --to-destination {host}:{rng.choice(('53-54', '79-80'))}", "DNAT range of ports"),
                      (f"{proto}-j DNAT --to-destination {host}:{aim.dport}-{aim.dport + 10}/{aim.dport - 1}", "DNAT shifted"),
                      (f"{proto}-j REDIRECT --to-ports {rng.choice(LISTENED)}", "REDIRECT port"), (f"{proto}-j REDIRECT --to-ports 80-82", "REDIRECT range"), (f"{proto}-j DNAT --to-destination :{rng.choice(LISTENED)}", "DNAT port alone")]  # fmt: skip
        return rng.choice(words)
    mine = own_address(aim.spot, six=six) or MINE[six]
    words = [
        (f"-j SNAT --to-source {mine}{flag}", "SNAT"),
        (f"-j MASQUERADE{rng.choice(('', ' --random', ' --random-fully'))}", "MASQUERADE"),
        (f"-j SNAT --to-source {mine}-{mine}", "SNAT range"),
    ]
    if aim.spot.hook == "input":
        words = words[:1]
    else:
        words.append(
            (
                f"-j NETMAP --to {_net(mine)}",
                "NETMAP",
            )
        )
    if aim.ported:
        words.append(
            (
                f"{proto}-j SNAT --to-source {bracketed(mine, six=six)}:{rng.choice(('500-600', '2000', '40000-40001'))}",
                "SNAT ports",
            )
        )
        if aim.spot.hook != "input":
            words.append(
                (f"{proto}-j MASQUERADE --to-ports {rng.choice(('500-600', '2000'))}", "MASQUERADE ports")
            )
    return rng.choice(words)
