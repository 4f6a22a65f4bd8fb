"""Reasons, and what could not be seen, as all documents have them."""

from __future__ import annotations

import msgspec


class MendDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What would change a packet's fate: a command, which nswire never runs, and what it would do."""

    effect: str
    command: str | None


class ReasonDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Why: a code that stays the same (docs/reasons.md), its sentence, and what that is about; a value may be such a reason itself.

    `drop_reason` is the kernel's (skb_drop_reason), where it has one for this.
    """

    code: str
    text: str
    values: dict[str, str | int | ReasonDoc]
    drop_reason: str | None


class GapDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Something that could not be seen: `where`, `what` it hides, `why`, and a `hint` at what would unlock it, all of it text.

    The same for programs: `code` is what it hides and `reason` why (docs/reasons.md), `subject` what it is about, by name;
    `errno` is the name of the error (`EPERM`), null if no system call failed; `requires` are the capabilities that would do.
    """

    where: str
    what: str
    why: str
    hint: str
    code: str
    subject: dict[str, str | int]
    reason: ReasonDoc
    errno: str | None
    requires: tuple[str, ...]
