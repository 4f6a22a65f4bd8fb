"""Reports for other programs: each is parsed by what such programs parse it with, and hostile names are in all of them."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest
from drawings import build_everything

from nswire.check import Fact, Finding, Rule, run
from nswire.check.network import TABLE as UNSEEN
from nswire.check.rules import half_up, mtu_wire
from nswire.model.reasons import Reason
from nswire.path.values import Mend
from nswire.show.reports import TABLE, nagios, openmetrics

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Report
    from nswire.check.network import Network

EVIL = 'ev\x1b[31m<&">|\u202e\udcff\nil'
WRONG = Reason("half-up.wrong", "{link} is wrong")
WHY = Reason("scan.test", "no")
SAMPLE = re.compile(r'^([a-z_]+)(?:\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)*)\})? (\S+)$')


def every_link(network: Network) -> Iterator[Finding]:
    for link in network.links():
        yield Finding(
            cause=WRONG(link=EVIL),
            subjects=(link.end, link.end.ns),
            facts=(Fact(link.end, "mtu", 1),),
            mend=Mend("would", link.end.ns, ("ip", "link", EVIL)),
        )


def blind(network: Network) -> Iterator[Finding]:
    network.gap(network.topology.home, UNSEEN, WHY(), table=EVIL)
    return iter(())


def broken(_: Network) -> Iterator[Finding]:
    raise RuntimeError(EVIL)


FULL = (
    half_up.RULE._replace(find=every_link),
    mtu_wire.RULE._replace(find=blind),
    Rule("broken", "error", broken),
)
CLEAN = (mtu_wire.RULE._replace(find=lambda _: ()),)


@pytest.fixture
def full() -> Report:
    return run(build_everything(), FULL)


@pytest.fixture
def clean() -> Report:
    return run(build_everything(), CLEAN)


@pytest.mark.parametrize("name", list(TABLE))
def test_names_are_harmless(full: Report, name: str) -> None:
    text = "".join(TABLE[name](full))
    assert all(line.isprintable() for line in text.splitlines())
    text.encode()


def test_sarif(full: Report, clean: Report) -> None:
    """What GitHub asks of it: results even if there are none, levels, locations of both kinds, fingerprints that are stable."""
    (found,) = json.loads("".join(TABLE["sarif"](full)))["runs"]
    (none,) = json.loads("".join(TABLE["sarif"](clean)))["runs"]
    assert none["results"] == []
    assert none["invocations"][0]["executionSuccessful"]
    rules = [rule["id"] for rule in found["tool"]["driver"]["rules"]]
    assert len(found["results"]) == len(full.found)
    for result in found["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        (location,) = result["locations"]
        assert location["physicalLocation"]["artifactLocation"]["uri"].isascii()
        assert [one["kind"] for one in location["logicalLocations"]] == ["link", "namespace"]
    prints = [result["partialFingerprints"]["nswire/v1"] for result in found["results"]]
    assert len(set(prints)) == len(prints)
    notes = found["invocations"][0]["toolExecutionNotifications"]
    assert [(note["level"], note["associatedRule"]["id"]) for note in notes] == [
        ("warning", "mtu-wire"),
        ("error", "broken"),
    ]
    again = "".join(TABLE["sarif"](run(build_everything(), FULL)))
    assert [
        one["partialFingerprints"]["nswire/v1"] for one in json.loads(again)["runs"][0]["results"]
    ] == prints


def test_junit(full: Report, clean: Report) -> None:
    """A test case a rule: failed with all that it found, in error, skipped, or passed."""
    root = ET.fromstring("".join(TABLE["junit"](full)))
    (suite,) = root
    assert {name: suite.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "3", "failures": "1", "errors": "1", "skipped": "1",
    }  # fmt: skip
    failed, skipped, error = suite
    assert [case.get("name") for case in suite] == ["half-up", "mtu-wire", "broken"]
    assert [child.tag for case in (failed, skipped, error) for child in case] == [
        "failure",
        "skipped",
        "error",
    ]
    assert len((failed[0].text or "").splitlines()) == len(full.found)
    passed = ET.fromstring("".join(TABLE["junit"](clean)))
    assert [list(case) for case in passed[0]] == [[]]


def test_openmetrics(full: Report) -> None:
    """Each line is a comment or a sample, no series is there twice, and their number is bounded."""
    lines = "".join(openmetrics.lines(openmetrics.metrics(full, most=2))).splitlines()
    samples = [SAMPLE.match(line) for line in lines if not line.startswith("#")]
    assert None not in samples
    assert lines[-1] == "# EOF"
    keys = [match[0].rpartition(" ")[0] for match in samples if match]
    assert len(set(keys)) == len(keys)
    values = {key: match[3] for key, match in zip(keys, samples, strict=True) if match}
    assert sum(key.startswith("nswire_finding{") for key in keys) == 2
    assert int(values["nswire_findings_left_out"]) == len(full.found) - 2
    assert values['nswire_findings{severity="warning"}'] == str(len(full.found))
    assert values["nswire_check_incomplete"] == "1"


def test_nagios(full: Report, clean: Report) -> None:
    first = next(nagios.write(full))
    assert nagios.status(full) == nagios.UNKNOWN
    assert first.startswith("NSWIRE UNKNOWN - ")
    assert first.count("|") == 1
    assert "".join(nagios.write(full)).count("|") == 1
    assert (nagios.status(clean), next(nagios.write(clean)).partition(" | ")[0]) == (
        0,
        "NSWIRE OK - nothing found",
    )
    worse = run(build_everything(), (FULL[0]._replace(severity="error"),))
    assert nagios.status(worse) == nagios.CRITICAL
    assert nagios.status(run(build_everything(), FULL[:1])) == nagios.WARNING


@pytest.mark.parametrize("name", list(TABLE))
def test_ten_thousand_findings(name: str) -> None:
    """None of them is lost, and it takes no longer than it has to."""

    def many(network: Network) -> Iterator[Finding]:
        link = next(network.links())
        for number in range(10_000):
            yield Finding(cause=WRONG(link=str(number)), subjects=(link.end, -number), facts=())

    report = run(build_everything(), (half_up.RULE._replace(find=many),))
    text = "".join(TABLE[name](report))
    assert len(report.found) == 10_000
    expected = {"sarif": 10_000, "junit": 10_000, "openmetrics": 1, "nagios": nagios.SHOWN}[name]
    assert text.count("half-up.wrong") == expected
