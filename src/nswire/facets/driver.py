"""The device behind a physical link: driver, firmware, speed, and which port of a NIC's own switch it is or stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import ethtool
from nswire.codec.netlink import link as link_codec
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.facets.query import decoded, of_each
from nswire.host import requests

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from nswire.host.client import Client
    from nswire.host.system import Question
    from nswire.model.gaps import Gap
    from nswire.model.values import End, LinkFact, Loose, Value, Wire

DECODERS: tuple[Callable[[bytes], Mapping[str, int | str]], ...] = (
    ethtool.driver,
    ethtool.settings,
    link_codec.port,
)


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """What `ethtool -i` and `ethtool` say: a link without a driver behind it says nothing, and that is no gap."""
    for end, answers in of_each(client, ends, _questions):
        said: dict[str, Value] = {}
        for answer, decode in zip(answers, DECODERS, strict=True):
            found = decoded(answer, decode)
            if not isinstance(found, int):
                said.update(found)
        if said:
            yield Detail(end, said)


def _questions(link: LinkFact) -> tuple[Question, ...]:
    return requests.driver(link.ifname), requests.settings(link.ifname), requests.one_link(link.ifindex, 0)


FACET = Facet("device", lambda link: not link.kind and link.type != LOOPBACK, ask)
