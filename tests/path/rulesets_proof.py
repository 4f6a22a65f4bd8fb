"""Says what becomes of packets in random rulesets, sends them, compares; shrinks what is wrong to the smallest ruleset.

tools/private-host .venv/bin/python tests/path/rulesets_proof.py PACKETS [--seed SEED] [--json FILE] [-v]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import sys
import time
import traceback
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import rulesets_grammar as grammar
from rulesets_lab import LISTENED, Laboratory, Line, Refused
from rulesets_packets import LONG, PATIENCE, TCP, UDP, Packet, Probe, Seen, sent_size

import nswire
from nswire.path import Flow, trace
from nswire.path.values import ARRIVED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rulesets_script import Ruleset

    from nswire.path import Trace
    from nswire.path.values import Way, Ways

STATEFUL = re.compile(
    r"dynamic|limit|quota|count|numgen|recent|statistic|hashlimit|connbytes|-j SET|@s\d+ \{"
)


class Compared(NamedTuple):
    """The way there and the answer: True if right, False if wrong, None if unknown, "" if there is nothing to compare."""

    forward: bool | None
    answer: bool | str | None

    @property
    def wrong(self) -> bool:
        """Whether anything that was said is not so."""
        return self.forward is False or self.answer is False


CANDIDATES = 6  # rulesets of which one is taken
CRASH = Compared(forward=False, answer="")


class Case(NamedTuple):
    """A packet in a ruleset: what was said, what was seen. `decided`: by the subject, without which its fate is another one."""

    seed: str
    number: int
    probe: Probe
    course: str
    family: str
    forms: tuple[str, ...]
    forward: bool | None
    answer: bool | str | None
    reasons: tuple[str, ...]
    was: str
    decided: bool
    once: bool = False
    smallest: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()
    said: str = ""

    @property
    def wrongly(self) -> bool:
        """Whether anything that was said is not so."""
        return self.forward is False or self.answer is False

    @property
    def told(self) -> str:
        """What is wrong, for people."""
        what, said, was = self.wrong or ("", self.said, self.was)
        rules = "".join(f"  {line}\n" for line in self.smallest)
        return f"{self.seed}/{self.number} {what}: {self.probe}\n{rules} said: {said}\n is:   {was}"


def ask(lab: Laboratory, probe: Probe) -> Trace:
    """What nswire says."""
    topology = nswire.scan()
    ported = probe.proto in (TCP, UDP)
    flow = Flow(probe.dst, probe.src, probe.proto, probe.sport if ported else 0, probe.dport if ported else 0)
    return trace(
        topology,
        topology.lookups(),
        lab.nodes[probe.node].inode,
        flow,
        mark=probe.mark,
        size=sent_size(probe),
        uid=os.geteuid(),
        gid=os.getegid(),
    )


def compare(lab: Laboratory, said: Trace, probe: Probe, seen: Seen) -> Compared:
    """What was said with what was seen."""
    names = {ns.inode: name for name, ns in lab.nodes.items()}
    forward = fate_of(names, said.forward, seen.got)
    if forward is not True or seen.got is None:
        return Compared(forward, "")
    if probe.proto == UDP and seen.got.dport not in LISTENED:
        return Compared(forward, "")  # the answer is an ICMP error, of which nothing is said
    if said.reply is None:
        return Compared(forward, None if seen.answer else "")
    return Compared(forward, fate_of(names, said.reply, seen.answer))


def fate_of(names: dict[int, str], said: Ways, got: Packet | None) -> bool | None:
    """Whether a packet ended as was said: True or False, None if nothing was."""
    if said.fate == "unknown":
        return None
    if (said.fate in ARRIVED) != (got is not None):
        return False
    return got is None or any(_ends(names, way, got) for way in said.ways)


def _ends(names: dict[int, str], way: Way, got: Packet) -> bool:
    """Whether a way ends where, and as, a packet arrived."""
    flow = way.hops[-1].leaves if way.hops else None
    if flow is None or (way.end is not None and names.get(way.end.ns) != got.node):
        return False
    pairs = ((flow.src, got.src), (flow.dst, got.dst), (flow.sport, got.sport), (flow.dport, got.dport))
    return all(one == other or not one for one, other in pairs)


def described(said: Trace) -> str:
    """What was said, in a line."""
    words = []
    for ways in (said.forward, said.reply):
        if ways is not None:
            flow = next((way.hops[-1].leaves.text for way in ways.ways if way.hops), "")
            words.append(f"{ways.fate} ({flow}): {ways.reason}")
    return "; answer: ".join(words)


def reasons(said: Trace, got: Compared) -> tuple[str, ...]:
    """Why what is not known is not known: by code, or in words without numbers and names."""
    return tuple(
        _code(ways)
        for ways, what in ((said.forward, got.forward), (said.reply, got.answer))
        if ways is not None and what is None
    )


def _code(ways: Ways) -> str:
    first = next((way for way in ways.ways if way.fate == "unknown"), None)
    cause = first.reason if first is not None else ways.reason
    code = cause.root.code if cause is not None else ""
    if first is None:
        rule = re.search(r"the rule `(.*?)`", str(cause))
        return (
            "it depends: "
            + (
                re.sub(r"0x[0-9a-f]+|[\da-f:.]*\d[\da-f:./-]*|\"\w+\"|@\w+", "N", rule[1])
                if rule
                else str(cause)
            )[:120]
        )
    return str(code) or re.sub(r"\d+", "N", str(cause))[:160]


class Proof:
    """Rulesets one after the other in a laboratory."""

    def __init__(
        self, lab: Laboratory, seed: str, *, shrinks: bool = True, unknown: bool = False, steers: bool = True
    ) -> None:
        self.lab = lab
        self.seed = seed
        self.shrinks = shrinks
        self.unknown = unknown  # shrink what is not told, too
        self.cases: list[Case] = []
        self.tried: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.failed: list[str] = []
        self.why: dict[str, str] = {}
        self.decided: Counter[str] = Counter()
        self.steers = steers

    def made(self, number: int) -> Ruleset:
        """The ruleset of that number, which the seed alone says."""
        return grammar.make(random.Random(f"{self.seed}/{number}"), number)

    def chosen(self, number: int) -> Ruleset:
        """Of the next few the one whose subject has the forms that have decided least, and were not tried in vain too often."""
        few = [self.made(number * CANDIDATES + at) for at in range(CANDIDATES)]
        return max(
            few,
            key=lambda one: sum(1 / (1 + 4 * self.decided[form] + self.tried[form]) for form in _aimed(one)),
        )

    def ruleset(self, number: int) -> list[Case]:
        """One ruleset with its packets."""
        made = self.chosen(number) if self.steers else self.made(number)
        number = made.number
        for line in made.lines:
            self.tried.update(line.forms)
        subject = next((line for line in made.lines if line.subject), None)
        try:
            lines, refused = self.lab.load(made.lines)
        except Refused as why:
            for form in subject.forms if subject else ():
                self.refused[form] += 1
            self.why[subject.text if subject else ""] = str(why)
            return []
        for line, words in refused:
            self.refused.update(line.forms)
            self.why[line.text] = words
        found: list[Case] = []
        decided: list[str] = []
        try:
            for at, probe in enumerate(made.probes):
                if at:
                    self._again(lines)
                found.append(self._case(number, lines, subject, probe, made.courses[at]))
            if subject is not None:
                decided = self._contrast(lines, made.probes)
        except Refused as again:  # what was taken once is not taken again
            self.failed.append(f"{self.seed}/{number}: {again}")
        for at, without in enumerate(decided):
            found[at] = found[at]._replace(decided=found[at].was != without)
            self.decided.update(found[at].forms if found[at].decided else ())
        self.cases += found
        return found

    def _again(self, lines: Sequence[Line]) -> None:
        if any(STATEFUL.search(line.text) for line in lines):
            self.lab.load(lines, strict=True)
        else:
            self.lab.forget()

    def _case(self, number: int, lines: list[Line], subject: Line | None, probe: Probe, course: str) -> Case:
        said = self._asked(probe)
        seen = self.lab.post.send(probe)
        got = CRASH if isinstance(said, str) else compare(self.lab, said, probe, seen)
        once = False
        smallest: tuple[str, ...] = ()
        wrong: tuple[str, ...] = ()
        if got.wrong:
            again = self.wrong(lines, probe, LONG)
            once = again is None
            if again is not None and self.shrinks:
                fewest = shrink(lines, lambda some: _alike(self.wrong(some, probe, PATIENCE), got))
                smallest = _written(fewest)
                wrong = self.wrong(fewest, probe, LONG) or again
            elif again is not None:
                smallest, wrong = _written(lines), again
            self.lab.load(lines, strict=True)
        elif self.unknown and None in (got.forward, got.answer):
            kind = "forward" if got.forward is None else "answer"
            smallest = _written(shrink(lines, lambda some: self._unknown(some, probe, kind)))
            self.lab.load(lines, strict=True)
        return Case(
            self.seed, number, probe, course, _family(subject), subject.forms if subject else (),
            got.forward, got.answer, () if isinstance(said, str) else reasons(said, got), seen.told, decided=False, once=once,
            smallest=smallest, wrong=wrong, said=said if isinstance(said, str) else described(said),
        )  # fmt: skip

    def _asked(self, probe: Probe) -> Trace | str:
        """What nswire says; in words, if it does not come back with an answer, which is as wrong as can be."""
        try:
            return ask(self.lab, probe)
        except Exception as error:  # noqa: BLE001 (whatever it is, it is to be found)
            at = traceback.extract_tb(error.__traceback__)[-1]
            return f"{error!r} at {Path(at.filename).name}:{at.lineno}"

    def wrong(self, lines: Sequence[Line], probe: Probe, patience: float) -> tuple[str, str, str] | None:
        """What is said wrong of a packet in a ruleset: of the way `there` or of the `answer`, what, and what is true."""
        try:
            self.lab.load(lines, strict=True)
        except Refused:
            return None
        said = self._asked(probe)
        seen = self.lab.post.send(probe, patience)
        if isinstance(said, str):
            return "crash", said, seen.told
        got = compare(self.lab, said, probe, seen)
        return (
            ("there" if got.forward is False else "answer", described(said), seen.told) if got.wrong else None
        )

    def _unknown(self, lines: Sequence[Line], probe: Probe, kind: str) -> bool:
        """Whether what becomes of a packet in a ruleset is not told."""
        try:
            self.lab.load(lines, strict=True)
        except Refused:
            return False
        said = self._asked(probe)
        if isinstance(said, str):
            return False
        return getattr(compare(self.lab, said, probe, self.lab.post.send(probe)), kind) is None

    def _contrast(self, lines: Sequence[Line], probes: Sequence[Probe]) -> list[str]:
        """What becomes of the packets without the subject."""
        rest = [line for line in lines if not line.subject]
        found = []
        try:
            self.lab.load(rest, strict=True)
        except Refused:
            return []
        for at, probe in enumerate(probes):
            if at:
                self._again(rest)
            found.append(self.lab.post.send(probe).told)
        return found


def _alike(again: tuple[str, str, str] | None, got: Compared) -> bool:
    """Whether it is the same that is wrong."""
    if got is CRASH:
        return again is not None and again[0] == "crash"
    return again is not None and again[0] == ("there" if got.forward is False else "answer")


def _aimed(made: Ruleset) -> set[str]:
    """The forms of what a ruleset was made for."""
    return {form for line in made.lines if line.subject for form in line.forms}


def _family(subject: Line | None) -> str:
    if subject is None:
        return ""
    return (
        f"nft {subject.clauses[0].split()[2]}" if subject.tool == "nft" else f"{subject.tool} {subject.table}"
    )


def _written(lines: Sequence[Line]) -> tuple[str, ...]:
    return tuple(
        f"{line.node}: {line.tool}{f' -t {line.table}' if line.table else ''} {line.text}" for line in lines
    )


def shrink(lines: Sequence[Line], wrong: Callable[[Sequence[Line]], bool]) -> list[Line]:
    """The smallest ruleset that is still told wrong: without whole lines, then without clauses."""
    fewest = list(lines)
    size = max(1, len(fewest) // 2)
    while True:
        before = len(fewest)
        at = len(fewest)
        while at > 0:  # from the end: what is used stands before what uses it
            start = max(0, at - size)
            some = fewest[:start] + fewest[at:]
            if wrong(some):
                fewest = some
            at = start
        if size == 1 and len(fewest) == before:
            break
        size = max(1, size // 2)
    for at, line in enumerate(fewest):
        kept = line
        for clause in line.clauses[1:]:
            shorter = kept._replace(clauses=tuple(one for one in kept.clauses if one != clause))
            if wrong([*fewest[:at], shorter, *fewest[at + 1 :]]):
                kept = shorter
                fewest[at] = kept
    return fewest


def _bare(line: str) -> str:
    """A rule without numbers and names."""
    return re.sub(
        r"0x[0-9a-f]+|[\da-f:.]*\d[\da-f:./-]*",
        "N",
        re.sub(r"^\w+: (\S+) add rule (\w+) \w+ \w+", r"\1 \2", line),
    )


def drawn() -> str:
    """A seed that nobody has chosen."""
    return os.urandom(6).hex()


def main() -> int:
    """Prove some, and tell; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(
        description="Say what becomes of packets in random rulesets, send them, compare."
    )
    parser.add_argument("packets", type=int)
    parser.add_argument("--seed", default="", help="that of an earlier run; otherwise it is drawn")
    parser.add_argument("--json", type=Path, help="write the cases there")
    parser.add_argument("--limit", type=float, default=1e9, help="seconds")
    parser.add_argument("--first", type=int, default=0, help="the first ruleset")
    parser.add_argument(
        "--only", type=int, default=-1, help="nothing but the ruleset of that number, as a report has it"
    )
    parser.add_argument("--keep", action="store_true", help="do not shrink what is wrong")
    parser.add_argument("--unknown", action="store_true", help="shrink what is not told, too")
    parser.add_argument("-v", action="store_true", help="tell what is refused and unknown")
    asked = parser.parse_args()
    seed = asked.seed or drawn()
    sys.stdout.write(f"seed {seed}\n")
    started = time.monotonic()
    with Laboratory() as lab:
        proof = Proof(lab, seed, shrinks=not asked.keep, unknown=asked.unknown)
        number = asked.first
        if asked.only >= 0:
            proof.steers, number, asked.packets = False, asked.only, 1
        while len(proof.cases) < asked.packets and time.monotonic() - started < asked.limit:
            for case in proof.ruleset(number):
                if case.wrongly:
                    sys.stdout.write(f"{'unsteady ' if case.once else ''}{case.told}\n\n")
                    sys.stdout.flush()
            number += 1
            if number % 50 == 0:  # whoever waits for it sees that it goes on
                sys.stderr.write(f"{len(proof.cases)} packets in {time.monotonic() - started:.0f} s\n")
        late = lab.post.late
    tell(proof, number - asked.first, late, time.monotonic() - started, verbose=asked.v)
    if asked.json is not None:
        asked.json.write_text(json.dumps(document(proof, number - asked.first), indent=1, default=str))
    return int(any(one.wrongly and not one.once for one in proof.cases) or bool(proof.failed))


