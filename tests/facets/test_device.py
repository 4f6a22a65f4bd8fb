"""The device behind a link. Real ones where there are; SR-IOV from a folder like /sys/bus/pci, since no machine here has any."""

from __future__ import annotations

import os
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.codec import ethtool
from nswire.codec.netlink import link as link_codec
from nswire.codec.netlink.framing import attribute
from nswire.facets import Detail, sriov
from nswire.host.live import Live
from nswire.model.facts import Facts
from nswire.model.values import End, LinkFact, Wire

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from nswire.host.system import Answer, Question
    from nswire.lab.lab import Lab
    from nswire.model.values import Value


@pytest.mark.needs("ethtool")
def test_as_ethtool_says() -> None:
    """The NICs of this machine, if its namespace has any."""
    nics = [link for link in nswire.scan() if not link.kind and not link.loopback]
    if not nics:
        pytest.skip("no NIC in this namespace: in a VM there is one")
    for nic in nics:
        said = nic.details["device"]
        shown = subprocess.run(
            ["ethtool", "-i", nic.ifname], capture_output=True, text=True, check=True
        ).stdout
        theirs = dict(line.split(": ", 1) for line in shown.splitlines() if ": " in line)
        assert said["driver"] == theirs["driver"]
        assert said.get("bus-info", "") == theirs.get("bus-info", "").strip()


def test_a_virtual_link_is_not_asked(lab: Lab) -> None:
    """veth has a driver's name, too, which says no more than its kind."""
    lab.pair(lab.home, "t-a", lab.home, "t-b")
    assert "device" not in nswire.scan().link("t-a").details


def test_drvinfo_and_settings() -> None:
    """struct ethtool_drvinfo and ethtool_link_settings, and what is unknown left out."""
    info = struct.pack("=I32s32s32s32s", 3, b"igb", b"5.6.0-k", b"N/A", b"0000:03:00.0").ljust(196, b"\0")
    assert ethtool.driver(info) == {"driver": "igb", "version": "5.6.0-k", "bus-info": "0000:03:00.0"}
    assert ethtool.settings(struct.pack("=IIBB", 0x4C, 10000, 1, 0).ljust(48, b"\0")) == {
        "speed": 10000,
        "duplex": "full",
    }
    assert ethtool.settings(struct.pack("=IIBB", 0x4C, 0xFFFFFFFF, 255, 0).ljust(48, b"\0")) == {}
    refused = struct.pack("=II7xb", 0x4C, 0, -4).ljust(48, b"\0")
    assert ethtool.settings(refused) == {}, "the kernel's word that there is not enough room is no `half`"
    assert ethtool.settings(b"") == {}
    assert ethtool.driver(b"x") == {}


def test_a_representor_names_the_switch_and_its_port() -> None:
    """IFLA_PHYS_SWITCH_ID and IFLA_PHYS_PORT_NAME, as switchdev drivers give them."""
    body = (
        struct.pack("=BxHiII", 0, 1, 9, 0, 0)
        + attribute(36, bytes.fromhex("0a1b"))
        + attribute(38, b"pf0vf1\0")
    )
    message = struct.pack("=IHHII", 16 + len(body), 16, 0, 0, 0) + body
    assert link_codec.port(message) == {"switch id": "0a1b", "port": "pf0vf1"}


class Asked:
    """What `facets.sriov` needs of a machine: facts made by hand, /sys made in a folder."""

    def __init__(self, facts: Facts, live: Live) -> None:
        self.facts = facts
        self.host = live.host

    def query(self, asks: Mapping[int, tuple[Question, ...]]) -> dict[int, list[Answer]]:
        return {ns: [] for ns in asks}

    def netns_by_nsid(self, ns: int, nsid: int) -> int | None:
        return None if nsid else ns

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        del end, relations
        return ()

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        del end, only
        return {}


def nic(ifindex: int, ifname: str, address: str) -> LinkFact:
    return LinkFact(
        ifindex, ifname, "", None, None, None, "", 1500, 6, 1, 1, (), "", "", address, "pci", b"", "", b""
    )


def test_a_virtual_function_in_a_container_and_its_physical_one(tmp_path: Path) -> None:
    """The wire goes from the VF's link, in the container, to the PF's in the host: by physfn, not by a name."""
    devices = tmp_path / "bus" / "pci" / "devices"
    pf, vf = "0000:03:00.0", "0000:03:10.2"
    for address in (pf, vf):
        (devices / address).mkdir(parents=True)
    (devices / vf / "physfn").symlink_to(f"../{pf}")
    (devices / pf / "virtfn0").symlink_to(f"../{vf}")
    (devices / pf / "driver").symlink_to("../../../drivers/igb")
    facts = Facts(1)
    facts.links = {1: {2: nic(2, "eno1", pf)}, 2: {5: nic(5, "eth0", vf)}}
    asking = Asked(facts, Live(sysfs=os.fspath(tmp_path)))
    said = list(sriov.ask(asking, [End(1, 2), End(2, 5)]))
    (wire,) = [one for one in said if isinstance(one, Wire)]
    assert (wire.relation, wire.a, wire.b, wire.evidence) == ("lower", End(2, 5), End(1, 2), "proved")
    details = {one.end: one.values for one in said if isinstance(one, Detail)}
    assert details == {End(1, 2): {"virtual": f"{vf} (eth0)"}, End(2, 5): {"physical": f"{pf} (eno1)"}}


def test_a_path_for_an_address(tmp_path: Path) -> None:
    """IFLA_PARENT_DEV_NAME comes from the kernel, but from a recording it may be anything: no way out of the folder."""
    (tmp_path / "bus/pci/devices").mkdir(parents=True)
    (tmp_path / "driver").symlink_to("secret")
    assert not isinstance(Live(sysfs=os.fspath(tmp_path)).host("pci/../../.."), bytes)
