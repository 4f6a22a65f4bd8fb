"""`fa:16:3e:98:e6:f3`: a hardware address, current or permanent; any case, `:` or `-` or Cisco's dots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import LinkFamily

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Link

SHORTEST, LONGEST = 4, 32  # bytes: from an IPv4 tunnel's end to MAX_ADDR_LEN
_HEX = frozenset("0123456789abcdef")


def key(text: str) -> str | None:
    """The digits of a hardware address; None if it is none."""
    lower = text.lower()
    for separator, width in ((":", 2), ("-", 2), (".", 4)):
        parts = lower.split(separator)
        if len(parts) > 1 and all(len(part) == width and _HEX.issuperset(part) for part in parts):
            size = len(parts) * width // 2
            return "".join(parts) if SHORTEST <= size <= LONGEST else None
    return None


def _keys(link: Link) -> Iterable[str]:
    return {address.replace(":", "") for address in (link.fact.address, link.fact.permaddr) if address}


FAMILY = LinkFamily("MAC", 4, key, _keys)
