"""Reasons and gaps to documents."""

from __future__ import annotations

from errno import errorcode
from typing import TYPE_CHECKING

from nswire.model.reasons import Cause
from nswire.show.documents_reasons import GapDoc, ReasonDoc

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.model.gaps import Gap


def reason(cause: Cause) -> ReasonDoc:
    """A cause, with all that led to it."""
    return ReasonDoc(code=cause.code, text=cause.text, values=values(cause), drop_reason=cause.drop or None)


def values(cause: Cause) -> dict[str, str | int | ReasonDoc]:
    """What the sentence of a cause is about, by name."""
    return {name: _value(value) for name, value in cause.pairs}


def _value(value: str | int | Cause) -> str | int | ReasonDoc:
    return reason(value) if isinstance(value, Cause) else value


def gaps(some: Iterable[Gap]) -> Iterator[GapDoc]:
    """What could not be seen."""
    for gap in some:
        yield GapDoc(
            where=gap.where,
            what=gap.what,
            why=gap.why,
            hint=gap.hint,
            code=gap.code,
            subject=gap.subject,
            reason=reason(gap.cause),
            errno=errorcode.get(gap.errno, str(gap.errno)) if gap.errno else None,
            requires=gap.requires,
        )
