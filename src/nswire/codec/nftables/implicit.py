"""An implicit chain (`tcp dport 80 jump { ... }`), which nft's JSON has as text alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.model.firewall import Unfollowed

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.firewall import Statement


def block(text: str, read: Callable[[Any], list[Statement]]) -> list[Statement]:  # noqa: ARG001
    """What such a block does."""
    return [Unfollowed(" ".join(text.split()))]
