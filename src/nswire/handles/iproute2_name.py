"""`tap39d60faa-aa@if68`, `vlan5@eth0`: a name as `ip` prints it, pasted. It means the link that would be printed so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import LinkFamily
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link


def _key(text: str) -> str | None:
    return text if "@" in text else None


def _keys(link: Link) -> Iterator[str]:
    index = link.fact.link
    if not index:
        return
    yield f"{link.ifname}@if{index}"
    if link.fact.link_netnsid is None:
        other = link.topology.get(End(link.end.ns, index))
        if other is not None:
            yield f"{link.ifname}@{other.ifname}"


FAMILY = LinkFamily("as ip prints it", 2, _key, _keys, scoped=True)
