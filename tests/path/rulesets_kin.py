"""Random rulesets of iptables, ip6tables (nft and legacy), ebtables, arptables, and of nft's family arp."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import rulesets_targets as targets
import rulesets_xtables as xt
from rulesets_courses import Aim
from rulesets_lab import NOWHERE, UNROUTED
from rulesets_packets import TCP, UDP

if TYPE_CHECKING:
    from rulesets_courses import Course, Spot
    from rulesets_packets import Probe
    from rulesets_script import Script


def tool_of(script: Script, *, six: bool) -> str:
    """Which iptables."""
    return f"{'ip6tables' if six else 'iptables'}-{script.rng.choice(('nft', 'legacy'))}"


def xtables(script: Script, aim: Aim, wish: xt.Match) -> None:
    """A rule of iptables that most probably takes the packet, and decides."""
    rng, spot = script.rng, aim.spot
    tool = tool_of(script, six=aim.six)
    fits = [one for one in xt.TABLES[spot.hook].split() if wish.stands(spot.hook, one)]
    table = rng.choice(fits or xt.TABLES[spot.hook].split())
    chain = xt.CHAINS[spot.hook]
    proto, clauses, forms = matched(script, aim, table, rng.choice((1, 1, 1, 2, 3)), wish)
    if rng.random() < 0.2:
        text, form = targets.ipset(script, aim)
        clauses.append(text)
        forms += (form,)
    _lacking(script, aim, tool, table)
    if rng.random() < 0.25 and table == "filter":
        script.add(spot.node, tool, f":{chain} DROP [0:0]", table=table)
        if rng.random() < 0.5:
            script.add(
                spot.node,
                tool,
                f"-A {chain}",
                "-m conntrack --ctstate ESTABLISHED,RELATED",
                "-j ACCEPT",
                table=table,
            )
        made: tuple[str, str, list[tuple[str, ...]]] = ("-j ACCEPT", "policy DROP", [])
    else:
        for _ in range(8):
            name = rng.choice(targets.TARGETS)
            found = targets.target(script, aim, tool, table, name)
            if found is not None:
                made = found
                break
        else:
            made = ("-j DROP", "target DROP", [])
    if rng.random() < 0.25:
        word = rng.choice(targets.HARMLESS)
        script.add(
            spot.node,
            tool,
            f"-A {chain}",
            word,
            forms=(f"{_short(tool)} target {word.split()[1]}",),
            table=table,
        )
    words, of = _merged(made[0], proto)
    forms = tuple(f"{_short(tool)} {one}" for one in (*forms, made[1]))
    script.add(
        spot.node,
        tool,
        f"-A {chain}",
        of or proto,
        *clauses,
        words,
        forms=(*forms, f"{tool} {table} {chain}"),
        subject=True,
        table=table,
    )
    for rest in made[2]:
        script.add(spot.node, tool, *rest, table=table)


def _short(tool: str) -> str:
    return tool.split("-", maxsplit=1)[0]


def matched(
    script: Script, aim: Aim, table: str, wanted: int, wish: xt.Match
) -> tuple[str, list[str], tuple[str, ...]]:
    """The protocol, matches that take the packet, and what is in them; the wish among them."""
    proto = ""
    clauses: list[str] = []
    forms: tuple[str, ...] = ()
    for one in (wish, *script.rng.sample(xt.MATCHES, len(xt.MATCHES))):
        if len(forms) >= wanted:
            break
        if not one.stands(aim.spot.hook, table) or f"match {one.name}" in forms:
            continue
        words = one.make(aim, script.rng)
        if words is None:
            continue
        words, merged = _merged(words, proto)
        if merged is None:
            continue
        proto = merged
        if words:
            clauses.append(words)
        forms += (f"match {one.name}",)
    return proto, clauses, forms


def _merged(words: str, proto: str) -> tuple[str, str | None]:
    """Without its protocol, and what the rule's is then; None if there would be two."""
    found = re.match(r"((?:! )?-p \S+) ?", words)
    if found is None:
        return words, proto
    if proto and proto != found[1]:
        return words, None if "-p" in words else proto
    return words[found.end() :], found[1]


