"""Ports of Open vSwitch that a cloud has marked, and that are not called as Neutron's are: OVN's logical ports, by any `iface-id`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.host.system import Refusal
from nswire.model.values import End, Owner
from nswire.owners import neutron
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey

BOUND = "ovn-installed"  # what ovn-controller writes beside a port that it has bound


def find(client: Client, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The ports, each with its link."""
    if isinstance(client.host("ovsdb"), Refusal):
        return
    for ns, links in client.facts.links.items():
        for link in links.values():
            end = End(ns, link.ifindex)
            said = client.details(end, "ovs").get("ovs", {}).get("external_ids")
            name = text(said.get("iface-id")) if isinstance(said, dict) else ""
            if isinstance(said, dict) and name and not neutron.is_called_so(link.ifname):
                by = "ovn" if BOUND in said else "openvswitch"
                yield Claim(Owner("port", name, name, by, data=neutron.told(said)), None, (end,))


SOURCE = Source("ports", find)
