"""`nswire path` for people: a line a step, indented by namespace, the reason beside it, the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.routing import KERNEL
from nswire.show import words
from nswire.show.escape import shell_word
from nswire.show.howto import entry
from nswire.show.paint import Paper, Span, fold_text, line, span

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.model.values import End
    from nswire.path.values import Hop, Mend, Step, Trace, Way, Ways

WIDTH = 11  # of the longest type of step, and a blank
FATES = {"leaves": "up", "delivered": "up", "dropped": "down", "unknown": "doubt"}
VERDICTS = {
    "leaves": "it leaves this host",
    "delivered": "delivered",
    "dropped": "dropped",
    "unknown": "not known",
}


def write_trace(
    paper: Paper, topology: Topology, trace: Trace, *, notes: tuple[str, ...], hops: bool
) -> None:
    """The whole story."""
    paper.print(span(trace.flow.text, "head"))
    for note in notes:
        fold_text(paper, (), note, "dim")
    paper.print()
    _write_ways(paper, topology, trace.forward, hops=hops)
    _write_verdict(paper, topology, "", trace.forward)
    if trace.mtu and trace.forward.fate in ("leaves", "delivered"):
        at = topology.at(trace.mtu_at)
        narrow = at is not None and at.end != _first_link(trace.forward)
        where = (span(": the MTU of ", "dim"), *words.place(at)) if at is not None and narrow else ()
        paper.print(span(f"packets of up to {trace.mtu} bytes pass whole", "dim"), *where)
    if trace.reply is None:
        return
    back = trace.reply
    if back.fate == trace.forward.fate and _mirrored(trace.forward, back):
        fold_text(paper, (), "the answer comes back the same way", FATES[back.fate])
        return
    paper.print()
    paper.print(span("the answer", "head"))
    paper.print()
    _write_ways(paper, topology, back, hops=hops or back.fate == "delivered")
    _write_verdict(paper, topology, "the answer: ", back)


def _mirrored(forward: Ways, back: Ways) -> bool:
    """Whether the answer passes the same links, the other way round."""
    if len(forward.ways) != 1 or len(back.ways) != 1:
        return False
    there, again = ([step.end for step in _links(ways.ways[0])] for ways in (forward, back))
    return there == again[::-1]


def _first_link(ways: Ways) -> End | None:
    return next((step.end for step in _links(ways.ways[0])), None)


def _links(way: Way) -> list[Step]:
    return [step for hop in way.hops for step in hop.steps if step.way]


def _write_ways(paper: Paper, topology: Topology, ways: Ways, *, hops: bool) -> None:
    for number, way in enumerate(ways.ways):
        if way.choices and len(ways.ways) > 1:
            fold_text(paper, (), f"{'or if' if number else 'if'} {'; '.join(way.choices)}:", "doubt")
        for hop in way.hops:
            if hops:
                _write_hop(paper, topology, hop)
                continue
            paper.print(words.netns(topology, topology.namespaces[hop.ns]))
            for step in hop.steps:
                if not _is_verdict(step, way):
                    _write_step(paper, topology, step)
        if len(ways.ways) > 1:
            fold_text(paper, (), f"{VERDICTS[way.fate]}: {way.reason}", FATES[way.fate])
            paper.print()


def _is_verdict(step: Step, way: Way) -> bool:
    """Whether a step says what the verdict says, right below it."""
    return (
        step is way.hops[-1].steps[-1] and step.cause == way.reason and step.depth == 0 and not step.because
    )


def _write_hop(paper: Paper, topology: Topology, hop: Hop) -> None:
    """A namespace in one line: in by, out by, and as what it leaves if that changed."""
    names: list[Span] = []
    for step in hop.steps:
        link = topology.at(step.end)
        if step.way and link is not None:
            names += [Span("  "), span(step.way, "dim"), Span(" "), span(link.ifname, "name")]
    changed = hop.leaves != hop.enters and bool(hop.enters.src)
    told = (Span("  "), span(f"now {hop.leaves.text}", "doubt")) if changed else ()
    paper.print(words.netns(topology, topology.namespaces[hop.ns]), *names, *told)


def _write_step(paper: Paper, topology: Topology, step: Step) -> None:
    start = line("  " * (step.depth + 1), Span(step.type.ljust(WIDTH), "dim"))
    link = topology.at(step.end)
    if step.way and link is not None and step.evidence == "proved":
        paper.print(*start, span(link.ifname, "name"))
        return
    because = [one for one in step.because if one != KERNEL]
    told = f"{step.text} ({'; '.join(because)})" if because else step.text
    fold_text(paper, start, told, "doubt" if step.evidence != "proved" and not step.way else "")


def _write_verdict(paper: Paper, topology: Topology, prefix: str, ways: Ways) -> None:
    fold_text(paper, (), f"{prefix}{verdict(topology, ways)}", FATES[ways.fate])
    mend = ways.ways[0].mend
    if ways.fate == "dropped" and mend is not None:
        fold_text(paper, (), mended(topology, mend), "")


def caption(topology: Topology, trace: Trace) -> str:
    """The packet and its fate in one line."""
    return f"{trace.flow.text}: {verdict(topology, trace.forward)}"


def verdict(topology: Topology, ways: Ways) -> str:
    """What becomes of the packet, and the fact that decides."""
    hops = ways.ways[0].hops
    where = (
        f" in {topology.title(topology.namespaces[hops[-1].ns])}" if ways.fate == "dropped" and hops else ""
    )
    return f"{VERDICTS[ways.fate]}{where}{f': {ways.reason}' if ways.reason is not None else ''}"


def mended(topology: Topology, mend: Mend) -> str:
    """What would change it, as a sentence with the command."""
    command = commanded(topology, mend)
    return f"`{command}` {mend.effect}" if command else mend.effect


def commanded(topology: Topology, mend: Mend) -> str:
    """The command, with the way into its namespace; empty if there is none."""
    if not mend.words or mend.ns is None:
        return ""
    way = entry(topology.namespaces[mend.ns])
    command = " ".join(map(shell_word, mend.words))
    return f"{way.other}{command}" if way.other is not None else command
