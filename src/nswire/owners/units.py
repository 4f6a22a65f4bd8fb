"""systemd's units: by the control groups of the processes in a namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import away, user

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
SLICE = re.compile(r".+\.slice")
UNIT = re.compile(r".+\.(?:service|scope|socket|mount|swap)")
MANAGER = re.compile(r"user@(\d{1,10})\.service")  # a user's own systemd
LOGIN = re.compile(
    r"session-.*\.scope|init\.scope|user@\d+\.service"
)  # somebody's login, and not a unit of its own


class Unit(NamedTuple):
    """A unit: its name, and the user whose own systemd runs it (None: the system's)."""

    name: str
    uid: int | None


def unit(cgroup: str) -> Unit | None:
    """The unit that a control group belongs to: what comes next below the slices; below it, others choose the names.

    As systemd itself finds it (cg_path_get_unit and cg_path_get_user_unit in src/basic/cgroup-util.c).
    """
    parts = [part for part in cgroup.split("/") if part]
    found = _below_slices(parts)
    manager = MANAGER.fullmatch(found[0]) if found else None
    if manager:
        inside = _below_slices(found[1:])
        return Unit(inside[0], int(manager[1])) if inside and UNIT.fullmatch(inside[0]) else None
    return Unit(found[0], None) if found and UNIT.fullmatch(found[0]) else None


def _below_slices(parts: list[str]) -> list[str]:
    at = next((at for at, part in enumerate(parts) if not SLICE.fullmatch(part)), len(parts))
    return parts[at:]


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The units that have processes in these namespaces, unless that is merely somebody's login."""
    for row in away(client):
        of = unit(row.cgroup) if row.ns in left else None
        if of is None or LOGIN.fullmatch(of.name):
            continue
        data = () if of.uid is None else (("user", user(client, of.uid)),)
        yield Claim(Owner("unit", unescaped(of.name), of.name, "systemd", row.pid, data), row.ns)


def unescaped(name: str) -> str:
    r"""A unit's name as its maker wrote it: systemd-escape puts `\x2d` for `-`."""
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


SOURCE = Source("units", find, last=True)
