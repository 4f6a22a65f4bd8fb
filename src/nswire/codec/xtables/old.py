"""What the old variants print, which nft knows nothing of: by nft's family of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import arptables, ebtables, iptables

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.codec.xtables.rows import Where
    from nswire.model.firewall import Chain

READERS: dict[str, Callable[[bytes, str, Where], tuple[Chain, ...]]] = {
    "ip": lambda text, tool, known: iptables.decode(text, "ip", tool, known),
    "ip6": lambda text, tool, known: iptables.decode(text, "ip6", tool, known),
    ebtables.FAMILY: lambda text, tool, _: ebtables.decode(text, tool),
    "arp": lambda text, tool, _: arptables.decode(text, tool),
}
"""A text, whose it is, the lists that are known -> its chains. ValueError, IndexError: it is no such text."""
TOOLS = {
    "ip": "iptables-legacy-save",
    "ip6": "ip6tables-legacy-save",
    ebtables.FAMILY: "ebtables-legacy",
    "arp": "arptables-legacy",
}
