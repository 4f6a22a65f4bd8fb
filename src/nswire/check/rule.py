"""What a rule is, and what it finds."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Literal, NamedTuple

import msgspec

from nswire.model.gaps import Gap
from nswire.model.reasons import Cause
from nswire.model.values import End, Evidence, NsKey, Owner, Scalar
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.check.network import Network

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
"""Worst first."""

Subject = End | NsKey
"""What a finding is about: a link, or a namespace."""

SETTLES = 2.0
"""Seconds after which something that was half built would be whole: what is found is looked at again then."""


class Fact(msgspec.Struct, frozen=True):
    """What the kernel says of a link or a namespace, by the name that iproute2, or the kernel, has for it."""

    subject: Subject
    name: str
    value: Scalar


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong: a reason whose code begins with the rule's id, about `subjects` (what is to be mended first).

    `severity` where it is not the rule's own. `mend` is a command that would make it right, which nswire never runs.
    `confidence` is the evidence of the weakest wire that the finding hangs on: "proved" where it hangs on none.
    `hangs_on`: links and namespaces (besides the subjects) whose own trouble would explain this one.
    """

    cause: Cause
    subjects: tuple[Subject, ...]
    facts: tuple[Fact, ...]
    mend: Mend | None = None
    severity: Severity | None = None
    confidence: Evidence = "proved"
    hangs_on: tuple[Subject, ...] = ()


class Rule(NamedTuple):
    """A row of the table.

    `id` is the word by which it is known, `severity` how bad what it finds is, as a rule. `find` looks at the network; the
    docstring of its module is the published page. `needs` are the tables that are asked ahead, for all namespaces at once
    (`discover.tables.AHEAD`). `under`: rules whose finding about the same thing is the cause of this one's. `settles`:
    seconds that what is found is given to become right by itself, as it does while something is being built. `counters`: it
    looks at what has been counted since an earlier look (`Network.before`), and is not asked without one.
    """

    id: str
    severity: Severity
    find: Callable[[Network], Iterable[Finding]]
    needs: tuple[str, ...] = ()
    under: tuple[str, ...] = ()
    settles: float = SETTLES
    counters: bool = False

    @property
    def page(self) -> str:
        """What is published about it, in Markdown; its first line says what it finds."""
        return (sys.modules[self.find.__module__].__doc__ or "").strip()

    @property
    def title(self) -> str:
        """What it finds, in a sentence."""
        return self.page.partition("\n")[0].rstrip(".")


class Found(msgspec.Struct, frozen=True):
    """A finding in a report: by which rule, how bad, whom it hits, and what follows from it."""

    rule: Rule
    finding: Finding
    severity: Severity
    owners: tuple[Owner, ...] = ()
    consequences: tuple[Found, ...] = ()

    @property
    def key(self) -> tuple[str, str, tuple[Subject, ...], tuple[str, ...]]:
        """The same at two looks; the numbers that it tells of may have changed meanwhile."""
        return self.rule.id, self.finding.cause.code, self.finding.subjects, self.words

    @property
    def words(self) -> tuple[str, ...]:
        """The names and addresses in its sentence."""
        return tuple(value for _, value in self.finding.cause.pairs if isinstance(value, str))


class Skipped(msgspec.Struct, frozen=True):
    """Where a rule could not be judged, and why."""

    rule: str
    gap: Gap


class Failed(msgspec.Struct, frozen=True):
    """A rule that broke: a fault of nswire, which the other rules do not suffer from."""

    rule: str
    error: str
