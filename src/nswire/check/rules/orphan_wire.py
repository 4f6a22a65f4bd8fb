"""A port of a bridge leads into a namespace in which nobody is.

## Why it is bad

The port is one of the 1023 that a bridge has, every broadcast is copied to it, and its address stays taken. It does not go by
itself: the namespace at its other end keeps it.

## When it is not

A namespace that somebody has made by hand, as a router, needs no process. So only those are told that an engine has left
behind (`orphan-wire.leaked`, below `leaked-netns` if that rule is asked), and, as a note, those that nothing that can be seen
holds (`orphan-wire.hidden`): a process of another pid namespace may.

## Example

    # nswire show veth9a1b
    ... peer eth0 in a hidden namespace (nsid 7)

## Fix

What `nswire show LINK` says would release the namespace; or `ip link del dev LINK`, which takes both ends away.

## Source

drivers/net/veth.c, veth_dellink; for-linux#109, moby#32090, weave#3406.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.leftovers import leftover
from nswire.check.network import is_switched
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

LEAKED = Reason("orphan-wire.leaked", "port {port} of {bridge} leads into {netns}, in which nobody is")
HIDDEN = Reason(
    "orphan-wire.hidden",
    "port {port} of {bridge} leads into {netns}, and nothing that can be seen holds that",
)


def find(network: Network) -> Iterator[Finding]:
    """Ports whose other end is in a leftover, or in a hidden namespace."""
    for pair in network.pairs():
        for port, inside in ((pair.a, pair.b), (pair.b, pair.a)):
            ns, master = inside.netns, port.master
            if master is None or not is_switched(port) or port.netns.hidden:
                continue
            if not ns.hidden and leftover(network, ns) is None:
                continue
            reason = HIDDEN if ns.hidden else LEAKED
            yield Finding(
                cause=reason(port=network.name(port), bridge=master.ifname, netns=network.title(ns.key)),
                subjects=(port.end, inside.end),
                facts=(Fact(port.end, "master", master.ifname), Fact(inside.end, "ifname", inside.ifname)),
                mend=Mend(
                    "would take both ends away", port.end.ns, ("ip", "link", "del", "dev", port.ifname)
                ),
                severity="note" if ns.hidden else "warning",
                confidence="inferred" if ns.hidden else pair.evidence,
                hangs_on=(ns.key,),
            )


RULE = Rule("orphan-wire", "warning", find, under=("leaked-netns",), settles=5.0)
