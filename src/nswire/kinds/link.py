"""Where most kinds keep the ifindex of the other link: IFLA_LINK."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nswire.model.values import LinkFact


def iflink(fact: LinkFact) -> int | None:
    """The other link's ifindex; None if the kernel names none.

    Before Linux 5.10 IFLA_LINK was left out where it equals the own ifindex, even if that is one of another namespace.
    """
    if fact.link is None and fact.link_netnsid is not None:
        return fact.ifindex
    return fact.link or None
