"""What a kind of link does with a packet: the value of a row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Landing, Steps

    Handler = Callable[[PathContext, Link, Frame, Steps], Iterator[Landing]]


class Device(NamedTuple):
    """The packet model of some kinds of links (IFLA_INFO_KIND; "" is a NIC, or the loopback).

    transmit: what such a link does with a frame that the stack gives it (ndo_start_xmit); None: that stays the NIC's.
    from_port: what becomes of a frame that comes in by a port of such a master (its rx_handler).
    from_lower: what becomes of a frame that comes in by a link on which such a link stands (the same of that one).
    """

    kinds: tuple[str, ...]
    transmit: Handler | None = None
    from_port: Handler | None = None
    from_lower: Handler | None = None
