"""A trace to its document."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from nswire.model.reasons import Cause
from nswire.path.ip.decision import KERNEL
from nswire.show import to_documents_reasons
from nswire.show.documents import (
    FlowDoc,
    HopDoc,
    MtuDoc,
    PathStepDoc,
    WayDoc,
)
from nswire.show.documents_reasons import MendDoc, ReasonDoc
from nswire.show.text_path import commanded, sent

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology
    from nswire.model.values import End
    from nswire.path.values import Flow, Hop, Mend, Step, Trace, Way, Ways
    from nswire.show.to_documents import Builder
from nswire.show.documents import LinkDoc


class PathBuilder:
    """Makes the parts of `nswire/path`."""

    def __init__(self, topology: Topology, build: Builder) -> None:
        self._topology = topology
        self._build = build

    def facts(self, trace: Trace) -> dict[str, object]:
        """The keys that are no lists."""
        return {
            "start": self._build.netns(self._topology.namespaces[trace.start]),
            "flow": _flow(sent(trace)),
            "fate": trace.forward.fate,
            "reason": reason(trace.forward.reason),
            "mend": self._mend(trace.forward.mend),
            "mtu": self._mtu(trace),
            "reply": None if trace.reply is None else self._ways(trace.reply),
        }

    def parts(self, trace: Trace) -> list[tuple[str, Iterable[object]]]:
        """The lists: the hops of the way, and the other ways it may take."""
        first, *others = trace.forward.ways
        return [
            ("hops", (self._hop(hop) for hop in first.hops)),
            ("choices", first.choices),
            ("others", (self._way(way) for way in others)),
        ]

    def _ways(self, ways: Ways) -> WayDoc:
        first, *others = ways.ways
        return msgspec.structs.replace(
            self._way(first),
            fate=ways.fate,
            reason=reason(ways.reason),
            mend=self._mend(ways.mend),
            others=tuple(map(self._way, others)),
        )

    def _way(self, way: Way) -> WayDoc:
        return WayDoc(
            fate=way.fate,
            reason=reason(way.reason),
            mend=self._mend(way.mend),
            choices=way.choices,
            hops=tuple(map(self._hop, way.hops)),
            others=(),
        )

    def _hop(self, hop: Hop) -> HopDoc:
        return HopDoc(
            netns=self._build.netns(self._topology.namespaces[hop.ns]),
            link=self._link(hop.end),
            enters=_flow(hop.enters),
            leaves=_flow(hop.leaves),
            steps=tuple(map(self._step, hop.steps)),
        )

    def _step(self, step: Step) -> PathStepDoc:
        link = self._topology.at(step.end)
        return PathStepDoc(
            type=step.type,
            text=step.text,
            because=(*step.because, KERNEL) if step.by_kernel else step.because,
            evidence=step.evidence,
            link=None if link is None else link.ifname,
            direction=step.way or None,
            depth=step.depth,
        )

    def _link(self, end: End | None) -> LinkDoc | None:
        link = self._topology.at(end)
        return None if link is None else self._build.link(link)

    def _mend(self, mend: Mend | None) -> MendDoc | None:
        if mend is None:
            return None
        return MendDoc(effect=mend.effect, command=commanded(self._topology, mend) or None)

    def _mtu(self, trace: Trace) -> MtuDoc | None:
        return MtuDoc(bytes=trace.mtu, link=self._link(trace.mtu_at)) if trace.mtu else None


def reason(cause: Cause | None) -> ReasonDoc | None:
    """A cause, with all that led to it."""
    return None if cause is None else to_documents_reasons.reason(cause)


def _flow(flow: Flow) -> FlowDoc:
    return FlowDoc(
        proto=flow.proto,
        src=flow.src or None,
        dst=flow.dst,
        sport=flow.sport or None,
        dport=flow.dport or None,
    )
