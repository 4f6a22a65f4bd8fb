"""What is known of a link kind: the value of a row of the table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from nswire.kinds.fields import NO_FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nswire.kinds.fields import Field
    from nswire.model.values import LinkFact, Scalar

Relation = Literal["peer", "lower", "underlay"]


def iflink(fact: LinkFact) -> int | None:
    """Where most kinds keep the ifindex of the other link: IFLA_LINK; None if the kernel names none.

    Before Linux 5.10 it was left out where it equals the own ifindex, even if that is one of another namespace.
    """
    if fact.link is None and fact.link_netnsid is not None:
        return fact.ifindex
    return fact.link or None


def by_iflink(fact: LinkFact) -> tuple[int, ...]:
    """The same, as the links that a link stands on."""
    index = iflink(fact)
    return () if index is None else (index,)


NOTHING: Mapping[str, Scalar | None] = {}


class Kind(NamedTuple):
    """A link kind.

    `relation` is what it makes of the other link that it names: `peer` (the other end of a pair), `lower` (what is under
    it), `underlay` (what its outer packets leave by; naming none: whatever the routes say); None: it names none.
    `others` are the ifindexes of what it stands on, in the namespace of IFLA_LINK_NETNSID (none: its own), unless it
    keeps that namespace to itself (`netns_unsaid`).
    `fields` and `port_fields` are what IFLA_INFO_DATA says of it, and IFLA_INFO_SLAVE_DATA of a port of such a master;
    `brief` names the fields that are worth a word wherever such a link is told of, but for the value given beside them.

    `passing_state` is the `state` of a port of such a master through which frames pass.
    `switch`: a master that passes frames on between its ports and what is beyond, of an
    `aggregate` all ports lead there; `routes`: one whose ports are no way
    further by layer 2. `leaf`: as a port of a switch it is a client, since what
    is sent to it goes to the host itself, or, `served`, to a process that has its device open. Links of one `family` share a lower link and its MAC.
    `told_by_driver`: `ethtool -S` tells the peer's ifindex. `fallback` is the name of the link of that kind that the
    kernel itself puts into every new namespace.
    """

    name: str
    relation: Relation | None = None
    others: Callable[[LinkFact], tuple[int, ...]] = by_iflink
    fields: Mapping[int, Field] = NO_FIELDS
    port_fields: Mapping[int, Field] = NO_FIELDS
    brief: Mapping[str, Scalar | None] = NOTHING
    passing_state: str = ""
    netns_unsaid: bool = False
    switch: bool = False
    aggregate: bool = False
    routes: bool = False
    leaf: bool = False
    served: bool = False
    family: str = ""
    told_by_driver: bool = False
    fallback: str = ""
