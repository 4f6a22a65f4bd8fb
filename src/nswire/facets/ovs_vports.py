"""Where the ports of Open vSwitch's datapaths are: the kernel's own list, or the taps that ovs-vswitchd serves."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.codec import procfs
from nswire.codec.netlink import ovs
from nswire.facets.query import decoded, refused
from nswire.host import requests
from nswire.model.gaps import ADMINISTER, Unseen
from nswire.model.values import End

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.codec.netlink.ovs import Vport
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

KIND = "openvswitch"
BY_DATAPATH = "the datapath's own list of ports"
PORTS = Unseen("ovs.datapath_ports", "the ports of Open vSwitch's datapath", ADMINISTER)


class Place(NamedTuple):
    """A port of a kernel datapath, and where its link is (None: in no namespace that is known)."""

    ns: NsKey
    port: Vport
    end: End | None


def in_kernel(client: Client) -> Iterator[Place | Gap]:
    """The ports of all datapaths. A datapath answers in its own namespace, and its internal ports may be in any other."""
    links = client.facts.links
    spaces = [ns for ns in links if any(link.kind == KIND for link in links[ns].values())]
    failures = []
    listed: dict[NsKey, tuple[int, ...]] = {}
    for ns, (answer,) in client.query(dict.fromkeys(spaces, (requests.DATAPATHS,))).items():
        found = decoded(answer, ovs.datapaths)
        if isinstance(found, int):
            failures.append((ns, found))
        elif found:
            listed[ns] = found
    asks = {ns: tuple(requests.vports(index) for index in indexes) for ns, indexes in listed.items()}
    for ns, answers in client.query(asks).items():
        for answer in answers:
            ports = decoded(answer, ovs.vports)
            if isinstance(ports, int):
                failures.append((ns, ports))
                continue
            yield from (Place(ns, port, _end(client, ns, port)) for port in ports)
    yield from refused(client, failures, PORTS)


def _end(client: Client, ns: NsKey, port: Vport) -> End | None:
    where = ns if port.nsid is None else client.netns_by_nsid(ns, port.nsid)
    if where is None or port.ifindex is None or port.ifindex not in client.facts.links.get(where, {}):
        return None
    return End(where, port.ifindex)


def of_process(client: Client, pid: int) -> dict[str, list[End]]:
    """The taps that a process serves, by their names now: the internal ports of ovs-vswitchd's own datapath."""
    answer = client.host("taps")
    found: dict[str, list[End]] = {}
    for row in procfs.taps(answer) if isinstance(answer, bytes) else ():
        if row.pid == pid and row.net > 0:
            for link in client.facts.links.get(row.net, {}).values():
                if link.ifname == row.name and End(row.net, link.ifindex) not in found.get(row.name, ()):
                    found.setdefault(row.name, []).append(End(row.net, link.ifindex))
    return found


def namespace_of_process(client: Client, pid: int, comm: str) -> NsKey | None:
    """Where a process is, if that pid is one of that name here: in a container it may have another number."""
    answer = client.host(f"comm/{pid}")
    if not isinstance(answer, bytes) or answer.decode("utf-8", "replace") != comm:
        return None
    for ns, holders in client.facts.holders.items():
        if any(holder.type == "process" and holder.pid == pid for holder in holders):
            return ns
    return None
