"""What documents say of handles that were typed, and of links that carry nothing."""

from __future__ import annotations

import msgspec

from nswire.show.documents_reasons import ReasonDoc


class HandleDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A handle that several links or namespaces answer to: the one that was `chosen` (null: none, which is an error), and all `others`."""

    query: str
    chosen: str | None
    others: tuple[str, ...]


class InactiveDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Why a link carries nothing; `fix` is the command that would change it, null if none alone would."""

    reason: ReasonDoc
    fix: str | None
