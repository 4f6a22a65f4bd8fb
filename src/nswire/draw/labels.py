"""A link, a namespace or an owner in the few words that have room on a picture. All that is told is harmless."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire import kinds
from nswire.draw.scene import Chip
from nswire.escape import visible
from nswire.model import owner_types
from nswire.model.values import IFF_RUNNING, IFF_UP, RT_SCOPE_LINK, said

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.draw.scene import Mark
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Namespace, NsKey, Owner, Scalar

BLOCKED = ("blocking", "disabled")
WELL = ("UP", "UNKNOWN")  # operstates; UNKNOWN is that of drivers that have none, such as tun


def mark(link: Link) -> Mark:
    """Whether it is up, is switched off, or is switched on without anything passing.

    Open vSwitch's bridges have a link of their own that is down by nature, while they forward all the same.
    """
    if not link.fact.flags & IFF_UP:
        return "up" if _forwards(link) else "down"
    return "up" if link.operstate in WELL else "carrier"


def _forwards(link: Link) -> bool:
    """Whether a link that is down is that of a virtual switch with ports."""
    if not kinds.of(link.kind).leaf:
        return False
    return any(wire.b == link.end or wire.relation == "patch" for wire in link.late_wires("port", "patch"))


def state(link: Link) -> str:
    """Why nothing passes, in the words of `ip`; empty if all is well."""
    found = mark(link)
    if found == "carrier":
        no_carrier = link.operstate == "DOWN" and not link.fact.flags & IFF_RUNNING
        return "NO-CARRIER" if no_carrier else link.operstate
    return "DOWN" if found == "down" else ""


def notes(link: Link) -> tuple[Chip, ...]:
    """What else must be seen of a link: a port that does not forward, an MTU that is not its peer's."""
    state = kinds.blocked(link.fact)
    blocked = (Chip(visible(state), "blocked" if state in BLOCKED else ""),) if state else ()
    peer = link.peer
    mtu = () if peer is None or peer.fact.mtu == link.fact.mtu else (Chip(f"MTU {link.fact.mtu}", "warn"),)
    return (*blocked, *mtu)


def address(link: Link) -> str:
    """The address that matters most, and how many more there are; link-local ones are not told."""
    told = [one for one in link.addresses if one.scope < RT_SCOPE_LINK]
    if not told:
        return ""
    first = min(told, key=lambda one: one.family)  # AF_INET before AF_INET6, else the kernel's order
    return visible(first.address) + (f" +{len(told) - 1}" if len(told) > 1 else "")


def pairs(data: Iterable[tuple[str, Scalar]]) -> tuple[str, ...]:
    """Names and values as words: `tag 5`; a switch by its name alone."""
    return tuple(map(visible, said(data)))


def own_owners(link: Link) -> tuple[Owner, ...]:
    """Whose a link is, beyond whose its namespace is."""
    shared = link.topology.owners(link.end.ns)
    return tuple(one for one in link.owners if one not in shared)


def own_owner(link: Link) -> str:
    """Whose a link is, in words, unless its name says so already (Neutron's tap39d60faa-aa is of port 39d60faa-...)."""
    for one in own_owners(link):
        if one.name[:SAID_BY_NAME] not in link.ifname:
            return visible(owner_types.label(one))
    return ""


SAID_BY_NAME = 8  # letters of an id, of which clouds put as many into names


def many(topology: Topology, spaces: list[NsKey]) -> tuple[str, str]:
    """Namespaces that are alike: how many of what, and from which to which."""
    owners = [next(iter(topology.owners(ns)), None) for ns in spaces]
    types = {"" if one is None else one.type for one in owners}
    kind = next(iter(types)) if len(types) == 1 else ""
    what = owner_types.of(kind or "namespace").plural
    titles = [topology.title(topology.namespaces[ns]).removeprefix(f"{kind}:") for ns in spaces]
    return visible(f"{len(spaces)} {what}"), f"{visible(titles[0])} … {visible(titles[-1])}"


def single(topology: Topology, ns: Namespace) -> tuple[str, str]:
    """A namespace by its title, and what else is said of it: its label if that is another one, or whose it is."""
    title = topology.title(ns)
    if ns.home:
        return visible(title), visible(topology.taken.hostname)
    if title != ns.label:
        return visible(title), visible(ns.label)
    owners = [one for one in topology.owners(ns.key) if one.name[:SAID_BY_NAME] not in ns.label]
    more = f" +{len(owners) - 1}" if len(owners) > 1 else ""
    return visible(title), visible(owner_types.label(owners[0])) + more if owners else ""


_PARTS = re.compile(r"(\d+)")


def natural(text: str) -> tuple[tuple[int, str], ...]:
    """A key to sort by, in which eth2 comes before eth10."""
    return tuple(
        (int(part) if part.isdecimal() and len(part) < 20 else -1, part) for part in _PARTS.split(text)
    )


def common(names: Iterable[str]) -> str:
    """What many names have in common: `veth…`; empty if that is nothing."""
    first, *rest = dict.fromkeys(names)
    shared = first
    for name in rest:
        while not name.startswith(shared):
            shared = shared[:-1]
    return shared if not rest else (f"{shared}…" if shared else "")


def belongs_to(one: Owner) -> str:
    """What an owner is a part of: a compose project, a pod's namespace; else empty."""
    data = dict(one.data)
    named = next((str(data[name]) for name in owner_types.PROJECT_DATA if name in data), "")
    return named or one.name.rpartition("/")[0]


def kind(link: Link) -> str:
    """Its kind, with what matters most of it, such as `vlan id 100`."""
    return visible(kinds.brief(link.fact))
