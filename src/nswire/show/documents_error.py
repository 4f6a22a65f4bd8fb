"""What is told in the place of a document, where there is none."""

from __future__ import annotations

from typing import Literal

import msgspec


class ErrorDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Instead of an answer of `nswire serve`: about what, why not, what may help, and what else there is to choose from."""

    schema: Literal["nswire/error"]
    version: Literal[1]
    subject: str
    reason: str
    hint: str
    matches: tuple[str, ...]
