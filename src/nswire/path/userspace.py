"""User-mode networking: slirp4netns, pasta and their like take packets from a tap and send them on from their own sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire.path.values import Packet, Relay

if TYPE_CHECKING:
    from nswire.model.topology import Link
    from nswire.model.values import Far
    from nswire.path.values import Frame, Landing, Steps
    from nswire.path.walk import Walk

PROGRAMS = ("slirp4netns", "pasta", "pasta.avx2", "passt", "passt.avx2")
"""Processes, as they call themselves, that do nothing else than that."""


def sends_on(walk: Walk, link: Link, far: Far, frame: Frame, steps: Steps) -> Landing | None:
    """The packet on its way out of the process's own namespace; None if it is no such process."""
    if far.name not in PROGRAMS or far.ns is None or far.ns == link.end.ns:
        return None
    flow = replace(frame.packet.flow, src="", sport=0)
    text = f"{far.name} sends it on from a socket of its own in {walk.name(far.ns)}: {frame.packet.flow.text} becomes {flow.text}"
    steps += walk.step("process", text, far.ns, flow=flow, evidence="inferred")
    landing = walk.originate(far.ns, Packet(flow, size=frame.packet.size, hops=frame.packet.hops - 1), steps)
    sent = next(
        (step.flow for step in landing.steps[len(steps) :] if step.type == "source" and step.flow), flow
    )
    walk.relays.append(Relay(link.end, frame, far.ns, sent))
    return landing
