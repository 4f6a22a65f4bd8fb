"""The ways of a packet for people: a line a step, indented by namespace; where it may take several, in common what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.path.values import Hop, Step
from nswire.show import words
from nswire.show.terminal import Paper, Span, fold_text, line, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Topology
    from nswire.model.values import NsKey
    from nswire.path.values import Way, Ways

WIDTH = 11  # of the longest type of step, and a blank
FATES = {"leaves": "up", "delivered": "up", "dropped": "down", "unknown": "doubt"}
VERDICTS = {
    "leaves": "it leaves this host",
    "delivered": "delivered",
    "dropped": "dropped",
    "unknown": "not known",
}


class _Branch(NamedTuple):
    """A way, and what is left to be told of it: namespaces, steps in them; or whole stays."""

    way: Way
    told: Sequence[NsKey | Step | Hop]


def write_ways(paper: Paper, topology: Topology, ways: Ways, *, hops: bool) -> None:
    """All ways that a packet may take, each with its end if there are several."""
    branches = [_Branch(way, list(way.hops) if hops else _steps(way)) for way in ways.ways]
    _Writer(paper, topology).write(branches, 0, "")


def _steps(way: Way) -> list[NsKey | Step | Hop]:
    found: list[NsKey | Step | Hop] = []
    for hop in way.hops:
        found += [hop.ns, *(step for step in hop.steps if not _is_verdict(step, way))]
    return found


def _is_verdict(step: Step, way: Way) -> bool:
    """Whether a step says what the verdict says, right below it."""
    return (
        step is way.hops[-1].steps[-1] and step.cause == way.reason and step.depth == 0 and not step.because
    )


class _Writer:
    def __init__(self, paper: Paper, topology: Topology) -> None:
        self._paper = paper
        self._topology = topology

    def write(self, branches: list[_Branch], chosen: int, indent: str) -> None:
        """What all of these have in common, once; then each from where it parts. `chosen`: so many choices were told already."""
        common = _common([branch.told for branch in branches])
        for one in branches[0].told[:common]:
            self._write(one, indent)
        if len(branches) == 1:
            return
        # they part at the latest where the first of their choices differs
        groups: dict[object, list[_Branch]] = {}
        shared = chosen + _common([branch.way.choices[chosen:] for branch in branches])
        for way, told in branches:
            key = way.choices[shared : shared + 1] or (way,)
            groups.setdefault(key, []).append(_Branch(way, told[common:]))
        for number, group in enumerate(groups.values()):
            until = shared + _common([branch.way.choices[shared:] for branch in group])
            assumed = group[0].way.choices[shared:until]
            if assumed:
                fold_text(
                    self._paper, line(indent), f"{'or if' if number else 'if'} {'; '.join(assumed)}:", "doubt"
                )
            self.write(group, until, indent + "  ")
            if len(group) == 1:
                way = group[0].way
                fold_text(
                    self._paper, line(indent + "  "), f"{VERDICTS[way.fate]}: {way.reason}", FATES[way.fate]
                )
                self._paper.print()

    def _write(self, one: NsKey | Step | Hop, indent: str) -> None:
        if isinstance(one, Step):
            self._step(one, indent)
        elif isinstance(one, Hop):
            self._hop(one, indent)
        else:
            where = words.netns(self._topology, self._topology.namespaces[one])
            self._paper.print(*line(indent), where)

    def _hop(self, hop: Hop, indent: str) -> None:
        """A namespace in one line: in by, out by, and as what it leaves if that changed."""
        names: list[Span] = []
        for step in hop.steps:
            link = self._topology.at(step.end)
            if step.way and link is not None:
                names += [Span("  "), span(step.way, "dim"), Span(" "), span(link.ifname, "name")]
        changed = hop.leaves != hop.enters and bool(hop.enters.src)
        told = (Span("  "), span(f"now {hop.leaves.text}", "doubt")) if changed else ()
        where = words.netns(self._topology, self._topology.namespaces[hop.ns])
        self._paper.print(*line(indent), where, *names, *told)

    def _step(self, step: Step, indent: str) -> None:
        start = line(indent + "  " * (step.depth + 1), Span(step.type.ljust(WIDTH), "dim"))
        link = self._topology.at(step.end)
        if step.way and link is not None and step.evidence == "proved":
            self._paper.print(*start, span(link.ifname, "name"))
            return
        told = f"{step.text} ({'; '.join(step.because)})" if step.because else step.text
        fold_text(self._paper, start, told, "doubt" if step.evidence != "proved" and not step.way else "")


def _common(sequences: Sequence[Sequence[object]]) -> int:
    """With how many members all of them begin alike."""
    first, *others = sequences
    return next(
        (at for at, one in enumerate(first) if any(list(other[at : at + 1]) != [one] for other in others)),
        len(first),
    )
