"""The ways of a packet for people: a line a step, indented by namespace; where it may take several, in common what they have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.path.values import Hop, Step
from nswire.show import words
from nswire.show.terminal import Line, Paper, Span, fold, fold_text, line, span, width

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Topology
    from nswire.model.values import NsKey
    from nswire.path.values import Way, Ways

WIDTH = 11  # of the longest type of step, and a blank
FATES = {"leaves": "up", "delivered": "up", "refused": "down", "dropped": "down", "unknown": "doubt"}
MARKS = {"leaves": "✔", "delivered": "✔", "refused": "✘", "dropped": "✘", "unknown": "?"}
PLAIN_MARKS = {"✔": "[ok]", "✘": "[no]", "?": "[?]"}  # of a stream that is no UTF-8
VERDICTS = {
    "leaves": "it leaves this host",
    "delivered": "delivered",
    "refused": "refused",
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
        shared_part = branches[0].told[:common]
        hops = [one for one in shared_part if isinstance(one, Hop)]
        if hops:
            self._chain(hops, indent)
        for one in shared_part:
            if not isinstance(one, Hop):
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
                    self._paper,
                    line(indent + "  "),
                    f"{marked(self._paper, way.fate)} {VERDICTS[way.fate]}: {way.reason}",
                    FATES[way.fate],
                )
                self._paper.print()

    def _write(self, one: NsKey | Step, indent: str) -> None:
        if isinstance(one, Step):
            self._step(one, indent)
        else:
            where = words.netns(self._topology, self._topology.namespaces[one])
            self._paper.print(*line(indent), where)

    def _chain(self, hops: Sequence[Hop], indent: str) -> None:
        """Namespaces in a row, each with the links by which it comes in and goes out, and what NAT makes of it there."""
        words_of = [self._hop(hop) for hop in hops]
        arrow = line(Span("→ " if self._paper.unicode else "-> ", "dim"))
        chain = [words_of[0], *((*arrow, *one) for one in words_of[1:])]
        fold(self._paper, line(indent), chain, line(indent, "  "), gap=" ")

    def _hop(self, hop: Hop) -> Line:
        names = [
            span(link.ifname, "name")
            for step in hop.steps
            if step.way and (link := self._topology.at(step.end)) is not None
        ]
        ends = (
            (
                names[0],
                *((Span(" … " if self._paper.unicode else " .. "), names[-1]) if len(names) > 1 else ()),
            )
            if names
            else ()
        )
        where = words.netns(self._topology, self._topology.namespaces[hop.ns])
        nat = [piece for one in translated(hop) for piece in (Span(" "), span(f"[{one}]", "doubt"))]
        return line(where, *((Span(" "), *ends) if ends else ()), *nat)

    def _step(self, step: Step, indent: str) -> None:
        start = line(indent + "  " * (step.depth + 1), Span(step.type.ljust(WIDTH), "dim"))
        link = self._topology.at(step.end)
        if step.way and link is not None and step.evidence == "proved":
            self._paper.print(*start, span(link.ifname, "name"))
            return
        told = f"{step.text} ({'; '.join(step.because)})" if step.because else step.text
        rest = line(" " * width(start))  # its type stands before its first line alone
        fold_text(
            self._paper, start, told, "doubt" if step.evidence != "proved" and not step.way else "", rest
        )


def translated(hop: Hop) -> list[str]:
    """What NAT changes in a namespace: `SNAT 203.0.113.2`, `DNAT 10.0.0.5:80`."""
    before, after = hop.enters, hop.leaves
    found = []
    if before.src and (before.src, before.sport) != (after.src, after.sport):
        found.append(f"SNAT {_side(after.src, after.sport)}")
    if (before.dst, before.dport) != (after.dst, after.dport):
        found.append(f"DNAT {_side(after.dst, after.dport)}")
    return found


def _side(address: str, port: int) -> str:
    if not port:
        return address
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def marked(paper: Paper, fate: str) -> str:
    """The mark of a fate, as far as the stream can have it; words are always beside it."""
    mark = MARKS[fate]
    return mark if paper.unicode else PLAIN_MARKS[mark]


def _common(sequences: Sequence[Sequence[object]]) -> int:
    """With how many members all of them begin alike."""
    first, *others = sequences
    return next(
        (at for at, one in enumerate(first) if any(list(other[at : at + 1]) != [one] for other in others)),
        len(first),
    )
