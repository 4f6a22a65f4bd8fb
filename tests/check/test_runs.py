"""How rules are run, by rules made up for it: a look that is repeated, a cause and what follows from it, one that breaks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from drawings import build_everything

import nswire
from nswire.check import Fact, Finding, Rule, narrow, run
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.check.rule import Subject
    from nswire.model.topology import Topology

WRONG = Reason("test.wrong", "{link} is wrong")
AFTER = Reason("after.wrong", "{link} is wrong as well")


@pytest.fixture
def topology() -> Topology:
    return build_everything()


def finding(reason: Reason, *subjects: Subject, hangs_on: tuple[Subject, ...] = ()) -> Finding:
    return Finding(
        cause=reason(link=str(subjects[0])),
        subjects=subjects,
        facts=(Fact(subjects[0], "mtu", 1),),
        hangs_on=hangs_on,
    )


def every_link(network: Network) -> Iterator[Finding]:
    """A rule that finds fault with every link."""
    for link in network.links():
        yield finding(WRONG, link.end)


def first_two(network: Network) -> Iterator[Finding]:
    """One that finds fault with two of them."""
    for link in list(network.links())[:2]:
        yield finding(AFTER, link.end.ns, hangs_on=(link.end,))


def breaks(network: Network) -> Iterator[Finding]:
    """One that breaks after its first finding."""
    yield finding(WRONG, next(network.links()).end)
    raise RuntimeError("it is broken")


TEST, LATER = Rule("test", "note", every_link, settles=1.0), Rule("after", "error", first_two)


def test_worst_first(topology: Topology) -> None:
    report = run(topology, (TEST, LATER))
    assert [one.severity for one in report.found][:2] == ["error", "note"]
    assert report.at_least("error")
    assert not run(topology, (TEST,)).at_least("warning")
    assert len(report.found) == len(list(topology)) + len({link.end.ns for link in list(topology)[:2]})


def test_what_follows_stands_under_its_cause(topology: Topology) -> None:
    """The two that hang on links with findings of their own are no findings of their own."""
    report = run(topology, (LATER._replace(under=("test",)), TEST))
    inner = [each.rule.id for one in report.found for each in one.consequences]
    assert {one.rule.id for one in report.found} == {"test"}
    assert inner == ["after"] * len(inner)
    assert inner


def test_a_rule_that_breaks_takes_no_other_along(topology: Topology) -> None:
    report = run(topology, (Rule("breaks", "error", breaks), TEST))
    assert [(one.rule, one.error) for one in report.failed] == [("breaks", "RuntimeError: it is broken")]
    assert len(report.found) == len(list(topology))


def test_what_is_right_at_the_second_look_was_being_built(topology: Topology) -> None:
    """Only rules that found something are asked again, after the time that they say."""
    waited = []
    looks = iter([2, 1])

    def some(network: Network) -> Iterator[Finding]:
        for link in list(network.links())[: next(looks)]:
            yield finding(WRONG, link.end)

    def again(seconds: float) -> Topology:
        waited.append(seconds)
        return topology

    silent = Rule("silent", "error", lambda _: ())
    report = run(topology, (silent, Rule("some", "error", some, settles=7.0)), again)
    assert (waited, report.looks, len(report.found)) == ([7.0], 2, 1)
    assert report.rules == ("silent", "some")
    assert run(topology, (silent,), again).looks == 1
    assert waited == [7.0]


def test_only_what_is_asked_for(topology: Topology) -> None:
    report = run(topology, (TEST,))
    one = next(iter(topology))
    assert [each.finding.subjects for each in narrow(report, {one.end}, None).found] == [(one.end,)]
    assert not narrow(report, None, "error").found
    inside = narrow(report, {one.end.ns}, "note").found
    assert len(inside) == len(list(topology.links(one.end.ns)))


def test_a_rule_that_there_is_not(topology: Topology) -> None:
    with pytest.raises(LookupError, match="no-such"):
        nswire.findings(topology, "no-such")


def test_what_is_counted_takes_two_looks(topology: Topology) -> None:
    """Without an earlier look such a rule is skipped; with one it has it, and need not find the same twice."""
    seen = []

    def counting(network: Network) -> Iterator[Finding]:
        seen.append(network.before is not None and network.before.topology is topology)
        link = next(network.links())
        yield finding(WRONG, link.end)

    rules = (Rule("counting", "error", counting, counters=True), TEST)
    once = run(topology, rules)
    assert [(one.rule, one.gap.code) for one in once.skipped] == [("counting", "check.counters")]
    assert seen == []
    waited = []

    def again(seconds: float) -> Topology:
        waited.append(seconds)
        return build_everything()

    report = run(topology, rules, again, interval=3.0)
    assert (waited, report.looks, seen) == ([3.0], 2, [True])
    assert len(report.found) == 1 + len(list(topology))
    assert run(build_everything(), rules, since=topology).skipped == ()
