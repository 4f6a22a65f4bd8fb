"""Ports of the host that lead into a container, by the word of who published them: `127.0.0.1:8080->80/tcp`."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, get_args

from nswire.model.values import Published

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.values import Pairs

Protocol = Literal["tcp", "udp", "sctp"]
PROTOCOLS: dict[str, Protocol] = {name: name for name in get_args(Protocol)}
HIGHEST = 65535
ADDRESS = re.compile(r"[0-9a-f.:]*")


def published(ports: Iterable[tuple[str, int, int, str]]) -> tuple[Published, ...]:
    """Each once, of (address of the host, its port, the container's port, protocol); those that can be none are left out."""
    told = dict.fromkeys(
        Published(address, outside, inside, PROTOCOLS[protocol])
        for address, outside, inside, protocol in ports
        if 0 < outside <= HIGHEST
        and 0 < inside <= HIGHEST
        and protocol in PROTOCOLS
        and ADDRESS.fullmatch(address)
    )
    return tuple(told)


def told(ports: tuple[Published, ...]) -> Pairs:
    """The same for people, as one pair of data; none: no pair."""
    return (("publishes", ", ".join(map(str, ports))),) if ports else ()
