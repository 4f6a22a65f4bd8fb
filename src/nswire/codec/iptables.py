"""`iptables-save` -> chains and rules (iptables-extensions(8)). What is not understood becomes an `Opaque`."""

from __future__ import annotations

import functools
import ipaddress
import shlex
from typing import TYPE_CHECKING, Protocol

from nswire.codec import packets
from nswire.model.firewall import (
    Assign,
    Cell,
    Chain,
    FirewallRule,
    Key,
    Nat,
    Opaque,
    Operation,
    Statement,
    Target,
    Test,
    Unfollowed,
    Untracked,
    Verdict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

HOOKS = {"PREROUTING": "prerouting", "INPUT": "input", "FORWARD": "forward", "OUTPUT": "output", "POSTROUTING": "postrouting"}  # fmt: skip
PRIORITIES = {
    "raw": -300,
    "mangle": -150,
    "nat": 100,
    "filter": 0,
    "security": 50,
}  # enum nf_ip_hook_priorities
DNAT_PRIORITY = -100
DECIDING = ("rpfilter", "socket", "recent", "time")  # matches that may come without an option
U32 = 0xFFFFFFFF


class _Option(Protocol):
    def __call__(self, reader: _Reader, /, *, negate: bool) -> list[Statement]: ...


def decode(answer: bytes, family: str, tool: str) -> tuple[Chain, ...]:
    """The chains of all tables in an answer; `family` is `ip` or `ip6`. ValueError if that is no such text."""
    chains: dict[tuple[str, str], tuple[str, list[FirewallRule]]] = {}
    table = ""
    for line in answer.decode("utf-8", "surrogateescape").splitlines():
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            chains[table, name] = (policy, [])
        elif line.startswith("-A "):
            words = shlex.split(line)
            key = (table, words[1])
            if key not in chains:
                raise ValueError("a rule for a chain that there is not")
            statements = tuple(_Reader(words[2:], family).read())
            chains[key][1].append(FirewallRule(line, statements, _tracks(statements)))
    return tuple(
        Chain(
            tool=tool,
            family=family,
            table=table,
            name=name,
            rules=tuple(rules),
            hook=HOOKS.get(name, "") if policy != "-" else "",
            type="nat" if table == "nat" else "route" if (table, name) == ("mangle", "OUTPUT") else "filter",
            priority=_priority(table, name),
            policy="drop" if policy == "DROP" else "accept",
            tracks=any(rule.tracks for rule in rules),
        )
        for (table, name), (policy, rules) in chains.items()
    )


def _tracks(statements: tuple[Statement, ...]) -> bool:
    """Whether a rule makes the kernel track connections (callers of nf_ct_netns_get)."""
    return any(
        isinstance(one, Nat)
        or (isinstance(one, Test) and any(key.name.startswith("ct ") for key in one.keys))
        or (isinstance(one, Assign) and "ct " in str(one))
        for one in statements
    )


def _priority(table: str, name: str) -> int:
    if table == "nat" and name in ("PREROUTING", "OUTPUT"):
        return DNAT_PRIORITY
    return PRIORITIES.get(table, 0)


class _Reader:
    """Reads the words of one rule."""

    def __init__(self, words: list[str], family: str) -> None:
        self._words = words
        self._at = 0
        self._ip = family
        self._protocol = ""
        self._match = ""

    def word(self) -> str:
        """The next word. ValueError if there is none."""
        if self._at >= len(self._words):
            raise ValueError("the end")
        self._at += 1
        return self._words[self._at - 1]

    def read(self) -> list[Statement]:
        """All statements of the rule: its matches first, its target last."""
        made: list[Statement] = []
        while self._at < len(self._words):
            start = self._at
            negate = self._words[self._at] == "!"
            self._at += negate
            option = self.word()
            if option in ("-j", "-g"):
                made += self._target(self.word(), goto=option == "-g")
                break
            try:
                made += OPTIONS[option](self, negate=negate)
            except (ValueError, KeyError):
                self._skip()
                told = " ".join(self._words[start : self._at])
                if made and isinstance(made[-1], Opaque):  # the next option of the same match
                    told = f"{made.pop().text} {told}"  # type: ignore[union-attr]
                made.append(Opaque(told))
        return made

    def _skip(self) -> None:
        """On to the next option: the arguments of one that is not known."""
        while self._at < len(self._words) and not self._words[self._at].startswith(("-", "!")):
            self._at += 1

    # -- matches -------------------------------------------------------------------------------------------------

    def among(
        self, name: str, cells: list[Cell], *, negate: bool, mask: int = -1, bits: bool = False
    ) -> list[Statement]:
        """A test of one key."""
        return [Test((Key(name, mask),), tuple((cell,) for cell in cells), negate=negate, bits=bits)]

    def address(self, side: str, *, negate: bool) -> list[Statement]:
        """`-s 10.0.0.0/8`, with a netmask of whatever form."""
        network = ipaddress.ip_network(self.word(), strict=False)
        cell = (int(network.network_address), int(network.broadcast_address))
        return self.among(f"{self._ip} {side}", [cell], negate=negate)

    def addresses(self, side: str, *, negate: bool) -> list[Statement]:
        """`--src-range 10.0.0.1-10.0.0.9`."""
        first, _, last = self.word().partition("-")
        cell = (packets.number(first), packets.number(last or first))
        return self.among(f"{self._ip} {side}", [cell], negate=negate)

    def link(self, key: str, *, negate: bool) -> list[Statement]:
        """`-i eth+`."""
        name = self.word()
        return self.among(key, [f"{name[:-1]}*" if name.endswith("+") else name], negate=negate)

    def protocol(self, *, negate: bool) -> list[Statement]:
        """`-p tcp`."""
        word = self.word()
        self._protocol = word
        if word == "all":
            return []
        number = packets.symbol("l4proto", word)
        return self.among("l4proto", [(number, number)], negate=negate)

    def ports(self, side: str, *, negate: bool) -> list[Statement]:
        """`--dport 80`, `--dports 80,443,8000:8010`."""
        cells: list[Cell] = []
        for part in self.word().split(","):
            first, colon, last = part.partition(":")
            cells.append((int(first or 0), int((last or 65535) if colon else first)))
        return self.among(f"th {side}", cells, negate=negate)

    def states(self, *, negate: bool) -> list[Statement]:
        """`--ctstate NEW,ESTABLISHED`; SNAT and DNAT are bits of the status."""
        words = self.word().lower().split(",")
        if len(words) == 1 and words[0] in ("snat", "dnat"):
            bit = packets.CT_STATUS[words[0]]
            return self.among("ct status", [(bit, bit)], negate=negate, bits=True)
        bits = 0
        for word in words:
            bits |= packets.CT_STATES[word]
        return self.among("ct state", [(bits, bits)], negate=negate, bits=True)

    def marked(self, *, negate: bool) -> list[Statement]:
        """`--mark VALUE/MASK`, of the packet or of the connection."""
        key = {"mark": "mark", "connmark": "ct mark"}[self._match]
        value, _, mask = self.word().partition("/")
        number = int(value, 0)
        return self.among(key, [(number, number)], negate=negate, mask=int(mask, 0) if mask else -1)

    def address_type(self, side: str, *, negate: bool) -> list[Statement]:
        """`--dst-type LOCAL`."""
        numbers = [packets.ADDRESS_TYPES[word] for word in self.word().lower().split(",")]
        return self.among(f"fib {side} type", [(n, n) for n in numbers], negate=negate)

    def mac(self, *, negate: bool) -> list[Statement]:
        """`--mac-source`."""
        number = packets.number(self.word())
        return self.among("ether saddr", [(number, number)], negate=negate)

    def icmp(self, key: str, *, negate: bool) -> list[Statement]:
        """`--icmp-type 8`, with a code or a name."""
        word = self.word()
        if word in ("any", "255", "255/0:255"):
            return []
        kind, _, code = word.partition("/")
        number = packets.symbol(key, kind)
        if not code:
            return self.among(key, [(number, number)], negate=negate)
        keys = (Key(key), Key(key.replace("type", "code")))
        return [Test(keys, (((number, number), (int(code), int(code))),), negate=negate)]

    def flags(self, *, negate: bool) -> list[Statement]:
        """`--tcp-flags SYN,ACK SYN`."""
        mask, value = (self._flag_bits(self.word()) for _ in range(2))
        return self.among("tcp flags", [(value, value)], negate=negate, mask=mask)

    @staticmethod
    def _flag_bits(words: str) -> int:
        bits = 0
        for word in words.lower().split(","):
            bits |= {"all": 63, "none": 0, **packets.TCP_FLAGS}[word]
        return bits

    def syn(self, *, negate: bool) -> list[Statement]:
        """`--syn`."""
        return self.among("tcp flags", [(2, 2)], negate=negate, mask=2 | 16 | 4 | 1)

    def packet_type(self, *, negate: bool) -> list[Statement]:
        """`--pkt-type unicast`."""
        number = packets.symbol("pkttype", self.word())
        return self.among("pkttype", [(number, number)], negate=negate)

    def bridged(self, *, negate: bool) -> list[Statement]:
        """`--physdev-is-bridged`."""
        return self.among("bridged", [(1, 1)], negate=negate)

    def match(self, *, negate: bool) -> list[Statement]:  # noqa: ARG002 (an option as all others)
        """`-m NAME`: those that decide by themselves, without an option."""
        name = self.word()
        self._match = name
        if name in DECIDING:
            raise ValueError(name)
        return []

    def comment(self, *, negate: bool) -> list[Statement]:  # noqa: ARG002
        """`--comment TEXT`."""
        self.word()
        return []

    # -- targets -------------------------------------------------------------------------------------------------

    def _target(self, name: str, *, goto: bool) -> list[Statement]:
        rest = self._words[self._at :]
        given = {
            word: rest[at + 1] if at + 1 < len(rest) else ""
            for at, word in enumerate(rest)
            if word.startswith("--")
        }
        if name in VERDICTS and not goto:
            return [VERDICTS[name]]
        maker = TARGETS.get(name)
        if maker is not None and not goto:
            try:
                return maker(given)
            except (ValueError, KeyError):
                return [Unfollowed(f"{name} {' '.join(rest)}")]
        if name in HARMLESS:
            return []
        if name in ELSEWHERE:
            return [Unfollowed(name)]
        return [Verdict("goto" if goto else "jump", name)]


def _translate(kind: str, option: str) -> Callable[[dict[str, str]], list[Statement]]:
    def made(given: dict[str, str]) -> list[Statement]:
        if kind in ("masquerade", "redirect"):
            return [Nat(kind, Target((), _ports(given.get("--to-ports", ""))))]  # type: ignore[arg-type]
        target = given[option]
        if target.startswith("["):
            address, _, ports = target[1:].partition("]")
            ports = ports.removeprefix(":")
        elif target.count(":") > 1:
            address, ports = target, ""
        else:
            address, _, ports = target.partition(":")
        first, _, last = address.partition("-")
        addresses = (first, last) if last else (first,) if first else ()
        return [Nat(kind, Target(addresses, _ports(ports.partition("/")[0])))]  # type: ignore[arg-type]

    return made


def _ports(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("-")) if text else ()


def _masked(key: str, value: int, mask: int) -> Assign:
    """Sets a key to (old & ~mask) ^ value."""
    return Assign(key, Operation("^", Operation("&", Key(key), ~mask & U32), value))


def _mark(key: str) -> Callable[[dict[str, str]], list[Statement]]:
    def made(given: dict[str, str]) -> list[Statement]:
        for option, keep in (("--set-xmark", False), ("--set-mark", True)):
            if option in given:
                value, _, mask = given[option].partition("/")
                number, bits = int(value, 0), int(mask, 0) if mask else U32
                return [_masked(key, number, bits | number if keep else bits)]
        if "--or-mark" in given:
            number = int(given["--or-mark"], 0)
            return [_masked(key, number, number)]
        if "--and-mark" in given:
            return [_masked(key, 0, ~int(given["--and-mark"], 0) & U32)]
        if "--xor-mark" in given:
            return [_masked(key, int(given["--xor-mark"], 0), 0)]
        both = given.get("--mask", hex(U32))
        masks = {
            "mark": int(given.get("--nfmask", both), 0),
            "ct mark": int(given.get("--ctmask", both), 0),
        }
        for option, target, source in (
            ("--save-mark", "ct mark", "mark"),
            ("--restore-mark", "mark", "ct mark"),
        ):
            if option in given:
                old = Operation("&", Key(target), ~masks[target] & U32)
                return [Assign(target, Operation("^", old, Operation("&", Key(source), masks[source])))]
        raise ValueError(str(given))

    return made


def _untracked(given: dict[str, str]) -> list[Statement]:
    return [Untracked()] if "--notrack" in given else []


VERDICTS = {
    "ACCEPT": Verdict("accept"),
    "DROP": Verdict("drop"),
    "RETURN": Verdict("return"),
    "REJECT": Verdict("reject"),
    "QUEUE": Verdict("queue", "QUEUE"),
    "NFQUEUE": Verdict("queue", "NFQUEUE"),
}
TARGETS: dict[str, Callable[[dict[str, str]], list[Statement]]] = {
    "DNAT": _translate("dnat", "--to-destination"),
    "SNAT": _translate("snat", "--to-source"),
    "MASQUERADE": _translate("masquerade", ""),
    "REDIRECT": _translate("redirect", ""),
    "MARK": _mark("mark"),
    "CONNMARK": _mark("ct mark"),
    "CT": _untracked,
    "NOTRACK": lambda _: [Untracked()],
}
HARMLESS = {
    "LOG", "NFLOG", "ULOG", "TCPMSS", "CHECKSUM", "TTL", "HL", "DSCP", "TOS", "CLASSIFY", "AUDIT", "TRACE", "TCPOPTSTRIP", "SET",
    "CONNSECMARK", "SECMARK", "RATEEST", "LED", "ECN", "HMARK", "TEE",
}  # fmt: skip
ELSEWHERE = {"TPROXY", "SYNPROXY", "NETMAP", "CLUSTERIP", "DNPT", "SNPT"}
OPTIONS: dict[str, _Option] = {
    "-s": functools.partial(_Reader.address, side="saddr"),
    "-d": functools.partial(_Reader.address, side="daddr"),
    "--src-range": functools.partial(_Reader.addresses, side="saddr"),
    "--dst-range": functools.partial(_Reader.addresses, side="daddr"),
    "-i": functools.partial(_Reader.link, key="iifname"),
    "-o": functools.partial(_Reader.link, key="oifname"),
    "--physdev-in": functools.partial(_Reader.link, key="physin"),
    "--physdev-out": functools.partial(_Reader.link, key="physout"),
    "--physdev-is-bridged": _Reader.bridged,
    "-p": _Reader.protocol,
    "--sport": functools.partial(_Reader.ports, side="sport"),
    "--dport": functools.partial(_Reader.ports, side="dport"),
    "--sports": functools.partial(_Reader.ports, side="sport"),
    "--dports": functools.partial(_Reader.ports, side="dport"),
    "--ctstate": _Reader.states,
    "--state": _Reader.states,
    "--dst-type": functools.partial(_Reader.address_type, side="daddr"),
    "--src-type": functools.partial(_Reader.address_type, side="saddr"),
    "--mac-source": _Reader.mac,
    "--icmp-type": functools.partial(_Reader.icmp, key="icmp type"),
    "--icmpv6-type": functools.partial(_Reader.icmp, key="icmpv6 type"),
    "--tcp-flags": _Reader.flags,
    "--syn": _Reader.syn,
    "--pkt-type": _Reader.packet_type,
    "--comment": _Reader.comment,
    "--mark": _Reader.marked,
    "-m": _Reader.match,
}