def document(proof: Proof, rulesets: int) -> dict[str, Any]:
    """All of a run."""
    return {
        "kernel": os.uname().release,
        "date": datetime.now(UTC).date().isoformat(),
        "seed": proof.seed,
        "rulesets": rulesets,
        "cases": [one._asdict() for one in proof.cases],
        "tried": proof.tried,
        "refused": proof.refused,
        "failed": proof.failed,
    }


def tell(proof: Proof, rulesets: int, late: int, seconds: float, *, verbose: bool) -> None:
    """The run in some lines."""
    write = sys.stdout.write
    for text in proof.failed:
        write(f"failed: {text}\n")
    words = {True: "right", None: "unknown", False: "wrong", "": "not compared"}
    cases = proof.cases
    forward = Counter("unsteady" if one.once else words[one.forward] for one in cases)
    answer = Counter("unsteady" if one.once else words[one.answer] for one in cases)
    decided = sum(one.decided for one in cases)
    write(
        f"{os.uname().release}: {rulesets} rulesets, {len(cases)} packets in {seconds:.0f} s, {late} late\n"
    )
    write(
        f"there: {dict(forward)}\nanswer: {dict(answer)}\ndecided by a rule: {decided}, failed {len(proof.failed)}\n"
    )
    for reason, count in Counter(reason for one in cases for reason in one.reasons).most_common(40):
        write(f"{count:5} x {reason}\n")
    last = Counter(_bare(one.smallest[-1]) for one in cases if one.smallest and not one.wrongly)
    for text, count in last.most_common():
        write(f"{count:5} unknown: {text}\n")
    if verbose:
        rows = {form for one in cases for form in one.forms}
        for form in sorted(rows | set(proof.tried)):
            mine = [one for one in cases if form in one.forms]
            write(
                f"{form:40} tried {proof.tried[form]:4} refused {proof.refused[form]:4} packets {len(mine):4} "
                f"decided {sum(one.decided for one in mine):4} unknown {sum(one.forward is None for one in mine):4}\n"
            )
        for text, why in proof.why.items():
            write(f"refused: {text}\n     {why}\n")


if __name__ == "__main__":
    sys.exit(main())
