"""SARIF 2.1.0 (OASIS), as GitHub's code scanning reads it: `results` is there even if nothing was found.

Logical locations are `NETNS/IFNAME`. GitHub shows a result only with a physical one: the recording, or a path that stands for
the namespace. `partialFingerprints` keep one finding one, from run to run. What could not be judged is a notification.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

from nswire.check.naming import all_of, fingerprint, full, place
from nswire.escape import visible
from nswire.show.text_path import fix
from nswire.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Found, Report

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LIVE = "live"


def write(report: Report) -> Iterator[str]:
    """The document, a result a line."""
    from nswire.check.rules import TABLE

    rules = [rule for rule in TABLE if rule.id in report.rules]
    known = {rule.id: number for number, rule in enumerate(rules)}
    driver = {
        "name": "nswire",
        "version": __version__,
        "rules": [
            {
                "id": rule.id,
                "shortDescription": {"text": rule.title},
                "help": {"text": rule.page, "markdown": rule.page},
                "defaultConfiguration": {"level": rule.severity},
            }
            for rule in rules
        ],
    }
    head = {"tool": {"driver": driver}, "invocations": [_invocation(report)]}
    yield f'{{"$schema":{_json(SCHEMA)},"version":"2.1.0","runs":[{_json(head)[:-1]},"results":['
    separator = "\n"
    for one in all_of(report):
        yield separator + _json(_result(report, one, known.get(one.rule.id, -1)))
        separator = ",\n"
    for one, reason in report.suppressed:
        result = _result(report, one, known.get(one.rule.id, -1))
        result["suppressions"] = [{"kind": "external", "justification": visible(reason)}]
        yield separator + _json(result)
        separator = ",\n"
    yield "\n]}]}\n"


def _invocation(report: Report) -> dict[str, object]:
    taken = report.topology.taken
    notes = [
        {
            "level": "warning",
            "message": {"text": visible(one.gap.text)},
            "associatedRule": {"id": one.rule},
        }
        for one in report.skipped
    ]
    notes += [
        {"level": "error", "message": {"text": visible(one.error)}, "associatedRule": {"id": one.rule}}
        for one in report.failed
    ]
    return {
        "executionSuccessful": not report.failed,
        "machine": visible(taken.hostname),
        "endTimeUtc": taken.time[:19] + "Z",
        "toolExecutionNotifications": notes,
    }


def _result(report: Report, one: Found, number: int) -> dict[str, object]:
    topology, finding = report.topology, one.finding
    names = [visible(full(topology, subject)) for subject in finding.subjects]
    kinds = ["namespace" if isinstance(subject, int) else "link" for subject in finding.subjects]
    return {
        "ruleId": one.rule.id,
        "ruleIndex": number,
        "level": one.severity,
        "message": {"text": visible(finding.cause.text)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": _uri(report, one)},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [
                    {"fullyQualifiedName": name, "kind": kind}
                    for name, kind in zip(names, kinds, strict=True)
                ],
            }
        ],
        "partialFingerprints": {"nswire/v1": fingerprint(topology, one)},
        "properties": {
            "code": finding.cause.code,
            "confidence": finding.confidence,
            "fix": visible(fix(report.topology, one.finding.mend)),
            "owners": [visible(f"{owner.type}:{owner.name}") for owner in one.owners],
        },
    }


def _uri(report: Report, one: Found) -> str:
    """The recording; or, of this machine, what stands for the namespace: it is no file of anybody's repository."""
    source = report.topology.taken.source
    if source != LIVE:
        return quote(source, safe="/")
    ns, _ = place(report.topology, one.finding.subjects[0])
    return "netns/" + quote(ns.encode("utf-8", "surrogateescape"), safe="")


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"))
