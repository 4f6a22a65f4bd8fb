"""Prometheus' text, which node_exporter's textfile collector and OpenMetrics read alike: gauges, ended by `# EOF`.

The number of series is bounded, whatever the host has: what is left out is counted in `nswire_findings_left_out`.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from nswire.check import SEVERITIES
from nswire.check.naming import all_of, place
from nswire.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from nswire.check import Report

MOST = 1000
"""Series of one metric."""


class Metric(NamedTuple):
    """A gauge: its name, what it says, and its samples: labels and a value."""

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], float]]


def write(report: Report) -> Iterator[str]:
    """What was found, as metrics."""
    yield from lines(metrics(report))


def metrics(report: Report, most: int = MOST) -> list[Metric]:
    """What was found: a series a finding and link, counts by severity, and whether anything was not judged."""
    series: dict[tuple[str, str, str, str, str], None] = {}
    counts = dict.fromkeys(SEVERITIES, 0)
    for one in all_of(report):
        counts[one.severity] += 1
        where = place(report.topology, one.finding.subjects[0])
        series[(one.rule.id, one.finding.cause.code, one.severity, *where)] = None
    names = ("rule", "code", "severity", "namespace", "link")
    told = [(dict(zip(names, key, strict=True)), 1.0) for key in list(series)[:most]]
    moment = datetime.fromisoformat(report.topology.taken.time).timestamp()
    return [
        Metric("nswire_finding", "Something that is wrong (docs/rules/).", told),
        Metric(
            "nswire_findings",
            "How many things are wrong.",
            [({"severity": severity}, float(number)) for severity, number in counts.items()],
        ),
        Metric(
            "nswire_findings_left_out",
            "Findings without a series of their own, since there are too many.",
            [({}, float(max(0, len(series) - most)))],
        ),
        Metric(
            "nswire_check_incomplete",
            "1 if a rule could not be judged everywhere, or broke.",
            [({}, float(bool(report.skipped or report.failed)))],
        ),
        Metric("nswire_check_timestamp_seconds", "When the host was looked at.", [({}, moment)]),
    ]


def lines(some: Iterable[Metric]) -> Iterator[str]:
    """Metrics as text."""
    for metric in some:
        yield f"# TYPE {metric.name} gauge\n# HELP {metric.name} {metric.help}\n"
        for labels, value in metric.samples:
            inside = ",".join(f'{name}="{_label(text)}"' for name, text in labels.items())
            yield f"{metric.name}{{{inside}}} {value:.15g}\n" if inside else f"{metric.name} {value:.15g}\n"
    yield "# EOF\n"


def _label(text: str) -> str:
    """A value of a label: harmless on a terminal, and escaped as the format has it."""
    return visible(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
