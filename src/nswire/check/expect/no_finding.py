"""`[[no_finding]]`: that a rule of `nswire check` finds nothing, of the whole host or of what a handle stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.expect.values import Compared, Kind, Unjudged, only

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.check.expect.values import Look
    from nswire.check.rule import Subject
    from nswire.model.topology import Topology

KEYS: Mapping[str, type | tuple[type, ...]] = {"rule": str, "of": str}


def _text(given: Mapping[str, object]) -> str:
    return f"{given['rule']} finds nothing" + (f" of {given['of']}" if "of" in given else "")


def _compare(look: Look, given: Mapping[str, object]) -> list[Compared]:
    from nswire.check.naming import all_of, full
    from nswire.check.rules import TABLE, named
    from nswire.check.run import about

    word = str(given["rule"])
    if named(word) is None:
        raise Unjudged(f"{word}: there is no such rule; there are {', '.join(one.id for one in TABLE)}")
    subjects = _subjects(look.topology, str(given["of"])) if "of" in given else None
    report = look.report
    found = [
        one for one in all_of(report) if one.rule.id == word and (subjects is None or about(one, subjects))
    ]
    failed = [one for one in report.failed if one.rule == word]
    skipped = [one for one in report.skipped if one.rule == word]
    if not found and failed:
        raise Unjudged(f"{word}: {failed[0].error}")
    if not found and skipped:
        more = f", and {len(skipped) - 1} more" if len(skipped) > 1 else ""
        raise Unjudged(f"{word} could not be judged everywhere: {skipped[0].gap.text}{more}")
    told = (f"{full(report.topology, one.finding.subjects[0])}: {one.finding.cause.text}" for one in found)
    return [Compared(key="rule", expected=0, found=len(found), holds=not found, reason="; ".join(told))]


def _subjects(topology: Topology, word: str) -> set[Subject]:
    match = only(topology, word)
    spaces = {match.namespace.key} if match.namespace is not None else set()
    return {*(link.end for link in match.links), *spaces}


def _write(topology: Topology, words: tuple[str, ...]) -> Iterator[dict[str, object]]:
    """Every rule that could be judged, and finds nothing now; of handles, of the whole host all the same."""
    del words
    from nswire.check.rules import TABLE
    from nswire.check.run import run

    report = run(topology, TABLE)
    out = {
        *(one.rule.id for one in report.found),
        *(one.rule for one in report.skipped),
        *(one.rule for one in report.failed),
    }
    for rule in TABLE:
        if rule.id not in out:
            yield {"rule": rule.id}


KIND = Kind("no_finding", KEYS, ("rule",), _text, _compare, _write)