def _lacking(script: Script, aim: Aim, tool: str, table: str) -> None:
    rng = script.rng
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        word = rng.choice((*xt.LACKING, *(xt.LACKING6 if aim.six else xt.LACKING4)))
        script.add(
            aim.spot.node,
            tool,
            f"-A {xt.CHAINS[aim.spot.hook]}",
            word,
            rng.choice(("-j DROP", "-j ACCEPT", "-j DROP")),
            forms=(f"{_short(tool)} lacking {word.split('-m ')[-1].split()[0] if '-m' in word else word}",),
            table=table,
        )


def translated(script: Script, probe: Probe, there: list[Spot], wish: xt.Match) -> bool:
    """A rule of table nat; False, if there is none for that packet."""
    rng = script.rng
    tool = tool_of(script, six=probe.six)
    places = [one for one in there if one.layer == "ip" and one.hook != "forward"]
    course = script.course
    if course.dst == NOWHERE:
        places = [one for one in places if one.hook in ("output", "prerouting")]
    elif course.src in UNROUTED.values():
        places = [one for one in places if one.hook == "postrouting" and one.node != "a"] or places
    spot = rng.choice(places)
    aim = Aim(spot, probe)
    proto, clauses, forms = matched(script, aim, "nat", rng.choice((0, 1, 1, 2)), wish)
    words, form = targets.translation(script, aim)
    words, merged = _merged(words, proto)
    if merged is None:
        return False
    chain = xt.CHAINS[spot.hook]
    last = words.split()[-1]
    flags = (f"nat flag {last}",) if last.startswith("--") else ()
    script.add(
        spot.node,
        tool,
        f"-A {chain}",
        merged,
        *clauses,
        words,
        forms=(
            *(f"{_short(tool)} {one}" for one in (*forms, f"target {form}", *flags)),
            f"{tool} nat {chain}",
        ),
        subject=True,
        table="nat",
    )
    if rng.random() < 0.4:
        onward = [
            one
            for one in there
            if there.index(one) > there.index(spot) and one.layer == "ip" and one.hook in ("forward", "input")
        ]
        if onward:
            later = rng.choice(onward)
            test = rng.choice(
                (
                    "-m conntrack --ctstatus DNAT",
                    "-m conntrack --ctstate DNAT",
                    "-m conntrack --ctstate SNAT",
                    f"-d {aim.dst}",
                    f"-s {aim.src}",
                    f"-m conntrack --ctorigdst {aim.dst}",
                )
            )
            script.add(later.node, tool, f"-A {xt.CHAINS[later.hook]}", test, "-j DROP", table="filter")
    return True


# -- ebtables ----------------------------------------------------------------------------------------------------


def _bridge_matches(aim: Aim) -> list[tuple[str, str]]:
    spot = aim.spot
    found = [
        (f"-p {'IPv6' if aim.six else 'IPv4'}", "-p"),
        (f"-p 0x{'86dd' if aim.six else '0800'}", "-p"),
        ("-p ! ARP", "-p !"),
        (f"-s {spot.smac}", "-s"),
        (f"-s {spot.smac[:8]}:00:00:00/ff:ff:ff:00:00:00" if spot.smac else "", "-s mask"),
        ("-s ! aa:bb:cc:dd:ee:ff", "-s !"),
        (f"-d {spot.dmac}", "-d"),
        ("-d Unicast", "-d type"),
        (f"-i {spot.physin}" if spot.hook in ("prerouting", "input", "forward") and spot.physin else "", "-i"),
        ("-i p+" if spot.hook in ("prerouting", "input", "forward") and spot.physin else "", "-i wildcard"),
        (f"-o {spot.physout}" if spot.hook in ("output", "postrouting", "forward") and spot.physout else "", "-o"),
        ("--logical-in br0" if spot.hook in ("prerouting", "input", "forward") else "", "--logical-in"),
        ("--logical-out br0" if spot.hook in ("output", "postrouting", "forward") else "", "--logical-out"),
        ("--mark 0", "mark"),
        ("--mark ! 5", "mark !"),
        ("--pkttype-type otherhost" if spot.hook in ("prerouting", "forward") and spot.physout else "", "pkttype"),
        ("--pkttype-type ! broadcast", "pkttype !"),
        (f"--among-src {spot.smac}" if spot.smac else "", "among"),
        ("--among-dst ! aa:bb:cc:dd:ee:ff", "among !"),
        ("--limit 10/sec", "limit"),
        (f"-p {'IPv6' if aim.six else 'IPv4'} {'--ip6-src' if aim.six else '--ip-src'} {aim.src}", "ip --ip-src"),
        (f"-p {'IPv6' if aim.six else 'IPv4'} {'--ip6-dst' if aim.six else '--ip-dst'} {aim.dst}", "ip --ip-dst"),
        (f"-p {'IPv6' if aim.six else 'IPv4'} {'--ip6-proto' if aim.six else '--ip-proto'} {xt.PROTO[aim.proto]}", "ip --ip-proto"),
        ("-p IPv4 --ip-tos 0" if not aim.six else "-p IPv6 --ip6-tclass 0", "ip --ip-tos"),
    ]  # fmt: skip
    if aim.proto in (TCP, UDP):
        word, six = xt.PROTO[aim.proto], aim.six
        found += [
            (f"-p {'IPv6' if six else 'IPv4'} --ip{'6' if six else ''}-proto {word} --ip{'6' if six else ''}-dport {aim.dport}", "ip --ip-dport"),
            (f"-p {'IPv6' if six else 'IPv4'} --ip{'6' if six else ''}-proto {word} --ip{'6' if six else ''}-sport {max(0, aim.sport - 2)}:{aim.sport + 2}", "ip --ip-sport"),
        ]  # fmt: skip
    elif not aim.six:
        found.append(
            (
                "-p IPv4 --ip-proto icmp --ip-icmp-type "
                + ("echo-reply" if aim.spot.back else "echo-request"),
                "ip --ip-icmp-type",
            )
        )
    return [one for one in found if one[0] and not one[0].endswith(" ")]


