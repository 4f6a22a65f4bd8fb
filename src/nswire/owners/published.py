"""Ports of the host that lead into a container, by the word of who published them: `127.0.0.1:8080->80/tcp`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.values import Pairs

PROTOCOLS = ("tcp", "udp", "sctp")
HIGHEST = 65535
ADDRESS = re.compile(r"[0-9a-f.:]*")


def published(ports: Iterable[tuple[str, int, int, str]]) -> Pairs:
    """(address of the host, its port, the container's port, protocol) of each, as one pair of data; none: no pair."""
    told = dict.fromkeys(
        f"{f'[{address}]' if ':' in address else address or '*'}:{outside}->{inside}/{protocol}"
        for address, outside, inside, protocol in ports
        if 0 < outside <= HIGHEST
        and 0 < inside <= HIGHEST
        and protocol in PROTOCOLS
        and ADDRESS.fullmatch(address)
    )
    return (("publishes", ", ".join(told)),) if told else ()
