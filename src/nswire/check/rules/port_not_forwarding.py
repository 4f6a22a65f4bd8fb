"""A port of a bridge is up and has a carrier, and takes no frames.

## Why it is bad

What is behind the port hears nothing of the others and they nothing of it, although every link says that it is up.

## When it is not

With STP, a bridge blocks what would be a loop: that is a note (`port-not-forwarding.stp`). For some seconds after a port
comes up STP listens and learns (`port-not-forwarding.learning`, a note), twice `forward_delay`, 30 s unless it is set.
With MST states count by VLAN, and such bridges are not looked at.

## Example

    # bridge link show dev veth1
    5: veth1@if2: <BROADCAST,MULTICAST,UP,LOWER_UP> ... master br0 state blocking

## Fix

`bridge link set dev LINK state 3`, where no STP runs that has a reason.

## Source

net/bridge/br_input.c (br_handle_frame), br_forward.c (should_deliver); kubeskoop pkg/assertions/netstack.go.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire import kinds
from nswire.check.network import is_up
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network
    from nswire.model.topology import Link

BLOCKED = Reason(
    "port-not-forwarding.blocked", "port {port} of {bridge} is {state}, and no STP runs that would say why"
)
STP = Reason(
    "port-not-forwarding.stp",
    "STP has port {port} of {bridge} {state}, as it does where there is another way",
)
LEARNING = Reason(
    "port-not-forwarding.learning", "port {port} of {bridge} is still {state}: STP waits before it forwards"
)
NOT_YET = ("listening", "learning")


def find(network: Network) -> Iterator[Finding]:
    """Ports that should pass frames and do not."""
    for bridge in network.links("bridge"):
        details = kinds.details(bridge.fact)
        if not is_up(bridge) or details.get("mst_enabled"):
            continue
        for port in bridge.ports:
            state = str(kinds.port_details(port.fact).get("state", "forwarding"))
            if state != "forwarding" and is_up(port) and "LOWER_UP" in port.flags:
                yield _finding(network, port, bridge, state, stp=bool(details.get("stp_state")))


def _finding(network: Network, port: Link, bridge: Link, state: str, *, stp: bool) -> Finding:
    reason = (LEARNING if state in NOT_YET else STP) if stp else BLOCKED
    command = ("bridge", "link", "set", "dev", port.ifname, "state", "3")
    return Finding(
        cause=reason(port=network.name(port), bridge=bridge.ifname, state=state),
        subjects=(port.end, bridge.end),
        facts=(Fact(port.end, "state", state), Fact(bridge.end, "stp_state", int(stp))),
        mend=None if stp else Mend("would let it forward", port.end.ns, command),
        severity="note" if stp else "warning",
    )


RULE = Rule("port-not-forwarding", "warning", find, under=("half-up",))
