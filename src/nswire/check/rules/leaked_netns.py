"""A namespace that an engine has made for a sandbox is still there, and nobody is in it.

## Why it is bad

It keeps its links: ports of bridges (of which a bridge has 1023), addresses of a pool, entries of tables. Hosts with
thousands of them start containers slower and slower, and then not at all.

## When it is not

Sandboxes that are made ahead, by whatever name, and namespaces that people have made (`ip netns add`) are not looked at: only
names that CNI, Podman and Docker make by themselves. Nor is one that an engine's own state still has, or one with a process,
a thread or a descriptor in it. What is just being started is looked at a second time.

## Example

    # nswire netns
    cni-3f0c...  4026532641  2  ?  /run/netns/cni-3f0c...
    # ip netns pids cni-3f0c...
    (nobody)

## Fix

`ip netns del NAME`, after `crictl pods`, `podman ps -a` or `docker ps -a` do not have it. What is inside goes with it.

## Source

Names: containernetworking/plugins pkg/ns, containers/common pkg/netns, moby libnetwork/osl; cri-o#273, podman#23715, kata/runtime#2457.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.leftovers import leftover
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

NOBODY = Reason("leaked-netns.nobody", "{maker} has made {path}, nobody is in it, and no engine knows it")
RUN_NETNS = "/run/netns/"


def find(network: Network) -> Iterator[Finding]:
    """Namespaces that are leftovers of engines."""
    for ns in network.topology.namespaces.values():
        left = leftover(network, ns)
        if left is None:
            continue
        directory, _, name = left.path.rpartition("/")
        named = f"{directory}/".endswith(RUN_NETNS) and "/user/" not in directory
        words = ("ip", "netns", "del", name) if named else ("umount", left.path)
        yield Finding(
            cause=NOBODY(maker=left.maker, path=left.path),
            subjects=(ns.key,),
            facts=(Fact(ns.key, "mount", left.path), Fact(ns.key, "links", network.topology.count(ns.key))),
            mend=Mend("would let it go, with its links", network.topology.home, words),
        )


RULE = Rule("leaked-netns", "warning", find, settles=5.0)
