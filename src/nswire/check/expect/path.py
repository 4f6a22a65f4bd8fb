"""`[[path]]`: what becomes of a packet, and of its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from nswire.check.expect.values import Compared, Kind, Unjudged, only
from nswire.model.values import RT_SCOPE_LINK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from nswire.check.expect.values import Look
    from nswire.model.topology import Topology
    from nswire.path.query import Party, Wanted
    from nswire.path.values import Trace, Ways

PACKET: Mapping[str, type] = {
    "proto": str, "sport": int, "dport": int, "mark": int, "src": str, "size": int, "uid": int, "family": int,
}  # fmt: skip
"""Which packet: the options of `nswire path`, by their long names (`family`: 4 or 6)."""
KEYS: Mapping[str, type | tuple[type, ...]] = {
    "from": str, "to": str, **PACKET,
    "expect": str, "reply": str, "code": str, "mtu_min": int, "via": (str, list), "snat": str, "dnat": str,
}  # fmt: skip
LARGEST = 12  # senders that `--write` pairs with each other by itself


def _text(given: Mapping[str, object]) -> str:
    port = f"/{given['dport']}" if "dport" in given else ""
    proto = given.get("proto", "tcp" if port else "icmp")
    return f"{given['from']} -> {given.get('to', 'the internet')} {proto}{port}"


def _compare(look: Look, given: Mapping[str, object]) -> list[Compared]:
    topology = look.topology
    trace = _traced(topology, given)
    rows = []
    for key in COMPARED:
        wanted = given.get(key, "delivered" if key == "expect" else None)
        if wanted is not None:
            rows += COMPARED[key](topology, trace, wanted)
    return rows


def _traced(topology: Topology, given: Mapping[str, object]) -> Trace:
    from nswire.errors import PathQueryError
    from nswire.path.endpoints import address
    from nswire.path.query import Party, complete, follow, ported

    begin, end = _party(topology, str(given["from"])), None
    wanted = _wanted(given)
    try:
        if "to" in given:
            to, wanted = ported(topology, str(given["to"]), wanted)
            end = Party(to) if address(to) else _party(topology, to)
        return follow(topology, complete(topology, begin, end, wanted), wanted)
    except PathQueryError as error:
        raise Unjudged(f"{error.subject}: {error}" + (f" ({error.hint})" if error.hint else "")) from None


def _wanted(given: Mapping[str, object]) -> Wanted:
    from nswire.path.query import Wanted

    packet: dict[str, Any] = {key: given[key] for key in PACKET if key in given}
    return Wanted(**packet, reply="reply" in given)


def _party(topology: Topology, word: str) -> Party:
    from nswire.path.query import Party

    found = only(topology, word)
    return Party(word, found.links, found.namespace, found.owner)


def _fate(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    return [_of_ways("expect", trace.forward, wanted)]


def _reply(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    if trace.reply is None:  # the packet did not arrive, or nobody answers such a one
        return [Compared(key="reply", expected=str(wanted), found="none", holds=wanted == "none")]
    return [_of_ways("reply", trace.reply, wanted)]


def _of_ways(key: str, ways: Ways, wanted: object) -> Compared:
    reason = "" if ways.reason is None else str(ways.reason)
    return Compared(key=key, expected=str(wanted), found=ways.fate, holds=ways.fate == wanted, reason=reason)


def _code(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    reason = trace.forward.reason
    found = None if reason is None else reason.code
    return [Compared(key="code", expected=str(wanted), found=found, holds=found == wanted)]


def _mtu(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    least = int(str(wanted))
    return [Compared(key="mtu_min", expected=least, found=trace.mtu or None, holds=trace.mtu >= least)]


def _via(topology: Topology, trace: Trace, wanted: object) -> list[Compared]:
    """Whether every way passes that link; of a list, each of them. Of a name that many have: whichever of them it passes."""
    from nswire.handles import find

    ways = [[step.end for hop in way.hops for step in hop.steps] for way in trace.forward.ways]
    links = (topology.at(end) for end in dict.fromkeys(ways[0]) if end is not None)
    passes = " ".join(link.ifname for link in links if link is not None) or None
    rows = []
    for word in [str(one) for one in wanted] if isinstance(wanted, list) else [str(wanted)]:
        meant = {link.end for match in find(topology, word) for link in match.links}
        holds = bool(meant) and all(meant & set(passed) for passed in ways)
        rows.append(Compared(key="via", expected=word, found=passes, holds=holds))
    return rows


def _snat(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    return [_translated("snat", trace, str(wanted), lambda flow: (flow.src, flow.sport))]


def _dnat(_: Topology, trace: Trace, wanted: object) -> list[Compared]:
    return [_translated("dnat", trace, str(wanted), lambda flow: (flow.dst, flow.dport))]


def _translated(key: str, trace: Trace, wanted: str, side: Callable[..., tuple[str, int]]) -> Compared:
    """What an address has become where the packet ends, by every way; `none`: nothing else than it was."""
    from nswire.path.endpoints import host_and_port

    host, port = host_and_port(wanted)
    ends = set()
    for way in trace.forward.ways:
        flows = [flow for hop in way.hops for flow in (hop.enters, hop.leaves) if side(flow)[0]]
        if not flows:  # it ends before it has that address
            return Compared(key=key, expected=wanted, found=None, holds=False)
        first, last = side(flows[0]), side(flows[-1])
        ends.add("none" if first == last else f"{last[0]}:{last[1]}" if port else last[0])
    found = ends.pop() if len(ends) == 1 else None
    same = found in (wanted, f"{host}:{port}") if port else found == wanted
    return Compared(key=key, expected=wanted, found=found, holds=same)


COMPARED: Mapping[str, Callable[[Topology, Trace, object], list[Compared]]] = {
    "expect": _fate, "reply": _reply, "code": _code, "mtu_min": _mtu, "via": _via, "snat": _snat, "dnat": _dnat,
}  # fmt: skip
"""What can be expected, in the order in which it is told."""


NUMBERS: Mapping[str, tuple[int, int]] = {
    "sport": (1, 65535), "dport": (1, 65535), "mark": (0, 0xFFFFFFFF), "size": (28, 65535), "uid": (0, 0xFFFFFFFE), "mtu_min": (1, 65535),
}  # fmt: skip
"""The smallest and the largest of each key that is a number, as `nswire path` takes them."""


def wrong(key: str, value: object) -> str:
    """What a value is to be instead; empty: it is one that the key may have."""
    from nswire.path.values import Fate

    fates: tuple[str, ...] = get_args(Fate)
    words: Mapping[str, tuple[object, ...]] = {"expect": fates, "reply": (*fates, "none"), "family": (4, 6)}
    if key in words and value not in words[key]:
        return f"one of {', '.join(map(str, words[key]))}"
    if key in NUMBERS and isinstance(value, int) and not NUMBERS[key][0] <= value <= NUMBERS[key][1]:
        return f"from {NUMBERS[key][0]} to {NUMBERS[key][1]}"
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        return "a list of texts"
    return ""


def _write(topology: Topology, words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """What is true of a ping between each two of these, and from each to the internet, answers included.

    Without words: of all namespaces that have a name and an address that others can reach, if they are few.
    """
    senders = words or _namespaces(topology)
    for begin in senders:
        others = [one for one in senders if one != begin]
        for to in (*others, None):
            given: dict[str, object] = {"from": begin}
            if to is not None:
                given["to"] = to
            try:
                trace = _traced(topology, {**given, "reply": ""})
            except Unjudged:
                continue  # such as one that has IPv4 to one that has IPv6
            if trace.forward.fate == "unknown":
                continue  # nothing is true of it that could be held to
            given["expect"] = trace.forward.fate
            if trace.reply is not None and trace.reply.fate != "unknown":
                given["reply"] = trace.reply.fate
            if trace.forward.fate == "dropped" and trace.forward.reason is not None:
                given["code"] = trace.forward.reason.code
            elif trace.mtu:
                given["mtu_min"] = trace.mtu
            yield given


def _namespaces(topology: Topology) -> tuple[str, ...]:
    found = []
    for ns in topology.namespaces.values():
        links = topology.links(ns.key)
        addresses = (one for link in links if not link.loopback for one in link.addresses)
        if (ns.names or ns.home) and any(one.scope < RT_SCOPE_LINK for one in addresses):
            found.append(f"netns:{ns.names[0]}" if ns.names else ns.label)
    return tuple(found) if len(found) <= LARGEST else ()


KIND = Kind("path", KEYS, ("from",), _text, _compare, _write, wrong)
