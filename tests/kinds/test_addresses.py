"""A link's own address: a MAC, or what a tunnel has instead, as iproute2 writes it."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

import nswire

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

MADE = {
    "dummy": "type dummy",
    "gre": "type gre remote 192.0.2.2 local 192.0.2.1",
    "ipip": "type ipip remote 192.0.2.2 local 192.0.2.1",
    "sit": "type sit remote 192.0.2.2",
    "ip6tnl": "type ip6tnl remote 2001:db8::2 local 2001:db8::1",
    "ip6gre": "type ip6gre remote 2001:db8::2 local 2001:db8::1",
    "vti6": "type vti6 remote 2001:db8::2 local 2001:db8::1 key 7",
}


@pytest.mark.needs("ip")
@pytest.mark.parametrize("kind", MADE)
def test_the_address_as_ip_writes_it(lab: Lab, kind: str) -> None:
    """No tunnel's IP address is told as a MAC of four or sixteen bytes."""
    space = lab.namespace("named", "tunnels")
    with space.entered():
        made = subprocess.run(
            ["ip", "link", "add", "x0", *MADE[kind].split()], capture_output=True, check=False
        )
        if made.returncode:
            pytest.skip(f"this kernel has no {kind}: the VM kernels have one")
        shown = json.loads(subprocess.run(["ip", "-j", "link"], capture_output=True, check=True).stdout)
    links = {link.ifname: link.fact.address for link in nswire.scan().links(space.inode)}
    assert links == {one["ifname"]: one["address"] for one in shown}
