"""What the old variants print, which nft knows nothing of: by nft's family of their tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import arptables, ebtables, iptables

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nswire.codec.netlink.ipset import IpSet
    from nswire.model.firewall import Chain

    Sets = Mapping[str, IpSet] | None

READERS: dict[str, Callable[[bytes, str, Sets], tuple[Chain, ...]]] = {
    "ip": lambda text, tool, sets: iptables.decode(text, "ip", tool, sets),
    "ip6": lambda text, tool, sets: iptables.decode(text, "ip6", tool, sets),
    ebtables.FAMILY: lambda text, tool, _: ebtables.decode(text, tool),
    "arp": lambda text, tool, _: arptables.decode(text, tool),
}
"""A text, whose it is, the sets -> its chains. ValueError, IndexError: it is no such text."""
TOOLS = {
    "ip": "iptables-legacy-save",
    "ip6": "ip6tables-legacy-save",
    ebtables.FAMILY: "ebtables-legacy",
    "arp": "arptables-legacy",
}
