"""Applications in a sandbox of snap or flatpak: by the unit that their launcher makes for them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import away, theirs
from nswire.owners.units import unescaped, unit

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

# snap.NAME.APP.service, snap.NAME.APP-UUID.scope (snapd 2.52 and newer: snap.NAME.APP-UUID), app-flatpak-ID-PID.scope
FORMS = (
    (
        re.compile(
            r"snap\.([^.]+\.[^.]+?)(?:[.-][0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})?\.(?:service|scope)"
        ),
        "snap",
    ),
    (re.compile(r"app-flatpak-(.+)-\d+\.scope"), "flatpak"),
)


def find(client: Client, left: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The applications that have a namespace of their own."""
    for row in away(client):
        of = unit(row.cgroup) if row.ns in left else None
        for pattern, by in FORMS if of is not None else ():
            match = pattern.fullmatch(of.name) if of is not None else None
            if match and of is not None:
                data = () if of.uid is None else theirs(client, of.uid)
                yield Claim(Owner("app", unescaped(match[1]), of.name, by, row.pid, data), row.ns)


SOURCE = Source("apps", find, last=True)
