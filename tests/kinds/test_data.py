"""What kinds say of themselves, against iproute2, on the kinds that this kernel has; the others in VMs."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nswire
from nswire.kinds import TABLE, details, of, port_details
from nswire.kinds.fields import read
from nswire.lab import attributes as nla

if TYPE_CHECKING:
    from nswire.kinds.kind import Kind
    from nswire.lab.lab import Lab

ADD = (
    "link add nic0 type veth peer name wall0",
    "link add mv0 link nic0 type macvlan mode vepa",
    "link add vx0 type vxlan id 7 dev nic0 dstport 4790 remote 192.0.2.9 local 192.0.2.1 nolearning proxy",
    "link add vx6 type vxlan id 8 dstport 4791 remote 2001:db8::9",
    "link add vxe type vxlan external dstport 4792",
    "link add br0 type bridge stp_state 1",
    "link set wall0 master br0",
    "link set wall0 type bridge_slave hairpin on learning off isolated on",
    "tuntap add dev tap0 mode tap multi_queue",
)
NAMES = "nic0 mv0 vx0 vx6 vxe br0 wall0 tap0".split()
RENAMED = {
    "remote6": "remote",
    "local6": "local",
    "group6": "remote",
    "group": "remote",
}  # iproute2's names: ours


NEWER = {"fdb_n_learned"}  # what Debian 12's iproute2 does not show yet


def remove() -> None:
    """Take down what was built at home."""
    for name in ("mv0", "vx0", "vx6", "vxe", "br0", "nic0", "tap0"):
        subprocess.run(["ip", "link", "del", name], check=False)


@pytest.mark.needs("ip")
def test_as_ip_shows_it(lab: Lab) -> None:
    """Every word that we say, iproute2 says too; and of vxlan, macvlan, bridges and ports all that matters is said."""
    for line in ADD:
        done = subprocess.run(["ip", *line.split()], capture_output=True, text=True, check=False)
        # tun may be a module that nobody has loaded, and then there is no /dev/net/tun
        assert done.returncode == 0 or line.startswith("tuntap"), f"{line}: {done.stderr}"
    lab.undo(remove)
    expected = {one["ifname"]: one for one in json.loads(subprocess.check_output(["ip", "-j", "-d", "link"]))}
    topology = nswire.scan()
    said = set()
    for name in (name for name in NAMES if name in expected):
        fact = topology.link(name).fact
        info = expected[name].get("linkinfo", {})
        for mine, shown in (
            (details(fact), info.get("info_data", {})),
            (port_details(fact), info.get("info_slave_data", {})),
        ):
            theirs = {RENAMED.get(key, key): value for key, value in shown.items()}
            for key, value in mine.items():
                said.add((name, key))
                if key in NEWER and key not in theirs:
                    continue
                if isinstance(value, bool) and key not in theirs:
                    assert value is False, (name, key)  # iproute2 leaves out what is off
                else:
                    assert theirs[key] == value, (name, key)
    assert {
        ("mv0", "mode"),
        ("vx0", "id"),
        ("vx0", "remote"),
        ("vx0", "local"),
        ("vx0", "port"),
        ("vx0", "learning"),
        ("vx0", "proxy"),
    } <= said
    assert {("vx6", "remote"), ("vxe", "external"), ("br0", "stp_state")} <= said
    assert {("wall0", "state"), ("wall0", "hairpin"), ("wall0", "learning"), ("wall0", "isolated")} <= said
    assert ("wall0", "vlan_tunnel") in said


def test_an_xfrm_s_if_id_is_told_as_ip_tells_it() -> None:
    """In hex, as in the policies and states that it goes by; and one that takes what the routes say has none."""
    assert read(of("xfrm").fields, nla.u32(2, 0x2A)) == {"if_id": "0x2a"}
    assert read(of("xfrm").fields, nla.u32(2, 0) + nla.attribute(3, b"")) == {"external": True}


def test_macsec_s_switches_are_not_one_another() -> None:
    """By include/uapi/linux/if_link.h: IFLA_MACSEC_ENCRYPT is 7, _PROTECT 8, _REPLAY_PROTECT 12."""
    data = nla.u8(7, 1) + nla.u8(8, 1) + nla.u8(12, 0)
    assert read(of("macsec").fields, data) == {"encrypt": True, "protect": True, "replay_protect": False}


@given(kind=st.sampled_from(TABLE), noise=st.binary(max_size=120))
def test_any_bytes(kind: Kind, noise: bytes) -> None:
    """What does not make sense is left out."""
    for said in (read(kind.fields, noise), read(kind.port_fields, noise)):
        assert all(isinstance(value, int | str | bool | dict) for value in said.values())
