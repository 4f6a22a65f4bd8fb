"""`52:54:00:aa:00:01`, `192.168.122.12`: a VM's own MAC, or an address that is known of it: the tap that its NIC is at."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from nswire.handles import mac
from nswire.handles.matcher import LinkFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link

KINDS = ("tun", "macvtap", "ipvtap")  # only these have a VM behind them; of others it is not even asked


def _macs(link: Link) -> Iterator[str]:
    guest = link.guest if link.kind in KINDS else None
    if guest is not None and guest.mac != link.fact.address:  # of a macvtap it is its own
        yield guest.mac.replace(":", "")


def _addresses(link: Link) -> Iterator[str]:
    guest = link.guest if link.kind in KINDS else None
    yield from () if guest is None else guest.addresses


def _address(text: str) -> str | None:
    try:
        return str(ipaddress.ip_address(text)) if "." in text or ":" in text else None
    except ValueError:
        return None


BY_MAC = LinkFamily("guest's MAC", 5, mac.key, _macs)
BY_ADDRESS = LinkFamily("guest's address", 6, _address, _addresses)
