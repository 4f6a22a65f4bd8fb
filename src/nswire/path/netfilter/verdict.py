"""What a hook has decided about a packet, as steps of its way: it passes, or ends there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from nswire.model.reasons import Reason
from nswire.path.netfilter import foreign_hooks
from nswire.path.values import Ended, Going, Landing

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.path.context import PathContext
    from nswire.path.netfilter.hooks import Outcome
    from nswire.path.values import Mend

AT_HOOK = Reason("netfilter.hook", "{hook}: {cause}")


def passed(walk: PathContext, going: Going, outcome: Outcome, hook: str) -> Going:
    """What netfilter made of a packet, with its steps. Ended, if it does not let the packet pass."""
    steps = going.steps
    for kind, note in outcome.notes:
        steps += walk.step(kind, f"{hook}: {note}", going.ns, flow=outcome.packet.flow)
    after = Going(going.ns, outcome.packet, steps)
    if outcome.verdict in ("drop", "reject"):
        raise _ended(walk, after, "dropped", AT_HOOK(hook=hook, cause=outcome.reason), outcome.mend)
    if outcome.verdict == "queue":
        raise _ended(walk, after, "unknown", AT_HOOK(hook=hook, cause=outcome.reason))
    return after


def undisturbed(walk: PathContext, going: Going, family: str, hook: str) -> Going:
    """The packet again. Ended, if something decides at that hook that no ruleset has."""
    strange = foreign_hooks.decides(walk, going.ns, family, hook)
    if strange is not None:
        raise _ended(walk, going, "unknown", strange)
    return going


def _ended(
    walk: PathContext,
    going: Going,
    fate: Literal["dropped", "unknown"],
    reason: Cause,
    mend: Mend | None = None,
) -> Ended:
    steps = going.steps + walk.step("netfilter", reason, going.ns)
    return Ended(Landing(fate, steps, going.ns, None, None, going.packet, reason, mend))
