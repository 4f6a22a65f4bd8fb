"""Why the other end of a link is not known: one row a state, with all that is said of it."""

from __future__ import annotations

import msgspec

from nswire.model.reasons import Reason


class Unresolved(msgspec.Struct, frozen=True):
    """A state of an end whose other end is not known for certain.

    name: as it stands in JSON
    link: where the other link is, as far as that is known; `{what}` it is, its `{index}`, `{where}` it is
    namespace: the same of the namespace that a tunnel's packets leave from; `{names}` are candidates
    fact: why it is not known, below the answer as a reason
    gap: the same in the list of what was not seen; None: gaps of its own tell it
    hint: what would show it; with root's rights, without them
    """

    name: str
    link: str
    namespace: str
    fact: str
    gap: Reason | None = None
    hint: tuple[str, str] = ("", "")


AGAIN = "ask again"
TABLE = (
    Unresolved(
        "gone",
        "{what} was {index} in {where}: there is no such link any more",
        "the namespace that its packets left from is gone",
        "nothing is there any more: it went while we looked",
        Reason("scan.link_gone", "it went while we looked", hint=AGAIN),
        (AGAIN, AGAIN),
    ),
    Unresolved(
        "moved",
        "{what} was {index} in {where}: what is there now names another end",
        "the namespace that its packets leave from changed while we looked",
        "what is there names something else: it moved while we looked",
        Reason("scan.link_moved", "it moved while we looked", hint=AGAIN),
        (AGAIN, AGAIN),
    ),
    Unresolved(
        "not visible",
        "{what} is {index} in a namespace that cannot be found ({where})",
        "no namespace that can be seen has the socket that its packets leave by",
        "no namespace that can be found is the one it means",
        Reason(
            "scan.netns_not_found",
            "no namespace that can be found is the one it is in",
            hint="ask again; nswire netns asks every source",
        ),
        ("`nswire netns` asks every source of namespaces", "root may see it (CAP_SYS_ADMIN, CAP_SYS_PTRACE)"),
    ),
    Unresolved(
        "not permitted",
        "{what} is {index} in a namespace this user cannot read ({where})",
        "its packets leave from a namespace that this user cannot read ({where})",
        "that namespace cannot be read by this user",
        hint=("root would see it (CAP_SYS_ADMIN, CAP_SYS_PTRACE)",) * 2,
    ),
    Unresolved(
        "ambiguous",
        "{what} is {index}, and this kernel does not say in which namespace; these fit:",
        "its packets leave from one of these namespaces, and this kernel does not say from which: {names}",
        "several links fit, and nothing that was asked tells in which namespace the other end is",
        Reason("scan.link_ambiguous", "several links fit, and nothing that was asked tells which it is"),
        hint=("Linux 4.0 and newer say in which namespace the other end is",) * 2,
    ),
    Unresolved(
        "not said",
        "{what} is there, but its kernel does not say which link it is ({index})",
        "its kernel does not say from which namespace its packets leave",
        "neither rtnetlink nor ethtool tells more",
        Reason("scan.link_not_said", "neither rtnetlink nor ethtool tells"),
    ),
)
_BY_NAME = {row.name: row for row in TABLE}


def of(name: str) -> Unresolved:
    """The row of a state. KeyError if there is no such state."""
    return _BY_NAME[name]
