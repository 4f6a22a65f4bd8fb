"""Bonds and teams: out by one of the ports, in by all (drivers/net/bonding, team)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.path.devices.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Landing, Steps

NO_ACTIVE_PORT = Reason("bond.no_active_port", "no port of {link} is active and up")
MASTER_UNKNOWN = Reason("bond.master_unknown", "the master of {port} cannot be seen", unknown=True)
BACKUP = Reason("bond.backup", "{port} is the backup of {link}, and takes nothing")

LOWER_UP = 0x10000
BOND = "bond"
ONE, ALL = "active-backup", "broadcast"


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """By the active port; where a hash or a turn decides: by each that is up, one after the other."""
    alive = [port for port in link.ports if port.fact.flags & LOWER_UP]
    details = kinds.details(link.fact) if link.kind == BOND else {}
    mode = str(details.get("mode", ""))
    active = details.get("active_slave")
    if mode == ONE:
        alive = [port for port in alive if str(port.ifindex) == str(active)]
    if not alive:
        yield ctx.l2.lost(link, frame, steps, NO_ACTIVE_PORT(link=link.ifname))
        return
    if mode == ALL or ctx.l2.light or frame.along is not None:
        along = [port for port in alive if frame.along is None or port.end in frame.along]
        for port in along if mode == ALL else (along or alive)[:1]:
            yield from ctx.l2.send(port, frame, steps)
        return
    taken = ctx.chooser.choose([f"{link.ifname} sends it by {port.ifname}" for port in alive])
    yield from ctx.l2.send(alive[taken], frame, steps)


def arrive(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """As if it came in by the bond; a port that is not active takes nothing (bond_handle_frame)."""
    master = link.master
    if master is None:
        yield ctx.l2.unknown(link, frame, steps, MASTER_UNKNOWN(port=link.ifname))
        return
    details = kinds.port_details(link.fact) if link.fact.slave_kind == BOND else {}
    if details.get("state") == "BACKUP" and kinds.details(master.fact).get("mode") == ONE:
        yield ctx.l2.lost(link, frame, steps, BACKUP(port=link.ifname, link=master.ifname))
        return
    yield from ctx.l2.arrive(master, frame, steps)


DEVICES = (Device((BOND, "team"), transmit=send, from_port=arrive),)
