"""VLANs of bridge ports, against `bridge vlan`; on kernels whose bridges filter."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import nswire

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "bridge")


def expand(ranges: str) -> set[int]:
    """`10 20-22` -> {10, 20, 21, 22}."""
    found = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def test_as_bridge_vlan_shows_them(lab: Lab, run: Callable[..., None]) -> None:
    """PVID, untagged and tagged, ranges included; of the bridge itself, too."""
    lab.pair(lab.home, "t-p", lab.home, "t-q")
    run(
        "ip link add t-br type bridge vlan_filtering 1",
        "ip link set t-p master t-br",
        "bridge vlan add dev t-p vid 10 pvid untagged",
        "bridge vlan add dev t-p vid 20-30",
        "bridge vlan add dev t-br vid 40 self",
    )
    shown: list[dict[str, Any]] = json.loads(subprocess.check_output(["bridge", "-j", "vlan"]))
    topology = nswire.scan()
    for entry in shown:
        said = topology.link(entry["ifname"]).details["vlans"]
        vlans = [
            (number, one.get("flags", []))
            for one in entry["vlans"]
            for number in range(one["vlan"], one.get("vlanEnd", one["vlan"]) + 1)
        ]
        assert expand(str(said.get("tagged", ""))) == {
            n for n, flags in vlans if "Egress Untagged" not in flags
        }
        assert expand(str(said.get("untagged", ""))) == {
            n for n, flags in vlans if "Egress Untagged" in flags
        }
        assert [said["pvid"]] == [n for n, flags in vlans if "PVID" in flags]


def test_a_bridge_that_does_not_filter(lab: Lab, run: Callable[..., None]) -> None:
    """It has a table of VLANs all the same, which means nothing: not told."""
    lab.pair(lab.home, "t-p", lab.home, "t-q")
    run("ip link add t-br type bridge", "ip link set t-p master t-br")
    assert "vlans" not in nswire.scan().link("t-p").details
