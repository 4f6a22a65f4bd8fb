"""What a team was told to do: teamd speaks to its driver, not to rtnetlink."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import team
from nswire.facets.facet import Detail, Facet
from nswire.facets.query import decoded, of_each, refused
from nswire.host import requests
from nswire.model.gaps import ADMINISTER, Unseen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import End, Loose, Value, Wire

WANTED = ("mode", "activeport")
UNREAD = Unseen("team.options", "the options of teams", ADMINISTER)


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """`mode`, and `activeport` by its name."""
    failures = []
    for end, (answer,) in of_each(client, ends, lambda link: (requests.team_options(link.ifindex),)):
        found = decoded(answer, team.decode)
        if isinstance(found, int):
            failures.append((end.ns, found))
            continue
        links = client.facts.links[end.ns]
        said: dict[str, Value] = {name: found[name] for name in WANTED if found.get(name)}
        port = links.get(int(found.get("activeport", 0) or 0))
        if port is not None:
            said["activeport"] = port.ifname
        yield Detail(end, said)
    yield from refused(client, failures, UNREAD)


FACET = Facet("team", lambda link: link.kind == "team", ask)