BRIDGE_LACKING = ("-p ARP --arp-op Request", "-p ARP --arp-ip-src 10.5.0.2", "-p 802_1Q --vlan-id 5", "-p LENGTH --802_3-sap 0x42", "-d BGA --stp-type config", "-p ARP --arp-mac-src 02:00:00:00:05:02", "--mark 5", "--pkttype-type broadcast", "-p IPv4 --ip-src 192.0.2.1", "-d Broadcast", "--among-src aa:bb:cc:dd:ee:ff")  # fmt: skip
NAT_CHAINS = {"prerouting": "PREROUTING", "output": "OUTPUT", "postrouting": "POSTROUTING"}


def ebtables(script: Script, aim: Aim) -> None:
    """A rule of ebtables."""
    rng, spot = script.rng, aim.spot
    table = "nat" if spot.hook in ("prerouting", "postrouting") else "filter"
    chain = xt.CHAINS[spot.hook]
    tool = "ebtables-nft"
    text, form = rng.choice(_bridge_matches(aim))
    forms: tuple[str, ...] = (f"ebtables {form}",)
    for _ in range(rng.choice((0, 1, 1, 2))):
        word = rng.choice(BRIDGE_LACKING)
        script.add(
            spot.node,
            tool,
            f"-A {chain}",
            word,
            "-j DROP",
            forms=(f"ebtables lacking {word.split()[-2]}",),
            table=table,
        )
    then: tuple[str, ...] = ()
    words = [
        *["-j DROP"] * 4,
        "-j ACCEPT",
        "-j CONTINUE",
        "jump",
        "-j mark --mark-or 0x5 --mark-target CONTINUE",
        "--log-prefix x --log -j DROP",
    ]
    if table == "nat":
        words += (
            ["-j dnat --to-destination 02:00:00:00:99:99 --dnat-target ACCEPT"]
            if spot.hook == "prerouting"
            else ["-j snat --to-source 02:00:00:00:99:98 --snat-target ACCEPT"]
        )
        if spot.hook == "prerouting":
            words.append("-j redirect --redirect-target ACCEPT")
    target = rng.choice(words)
    if target == "jump":
        mine = script.name("U")
        script.add(spot.node, tool, f":{mine} RETURN", table=table)
        script.add(spot.node, tool, f"-A {mine}", "-j DROP", table=table)
        target = f"-j {mine}"
        forms += ("ebtables jump",)
    elif target in ("-j ACCEPT", "-j CONTINUE"):
        then = ("-j DROP",) if target == "-j ACCEPT" else ()
        forms += (f"ebtables target {target[3:]}",)
    elif "--mark-or" in target:
        then = ("--mark 0x5", "-j DROP")
        forms += ("ebtables target mark",)
    else:
        forms += (f"ebtables target {target.split('-j ')[-1].split()[0]}",)
    script.add(
        spot.node,
        tool,
        f"-A {chain}",
        text,
        target,
        forms=(*forms, f"ebtables {table} {chain}"),
        subject=True,
        table=table,
    )
    if then:
        script.add(spot.node, tool, f"-A {chain}", *then, table=table)


