"""`10.10.100.2`, `fe80::1%eth0`, `10.10.100.2/24`: an address; with a length, only if it is assigned with that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.matcher import LinkFamily

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link

LONGEST = 120  # characters of an address, its zone and its length


def _key(text: str) -> str | None:
    if len(text) > LONGEST or not ("." in text or ":" in text):
        return None
    import ipaddress

    try:
        if "/" not in text:
            return str(ipaddress.ip_address(text))
        return str(ipaddress.ip_interface(text))
    except ValueError:
        return None


def _keys(link: Link) -> Iterator[str]:
    import ipaddress

    for address in link.addresses:
        try:
            interface = ipaddress.ip_interface(address.address)
        except ValueError:
            continue
        yield str(interface.ip)
        yield str(interface)
        if interface.version == 6 and interface.is_link_local:
            for zone in (link.ifname, link.ifindex):
                yield f"{interface.ip}%{zone}"


FAMILY = LinkFamily("IP", 5, _key, _keys)
