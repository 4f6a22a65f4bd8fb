"""tun, tap and macvtap: the other side is a process. Some are followed: they send on from sockets of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model import owner_types
from nswire.model.reasons import Reason
from nswire.path.devices import openvswitch, usernet
from nswire.path.devices.device import Device
from nswire.path.values import Landing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Steps

TO_PROCESS = Reason("tap.to_process", "it goes to the process behind {link}")
PROCESS_UNKNOWN = Reason("tap.process_unknown", "which process reads {link} cannot be seen", unknown=True)
TO_PROXY = Reason("tap.to_proxy", "{process} (pid {pid}) takes the answer to what it wrote to its tap")
LEAVES_TO_VM = Reason("tap.leaves_to_vm", "it leaves to the VM {vm} ({process}, {pid}) behind {link}")
LEAVES = Reason("tap.leaves", "it leaves to the process {process} ({pid}) behind {link}")


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """To the process that has the device open, which may be a switch."""
    if openvswitch.serves(ctx, link):
        yield from openvswitch.send(ctx, link, frame, steps)
        return
    yield from taken(ctx, link, frame, steps)


def taken(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """What becomes of a frame that a process reads."""
    ns, end = link.end.ns, link.end
    if ctx.l2.light:
        reason = TO_PROCESS(link=link.ifname)
        yield Landing("leaves", steps, ns, frame, end, frame.packet, reason=reason)
        return
    servers = [wire for wire in link.late_wires("tap") if wire.to is not None]
    if not servers:
        yield ctx.l2.unknown(link, frame, steps, PROCESS_UNKNOWN(link=link.ifname))
        return
    far = servers[0].to
    if far is None:
        return
    text = f"the process {far.name or '?'} ({far.pid}) reads {link.ifname}"
    steps += ctx.step("process", text, ns, end, because=(servers[0].said_by,), evidence=servers[0].evidence)
    if (
        not frame.asks
        and frame.packet.answer
        and any(one.answers(ns, frame.packet.flow) for one in ctx.relays)
    ):
        reason = TO_PROXY(process=far.name or "?", pid=far.pid or 0)
        yield Landing("delivered", steps, ns, frame, end, frame.packet, reason=reason)
        return
    if not frame.asks:
        landing = usernet.sends_on(ctx, link, far, frame, steps)
        if landing is not None:
            yield landing
            return
    told: dict[str, str | int] = {"process": far.name or "?", "pid": far.pid or 0, "link": link.ifname}
    vm = next(
        (owner for owner in link.owners if owner_types.of(owner.type).is_guest and owner.pid == far.pid), None
    )
    reason = LEAVES(**told) if vm is None else LEAVES_TO_VM(**told, vm=vm.name)
    yield Landing("leaves", steps, ns, frame, end, frame.packet, reason=reason)


DEVICES = (Device(("tun",), transmit=send),)
