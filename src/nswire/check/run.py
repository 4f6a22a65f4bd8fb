"""Runs rules: what they find is looked at twice, and what follows from another finding is put under it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from nswire.check.network import COUNTERS, ONE_LOOK, Network
from nswire.check.rule import SEVERITIES, Failed, Found, Rule, Skipped
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence

    from nswire.check.rule import Severity, Subject
    from nswire.model.topology import Topology


class Report(msgspec.Struct, frozen=True):
    """What was found, worst first; where rules could not be judged; which of them broke.

    `topology` is that of the last look, which all of it is about. `rules` are those that were asked. `suppressed`: what
    somebody wants not to be told, and why.
    """

    topology: Topology
    rules: tuple[str, ...]
    found: tuple[Found, ...]
    skipped: tuple[Skipped, ...]
    failed: tuple[Failed, ...]
    looks: int = 1
    suppressed: tuple[tuple[Found, str], ...] = ()

    def at_least(self, severity: Severity) -> bool:
        """Whether anything that was found is that bad."""
        bad = SEVERITIES[: SEVERITIES.index(severity) + 1]
        return any(one.severity in bad for one in self.found)


def run(
    topology: Topology,
    rules: Sequence[Rule],
    again: Callable[[float], Topology] | None = None,
    *,
    since: Topology | None = None,
    interval: float = 0.0,
) -> Report:
    """Ask these rules. `again` waits so many seconds and looks once more; without it, as of a recording, one look must do.

    Rules about what is counted take two looks: `since` is an earlier one of the same host, or it is looked at again after
    `interval` seconds (0: they are skipped, with a gap).
    """
    if again is not None and interval:
        first = _look(topology, [rule for rule in rules if not rule.counters], None)
        return _twice(first, again(interval), rules, rules, since or topology)
    first = _look(topology, rules, since)
    if again is None or not first.found:
        return _folded(first)
    wanted = {one.rule.id for one in first.found}
    doubtful = [rule for rule in rules if rule.id in wanted]
    return _twice(first, again(max(rule.settles for rule in doubtful)), rules, doubtful, since)


def _twice(
    first: Report, later: Topology, rules: Sequence[Rule], doubtful: Sequence[Rule], since: Topology | None
) -> Report:
    """What is found at both looks, and, of rules about what is counted, at the second one; only `doubtful` rules are asked twice."""
    second = _look(later, doubtful, since)
    again = {rule.id for rule in doubtful}
    seen = {one.key for one in first.found}
    return _folded(
        Report(
            second.topology,
            tuple(rule.id for rule in rules),
            tuple(one for one in second.found if one.key in seen or one.rule.counters),
            (*(one for one in first.skipped if one.rule not in again), *second.skipped),
            (*(one for one in first.failed if one.rule not in again), *second.failed),
            looks=2,
        )
    )


def narrow(report: Report, subjects: Collection[Subject] | None, severity: Severity | None) -> Report:
    """What of it is about these links and namespaces (None: whatever), or in them, and is at least that bad."""
    bad = SEVERITIES if severity is None else SEVERITIES[: SEVERITIES.index(severity) + 1]
    found = (one for one in report.found if one.severity in bad)
    return replace(report, found=tuple(one for one in found if subjects is None or about(one, subjects)))


def about(one: Found, subjects: Collection[Subject]) -> bool:
    """Whether a finding, or what follows from it, is about one of these, or about a link in one."""
    at = one.finding.subjects
    inside = any(isinstance(each, End) and each.ns in subjects for each in at)
    return (
        inside or not set(at).isdisjoint(subjects) or any(about(each, subjects) for each in one.consequences)
    )


def _look(topology: Topology, rules: Sequence[Rule], since: Topology | None) -> Report:
    """All that rules say of one look, and what changed since an earlier one."""
    shared = Network(topology)
    before = None if since is None else Network(since)
    shared.lookups.ahead(frozenset(table for rule in rules for table in rule.needs))
    found: list[Found] = []
    skipped: list[Skipped] = []
    failed: list[Failed] = []
    for rule in rules:
        network = Network(topology, shared, before)
        if rule.counters and before is None:
            network.gap(topology.home, COUNTERS, ONE_LOOK())
            skipped += [Skipped(rule.id, gap) for gap in network.gaps]
            continue
        try:
            found += {one.key: one for one in _found(network, rule)}.values()
        except Exception as error:  # noqa: BLE001 (a broken rule must not take the others with it: it is reported)
            failed.append(Failed(rule.id, f"{type(error).__name__}: {error}"))
        skipped += [Skipped(rule.id, gap) for gap in network.gaps]
    return Report(topology, tuple(rule.id for rule in rules), tuple(found), tuple(skipped), tuple(failed))


def _found(network: Network, rule: Rule) -> Iterable[Found]:
    for finding in rule.find(network):
        severity = finding.severity or rule.severity
        yield Found(rule, finding, severity, network.owners(finding.subjects))


def _folded(report: Report) -> Report:
    """What follows from another finding stands below that one, so that one cause is one finding; the rest, worst first."""
    about: dict[tuple[str, Subject], Found] = {}
    for one in report.found:
        for subject in one.finding.subjects:
            about.setdefault((one.rule.id, subject), one)
    below: dict[object, list[Found]] = {}
    for one in report.found:
        cause = _cause_of(one, about)
        if cause is not None:
            below.setdefault(cause.key, []).append(one)
    under = {one.key for inner in below.values() for one in inner}
    top = [_with(one, below) for one in report.found if one.key not in under]
    top.sort(key=lambda one: (SEVERITIES.index(one.severity), report.rules.index(one.rule.id)))
    return replace(report, found=tuple(top))


def _cause_of(one: Found, about: dict[tuple[str, Subject], Found]) -> Found | None:
    for rule in one.rule.under:
        for subject in (*one.finding.subjects, *one.finding.hangs_on):
            cause = about.get((rule, subject))
            if cause is not None and cause is not one:
                return cause
    return None


def _with(one: Found, below: dict[object, list[Found]]) -> Found:
    inner = below.get(one.key)
    return one if inner is None else replace(one, consequences=tuple(_with(each, below) for each in inner))
