"""`:8080`, `tcp:8080`, `udp:53`: where something listens on that port: the namespace, or the links whose addresses it is bound to.

What listens for somebody else only (docker-proxy, pasta, rootlessport ...) is not meant, but that other one; so is whoever the
firewall of a namespace translates that port to. See also `owner`: whom an engine has published.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.handles.index import Found
from nswire.handles.matcher import SearchFamily, number
from nswire.model.firewall import Nat, Target, Test
from nswire.model.sockets import MAPPED
from nswire.model.tables import NotKnown
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from nswire.model.firewall import Firewall, FirewallRule, Key, Mapped, Row, SetName
    from nswire.model.sockets import Listener
    from nswire.model.topology import Topology
    from nswire.model.values import NsKey

Rows = tuple["Row", ...]
LISTENS, PUBLISHED = "port", "published port"
BOTH = ("tcp", "udp")
DPORTS = {"tcp dport": ("tcp",), "udp dport": ("udp",), "th dport": BOTH}
PROTOCOLS = {6: "tcp", 17: "udp"}
ROUTES = 2  # links that a namespace needs to lead anything to others


class Wanted(NamedTuple):
    """A port of one of these protocols."""

    protocols: tuple[str, ...]
    port: int

    def fits(self, protocol: str, port: int) -> bool:
        """True if that is meant."""
        return protocol in self.protocols and port == self.port


def _wanted(prefix: str, protocols: tuple[str, ...], text: str) -> Wanted | None:
    port = number(text.removeprefix(prefix)) if text.startswith(prefix) else None
    return None if port is None else Wanted(protocols, int(port))


def _family(rank: int, prefix: str, *protocols: str) -> tuple[SearchFamily, SearchFamily]:
    def search(
        how: Callable[[Topology, Wanted], Iterable[Found]],
    ) -> Callable[[Topology, str], Iterable[Found]]:
        def find(topology: Topology, text: str) -> Iterable[Found]:
            wanted = _wanted(prefix, protocols, text)
            return () if wanted is None else (found._replace(rank=rank) for found in how(topology, wanted))

        return find

    typed = prefix if len(prefix) > 1 else ""
    return (
        SearchFamily(LISTENS, rank, search(_listening), typed),
        SearchFamily(PUBLISHED, rank, search(_translated), typed, other=True),
    )


# -- who listens ---------------------------------------------------------------------------------------------------


def _listening(topology: Topology, wanted: Wanted) -> Iterator[Found]:
    """All that listens there, each once."""
    found: dict[Found, None] = {}
    for ns in topology.namespaces:
        if any(wanted.fits(*one) for one in topology.listeners(ns)):
            found.update(dict.fromkeys(_in(topology, ns, wanted)))
    yield from found


def _in(topology: Topology, ns: NsKey, wanted: Wanted) -> Iterator[Found]:
    lookups = topology.lookups()
    waiting = [one for one in lookups.listeners(ns) or () if wanted.fits(one.protocol, one.port)]
    if not waiting:  # only the cheaper table told of it
        yield Found(0, LISTENS, ns=ns)
    for one in waiting:
        process = lookups.holder(one.inode)
        forwards = None if process is None else topology.forwards(ns, process.pid, one)
        if forwards is None:
            yield from _bound(topology, ns, one)
        for forward in forwards or ():
            if forward.ns is None:
                yield from _with_address(topology, forward.address, ns)
            else:
                yield Found(0, PUBLISHED, ns=forward.ns)
        if forwards == ():  # it forwards, and nobody knows where to: then it is all that is known
            yield from _bound(topology, ns, one)


def _bound(topology: Topology, ns: NsKey, one: Listener) -> Iterator[Found]:
    """The namespace, or the links that the socket is bound to, by itself or by its address."""
    address = one.address.removeprefix(MAPPED)
    if one.ifindex and topology.get(End(ns, one.ifindex)) is not None:
        yield Found(0, LISTENS, end=End(ns, one.ifindex))
        return
    links = [] if one.everywhere else _links_with(topology, address, ns)
    if not links and not one.everywhere and address.startswith("127."):
        links = [link.end for link in topology.links(ns) if link.loopback]
    yield from (Found(0, LISTENS, end=end) for end in links)
    if not links:
        yield Found(0, LISTENS, ns=ns)


def _links_with(topology: Topology, address: str, ns: NsKey | None = None) -> list[End]:
    return [link.end for link in topology.links(ns) if any(one.ip == address for one in link.addresses)]


# -- whom the firewall translates it to ------------------------------------------------------------------------------


def _translated(topology: Topology, wanted: Wanted) -> Iterator[Found]:
    """Links with an address that a rule sends that port to: of home, and of namespaces that may lead to others."""
    addresses: dict[tuple[str, NsKey], None] = {}
    for ns, space in topology.namespaces.items():
        if not space.hidden and (space.home or topology.count(ns) > ROUTES):
            for address in _targets(topology, ns, wanted):
                addresses[address, ns] = None
    for address, ns in addresses:
        yield from _with_address(topology, address, ns)


def _with_address(topology: Topology, address: str, ns: NsKey) -> Iterator[Found]:
    """Whoever has an address: elsewhere than where it is translated, unless nobody else has it."""
    ends = _links_with(topology, address)
    yield from (Found(0, PUBLISHED, end=end) for end in [end for end in ends if end.ns != ns] or ends)


def _targets(topology: Topology, ns: NsKey, wanted: Wanted) -> Iterator[str]:
    try:
        firewall = topology.lookups().firewall(ns)
    except NotKnown:
        return
    for chain in firewall.chains:
        for rule in chain.rules:
            yield from _of_rule(firewall, rule, wanted)


def _of_rule(firewall: Firewall, rule: FirewallRule, wanted: Wanted) -> Iterator[str]:
    """The address that a rule translates that port to; rules that look at no port translate whole addresses."""
    ports = False
    for one in rule.statements:
        if isinstance(one, Test) and not one.negate and not one.verdicts and not one.map:
            rows, _ = _content(firewall, one.keys, one.rows, (), one.set)
            protocols = _protocols(one.keys, rows)
            if protocols is not None and not set(protocols) & set(wanted.protocols):
                return
            column = _dport(one.keys)
            if column is not None:
                if not any(_holds(row[column], wanted.port) for row in rows):
                    return
                ports = True
        elif isinstance(one, Nat) and one.kind == "dnat":
            if one.chosen is None:
                yield from one.target.addresses[:1] if ports else ()
            else:
                yield from _chosen(firewall, one.chosen, wanted, ports=ports)


def _chosen(firewall: Firewall, chosen: Mapped, wanted: Wanted, *, ports: bool) -> Iterator[str]:
    """Those of a map: by the port, or after a condition on the port, by something else."""
    rows, data = _content(firewall, chosen.keys, chosen.rows, chosen.data, chosen.set)
    protocols, column = _protocols(chosen.keys, rows), _dport(chosen.keys)
    if protocols is not None and not set(protocols) & set(wanted.protocols):
        return
    for row, target in zip(rows, data, strict=False):
        fits = ports if column is None else _holds(row[column], wanted.port)
        if fits and isinstance(target, Target):
            yield from target.addresses[:1]


def _content(
    firewall: Firewall, keys: tuple[Key, ...], rows: Rows, data: tuple[object, ...], name: SetName | None
) -> tuple[Rows, tuple[object, ...]]:
    """The rows of a condition or map, which may be those of a set; none if that cannot be read."""
    found = firewall.sets.get(name) if name is not None else None
    if found is None:
        return rows, data
    try:
        return found.content(keys)
    except ValueError:
        return (), ()


def _dport(keys: tuple[Key, ...]) -> int | None:
    return next((at for at, key in enumerate(keys) if key.name in DPORTS), None)


def _protocols(keys: tuple[Key, ...], rows: Rows) -> tuple[str, ...] | None:
    """Those that a condition lets through; None: it does not look at that."""
    for at, key in enumerate(keys):
        if key.name == "l4proto":
            cells = [row[at] for row in rows]
            return tuple(
                name for proto, name in PROTOCOLS.items() if any(_holds(one, proto) for one in cells)
            )
    return next((DPORTS[key.name] for key in keys if key.name in DPORTS), None)


def _holds(cell: object, value: int) -> bool:
    return isinstance(cell, tuple) and cell[0] <= value <= cell[1]


FAMILIES = (*_family(2, ":", *BOTH), *_family(0, "tcp:", "tcp"), *_family(0, "udp:", "udp"))
