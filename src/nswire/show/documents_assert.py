"""What the document of `nswire assert` is made of, besides what other documents have."""

from __future__ import annotations

from typing import Literal

import msgspec

from nswire.model.values import Taken
from nswire.show.documents_reasons import GapDoc


class ComparedDoc(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was compared: its key in the file, what was expected and what is so (null: nothing, or not known).

    `reason`: why it is so, in words; empty: there is nothing to say.
    """

    key: str
    expected: str | int
    found: str | int | None
    holds: bool
    reason: str


class OutcomeDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What came of an expectation: of which kind, which of that kind in the file (from 1), itself in a line.

    `status`: `error` is what could not be judged. `problems`: what is not as expected, in words; `values`: all that was compared.
    """

    kind: str
    number: int
    text: str
    status: Literal["holds", "fails", "error"]
    problems: tuple[str, ...]
    values: tuple[ComparedDoc, ...]


class AssertDocument(msgspec.Struct, frozen=True, kw_only=True):
    """`nswire assert --json`."""

    schema: Literal["nswire/assert"]
    version: Literal[1]
    taken: Taken
    holds: bool
    results: tuple[OutcomeDoc, ...]
    gaps: tuple[GapDoc, ...]