# -- ARP ---------------------------------------------------------------------------------------------------------

ARP_PAIRS = {  # who sends: its link, whom it asks, that one's node and link; all IPv4
    "a": ("a0", "10.1.0.2", "10.1.0.1", "r", "r0"),
    "c": ("c0", "10.5.0.2", "10.5.0.1", "s", "br0"),
    "e": ("e0", "10.6.0.2", "10.6.0.1", "s", "s1"),
}


def asks(probe: Probe, course: Course) -> bool:
    """Whether that packet makes its sender ask for a neighbour."""
    pair = ARP_PAIRS.get(probe.node)
    return (
        pair is not None
        and not probe.six
        and probe.src in (pair[1], "10.9.0.1")
        and course.there[0].oif == pair[0]
    )


def arp(script: Script, probe: Probe) -> None:
    """A rule about the question who has an address: the sender does not know its neighbour any more."""
    rng = script.rng
    pair = ARP_PAIRS[probe.node]
    link, mine, asked, node, far = pair
    if script.course.name == "bridged":
        asked, node, far = "10.5.0.3", "d", "d0"
    script.add(probe.node, "ip", f"neigh del {asked} dev {link}")
    where = rng.choice(((probe.node, "output"), (node, "input"), (probe.node, "input"), (node, "output")))
    answer = where in ((probe.node, "input"), (node, "output"))
    sender, target = (asked, mine) if answer else (mine, asked)
    operation = "reply" if answer else "request"
    tool = rng.choice(("nft", "arptables-nft", "arptables-legacy"))
    if tool == "nft":
        tests = [
            f"arp operation {operation}",
            f"arp saddr ip {sender}",
            f"arp daddr ip {target}",
            "arp htype 1",
            "arp ptype ip",
            "arp hlen 6",
            "arp plen 4",
            "arp operation != rrequest",
            f"arp saddr ip {{ {sender}, 192.0.2.1 }}",
            "ether type arp",
            "meta protocol arp",
            f'{"iifname" if where[1] == "input" else "oifname"} "{(link if where[0] == probe.node else far)}"',
        ]
        table = script.table(where[0], "arp")
        chain = script.name("c")
        policy = rng.choice(("accept", "accept", "drop"))
        script.add(
            where[0],
            "nft",
            f"add chain arp {table} {chain} {{ type filter hook {where[1]} priority {rng.choice(('0', 'filter', '-5'))}; policy {policy}; }}",
        )
        test = rng.choice(tests)
        decoy = rng.choice(("arp operation nak", "arp saddr ip 192.0.2.7", "arp htype 6"))
        script.add(
            where[0],
            "nft",
            f"add rule arp {table} {chain}",
            decoy,
            "drop" if policy == "accept" else "accept",
        )
        script.add(
            where[0],
            "nft",
            f"add rule arp {table} {chain}",
            test,
            "drop" if policy == "accept" else "accept",
            forms=(f"match {' '.join(test.split()[:2])}", f"hook arp {where[1]}"),
            subject=True,
        )
        return
    tests = [
        f"--opcode {2 if answer else 1}",
        f"-s {sender}",
        f"-d {target}",
        f"-s {sender.rsplit('.', 1)[0]}.0/24",
        "--h-type 1",
        "--proto-type 0x800",
        "--h-length 6",
        "-s ! 192.0.2.1",
        f"-i {far if where[0] == node else link}"
        if where[1] == "input"
        else f"-o {link if where[0] == probe.node else far}",
    ]
    decoy = rng.choice(("--opcode 9", "-s 192.0.2.7", "-d 192.0.2.7"))
    script.add(where[0], tool, f"-A {where[1].upper()}", decoy, "-j DROP", table="filter")
    test = rng.choice(tests)
    verdict = rng.choice(("-j DROP", "-j DROP", "-j ACCEPT"))
    script.add(
        where[0],
        tool,
        f"-A {where[1].upper()}",
        test,
        verdict,
        forms=(f"arptables {test.split()[0]}", f"{tool} {where[1].upper()}"),
        subject=True,
        table="filter",
    )
    if verdict == "-j ACCEPT":
        script.add(where[0], tool, f"-A {where[1].upper()}", "-j DROP", table="filter")
    return
