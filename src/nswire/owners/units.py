"""systemd's units and machines, snaps and flatpaks: by the control groups of the processes in a namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.asked import away, namespaces
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import Gap, NsKey
    from nswire.owners.owner import Asking

ESCAPED = re.compile(r"\\x([0-9a-f]{2})")
SESSION = re.compile(r"^(?:session-.*|user@\d+|init)\.(?:scope|service)$")
# how the last part of a control group is read: pattern, type of owner, by whom
FORMS = (
    (re.compile(r"^snap\.([^.]+)\.([^.]+)(?:[.-].*)?\.(?:scope|service)$"), "app", "snap"),
    (re.compile(r"^app-flatpak-(.+)-\d+\.scope$"), "app", "flatpak"),
    (re.compile(r"^(.+\.(?:service|socket))$"), "unit", "systemd"),
    (re.compile(r"^(.+\.scope)$"), "unit", "systemd"),
)


def find(asking: Asking, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The unit of the oldest process of each namespace, unless that is merely somebody's login."""
    places = namespaces(asking)
    told: set[NsKey] = set()
    for pid, path in away(asking):
        ns = places.get(pid)
        if ns is None or ns not in left or ns in told:
            continue
        owner = _owner(path, pid)
        if owner is not None:
            told.add(ns)
            yield Claim(owner, ns)


def _owner(path: str, pid: int) -> Owner | None:
    for part in reversed(path.split("/")):
        if SESSION.match(part):
            return None
        for pattern, kind, by in FORMS:
            match = pattern.match(part)
            if match:
                name = unescaped(".".join(match.groups()))
                return Owner(kind, name, part, by, pid)
    return None


def unescaped(name: str) -> str:
    r"""A unit's name as its maker wrote it: systemd-escape puts `\x2d` for `-`."""
    return ESCAPED.sub(lambda match: chr(int(match[1], 16)), name)


SOURCE = Source("units", find, last=True)
