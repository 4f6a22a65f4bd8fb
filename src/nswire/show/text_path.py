"""`nswire path` for people: a line a step, indented by namespace, the reason beside it, the verdict last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.path.values import ARRIVED
from nswire.show import words
from nswire.show.equivalent_commands import entry
from nswire.show.escape import shell_word
from nswire.show.terminal import Paper, Span, fold_text, span
from nswire.show.text_ways import FATES, VERDICTS, marked, write_ways

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.model.values import End
    from nswire.path.values import Flow, Mend, Step, Trace, Way, Ways

HERE = {  # what leaves the stacks of this host, and stays on it
    "tap.leaves": "it goes to a process of this host",
    "tap.leaves_to_vm": "it goes to a guest of this host",
}


def write_trace(
    paper: Paper, topology: Topology, trace: Trace, *, notes: tuple[str, ...], hops: bool
) -> None:
    """The whole story."""
    forward = trace.forward
    head = f"{marked(paper, forward.fate)} {sent(trace).text}: {summary(topology, forward)}"
    fold_text(paper, (), head, FATES[forward.fate])
    for note in notes:
        fold_text(paper, (), note, "dim")
    paper.print()
    write_ways(paper, topology, trace.forward, hops=hops)
    _write_verdict(paper, topology, "", trace.forward)
    if trace.mtu and trace.forward.fate in ("leaves", *ARRIVED):
        at = topology.at(trace.mtu_at)
        narrow = at is not None and at.end != _first_link(trace.forward)
        where = (
            (span(": the MTU of", "dim"), Span(" "), *words.place(at)) if at is not None and narrow else ()
        )
        paper.print(span(f"path MTU {trace.mtu}", "dim"), *where)
    if trace.reply is None:
        return
    back = trace.reply
    if back.fate in ("leaves", "delivered") and _mirrored(trace.forward, back):
        fold_text(paper, (), "reply takes the same path", FATES[back.fate])
        return
    paper.print()
    paper.print(span("reply", "head"))
    paper.print()
    write_ways(paper, topology, back, hops=hops or back.fate == "delivered")
    _write_verdict(paper, topology, "reply: ", back)


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


def _write_verdict(paper: Paper, topology: Topology, prefix: str, ways: Ways) -> None:
    told = f"{marked(paper, ways.fate)} {prefix}{verdict(topology, ways)}"
    fold_text(paper, (), told, FATES[ways.fate])
    mend = ways.mend
    if ways.fate == "dropped" and mend is not None:
        fold_text(paper, (), mended(topology, mend), "")


def sent(trace: Trace) -> Flow:
    """The packet as it is sent: with the source that was chosen for it, if that is the same whatever is not known."""
    if trace.flow.src:
        return trace.flow
    steps = [way.hops[0].steps if way.hops else () for way in trace.forward.ways]
    chosen = {
        next((step.flow for step in one if step.type == "source" and step.flow is not None), None)
        for one in steps
    }
    found = chosen.pop() if len(chosen) == 1 else None
    return trace.flow if found is None else found


def caption(topology: Topology, trace: Trace) -> str:
    """The packet and its fate in one line."""
    return f"{sent(trace).text}: {verdict(topology, trace.forward)}"


def summary(topology: Topology, ways: Ways) -> str:
    """What becomes of the packet, and where."""
    last = {way.hops[-1].ns for way in ways.ways if way.hops}
    where = (
        f" in {topology.title(topology.namespaces[last.pop()])}"
        if ways.fate in ("dropped", *ARRIVED) and len(last) == 1
        else ""
    )
    code = "" if ways.reason is None else ways.reason.code
    return f"{HERE.get(code, VERDICTS[ways.fate])}{where}"


def verdict(topology: Topology, ways: Ways) -> str:
    """What becomes of the packet, and the fact that decides."""
    code = "" if ways.reason is None else ways.reason.code
    fate = HERE.get(code, VERDICTS[ways.fate]) if ways.fate != "dropped" else summary(topology, ways)
    return f"{fate}{f': {ways.reason}' if ways.reason is not None else ''}"


def mended(topology: Topology, mend: Mend) -> str:
    """What would change it, as a sentence with the command."""
    command = commanded(topology, mend)
    if command:
        return f"`{command}` {mend.effect}"
    if not mend.words or mend.ns is None:
        return mend.effect
    bare = " ".join(map(shell_word, mend.words))  # no command leads into that namespace
    return f"in {topology.namespaces[mend.ns].label}: `{bare}` {mend.effect}"


def fix(topology: Topology, mend: Mend | None) -> str:
    """The command that would mend something, with the way into its namespace; empty if there is none."""
    return "" if mend is None else commanded(topology, mend)


def commanded(topology: Topology, mend: Mend) -> str:
    """The command, with the way into its namespace; empty if there is none."""
    if not mend.words or mend.ns is None:
        return ""
    way = entry(topology.namespaces[mend.ns])
    return "" if way.other is None else way.other + " ".join(map(shell_word, mend.words))
