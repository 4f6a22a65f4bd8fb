"""Facts to topology: which link is tied to which. No I/O; what is missing is returned as questions to ask.

`resolve` draws every conclusion that the facts allow and says what else it would have to know: which namespace ids to
ask for, which links to read again since their ends disagree, and which ids stay without a namespace. It looks at
nothing but the facts, so it can be called again whenever they grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.resolve import lower_links, peers

if TYPE_CHECKING:
    from nswire.model.facts import Facts
    from nswire.resolve.resolution import Outcome


def resolve(facts: Facts) -> Outcome:
    """Everything that the facts say about who is tied to whom."""
    outcome = peers.resolve(facts)
    lower_links.resolve(facts, outcome)
    return outcome
