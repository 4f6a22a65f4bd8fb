"""What the document of `nswire check` is made of, besides what other documents have."""

from __future__ import annotations

import msgspec

from nswire.model.values import Scalar
from nswire.show.documents_reasons import GapDoc


class FactDoc(msgspec.Struct, frozen=True, kw_only=True):
    """What the kernel says of a link or a namespace, by the name that iproute2, or the kernel, has for it."""

    subject: str
    name: str
    value: Scalar


class FailedDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that broke, which is a fault of nswire; the others were judged."""

    rule: str
    error: str


class SuppressedDoc(msgspec.Struct, frozen=True, kw_only=True):
    """A finding that somebody wants not to be told, and why."""

    rule: str
    code: str
    subjects: tuple[str, ...]
    fingerprint: str
    reason: str


class SkippedDoc(msgspec.Struct, frozen=True, kw_only=True):
    """Where a rule could not be judged, and why."""

    rule: str
    gap: GapDoc
