"""What is known already: findings of a baseline, and those that somebody has suppressed, with a reason, until some day."""

from __future__ import annotations

import datetime as dt
import tomllib
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from nswire.check.naming import fingerprint, full
from nswire.check.rule import Found

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nswire.check.run import Report
    from nswire.model.topology import Topology

BASELINE = "nswire/check"


class Suppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An entry `[[suppress]]` of the file.

    rule: the id of a rule, or a code of one (`mtu-wire`, `mtu-wire.l2`)
    object: `NETNS/IFNAME`, or a namespace, as `fnmatch` has it (`*`, `?`)
    reason: why it is no trouble here
    until: the last day on which it counts
    """

    rule: str
    object: str
    reason: str
    until: dt.date | None = None

    def expired(self, today: dt.date) -> bool:
        """Whether it counts no more."""
        return self.until is not None and self.until < today

    def covers(self, topology: Topology, found: Found) -> bool:
        """Whether a finding is what it is about: what is to be mended first, by name."""
        name = full(topology, found.finding.subjects[0])
        return self.rule in (found.rule.id, found.finding.cause.code) and fnmatchcase(name, self.object)


class _File(msgspec.Struct, forbid_unknown_fields=True):
    suppress: tuple[Suppression, ...] = ()


class _Finding(msgspec.Struct):
    fingerprint: str
    consequences: tuple[_Finding, ...] = ()


class _Baseline(msgspec.Struct):
    schema: str
    version: int
    findings: tuple[_Finding, ...]


def suppressions(text: str) -> tuple[Suppression, ...]:
    """The entries of a file (TOML). ValueError, with what is wrong."""
    found = msgspec.convert(tomllib.loads(text), _File).suppress
    empty = next((one for one in found if not one.reason.strip()), None)
    if empty is not None:
        raise ValueError(f"the suppression of {empty.rule} of {empty.object} gives no reason")
    return found


def baseline(text: bytes) -> frozenset[str]:
    """The fingerprints in what `nswire check --format json` printed. ValueError."""
    document = msgspec.json.decode(text, type=_Baseline)
    if document.schema != BASELINE or document.version != 1:
        raise ValueError("it is no document of `nswire check --format json`")
    return frozenset(_prints(document.findings))


def _prints(findings: Iterable[_Finding]) -> Iterator[str]:
    for one in findings:
        yield one.fingerprint
        yield from _prints(one.consequences)


def only_new(report: Report, known: Collection[str]) -> Report:
    """What of it is not in a baseline; what is new and follows from something known stands for itself."""

    def new(one: Found) -> Iterator[Found]:
        inner = tuple(each for below in one.consequences for each in new(below))
        if fingerprint(report.topology, one) in known:
            yield from inner
        else:
            yield replace(one, consequences=inner)

    return replace(report, found=tuple(each for one in report.found for each in new(one)))


def without(report: Report, entries: Iterable[Suppression], today: dt.date) -> Report:
    """What of it is not suppressed; the rest stands in `suppressed`, with its reason."""
    counting = [one for one in entries if not one.expired(today)]
    found, suppressed = [], []
    for one in report.found:
        entry = next((each for each in counting if each.covers(report.topology, one)), None)
        if entry is None:
            found.append(one)
        else:
            suppressed.append((one, entry.reason))
    return replace(report, found=tuple(found), suppressed=tuple(suppressed))
