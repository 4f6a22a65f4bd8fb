"""What newer kernels can do to a packet, one thing at a time: packets really sent, and what is said of them, live and by a recording.

Kinds that this kernel lacks are made on the newest one in a VM (tools/test).
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from path_cases import ASK, BRIDGE, LINE, PING, PING6, Case, build, codes, hold
from path_exchanges import ICMP, Real, Spaces

import nswire
from nswire.host import firewall_tools, syscalls
from nswire.kinds import is_single
from nswire.lab import attributes as nla
from nswire.path import Flow

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "bridge", "tc", "nft")

FILTERING = BRIDGE.replace("forward_delay 0", "forward_delay 0 vlan_filtering 1")
CASES: dict[str, Case] = {}
KNOWN = """
a ip neigh add 10.0.0.2 lladdr $(ip netns exec b cat /sys/class/net/b0/address) dev a0
r bridge fdb replace $(ip netns exec b cat /sys/class/net/b0/address) dev pb master static vlan 1
"""
CASES |= {
    f"by VLAN: {name}": Case(FILTERING + lines, *code)
    for name, lines, code in (
        ("forwarding", KNOWN, ()),
        ("blocking out", KNOWN + "r bridge vlan set vid 1 dev pb state blocking", ("bridge.vlan_state",)),
        ("blocking out, flooded", "r bridge vlan set vid 1 dev pb state blocking", ("neighbour.nobody",)),
        ("blocking in", "r bridge vlan set vid 1 dev pa state blocking", ("bridge.vlan_takes_nothing",)),
        ("learning in", "r bridge vlan set vid 1 dev pa state learning", ("bridge.vlan_takes_nothing",)),
        ("learning out", KNOWN + "r bridge vlan set vid 1 dev pb state learning", ("bridge.vlan_state",)),
        (
            "another VLAN",
            "r bridge vlan add vid 2-9 dev pb\nr bridge vlan set vid 4-6 dev pb state blocking",
            (),
        ),
    )
}
IPVLAN = """\
r ip link add d0 type {below}
r ip link set d0 up
r ip link add va link d0 type ipvlan mode {mode}
r ip link set va netns a
r ip link add vb link d0 type ipvlan mode {mode}
r ip link set vb netns b
a ip address add 10.0.0.1/24 dev va
a ip link set va up
b ip address add 10.0.0.2/24 dev vb
b ip link set vb up
"""
L3 = """\
r ip link add h0 type veth peer name b0 netns b
r ip address add 10.0.0.254/24 dev h0
r ip link set h0 up
b ip address add 10.0.0.2/24 dev b0
b ip link set b0 up
r ip link add va link h0 type ipvlan mode {mode}
r ip link set va netns a
a ip address add 10.0.0.9/24 dev va
a ip link set va up
"""
CASES |= {
    "ipvlan": Case(IPVLAN.format(below="dummy", mode="l2")),
    "ipvlan private": Case(IPVLAN.format(below="dummy", mode="l2 private"), "ipvlan.private"),
    "ipvlan vepa": Case(IPVLAN.format(below="dummy", mode="l2 vepa"), "nic.swallowed"),
    "ipvlan l3 among themselves": Case(IPVLAN.format(below="dummy", mode="l3")),
    "ipvlan l3 private": Case(IPVLAN.format(below="dummy", mode="l3 private"), "ipvlan.private"),
    "ipvlan l3 by its parent": Case(L3.format(mode="l3"), one_way=True),
    "ipvlan l3s by its parent": Case(L3.format(mode="l3s"), one_way=True),
    "ipvlan l3s, a rule of its parent": Case(
        L3.format(mode="l3s") + "r nft 'table ip t { chain o { type filter hook output priority 0; ip saddr 10.0.0.9 drop; }; }'",
        "netfilter.drop",
    ),
}  # fmt: skip
CASES |= {
    f"qdisc: {name}": Case(f"{LINE}a tc qdisc replace dev a0 root {name}", code, fate=fate)
    for name, code, fate in (
        ("blackhole", "qdisc.loses_all", ""),
        ("netem loss 100%", "qdisc.loses_all", ""),
        ("netem loss 50%", "qdisc.loses_some", "unknown"),
        ("netem corrupt 50%", "qdisc.loses_some", "unknown"),
        ("netem delay 1ms", "", ""),
        ("plug", "qdisc.loses_some", "unknown"),
        ("pfifo limit 0", "qdisc.loses_all", ""),
        ("pfifo limit 9", "", ""),
        ("fq_codel", "", ""),
        ("tbf rate 1mbit burst 32kbit latency 400ms", "", ""),
        ("hfsc", "qdisc.loses_some", "unknown"),
    )
}
NETKIT = """\
a ip link add a0 type netkit
a ip link set nk0 netns b name b0
a ip address add 10.0.0.1/24 dev a0
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip link set b0 mtu 1400 up
"""
OVERLAY = (
    LINE
    + """\
a ip link add vx address 02:00:00:00:00:01 type vxlan id 7 local 10.0.0.1 dstport 4789 nolearning
a ip address add 10.7.0.1/24 dev vx
a ip link set vx up
a ip neigh add 10.7.0.2 lladdr 02:00:00:00:00:02 dev vx
b ip link add vx address 02:00:00:00:00:02 type vxlan id 7 local 10.0.0.2 dstport 4789 nolearning
b ip address add 10.7.0.2/24 dev vx
b ip link set vx up
b ip neigh add 10.7.0.1 lladdr 02:00:00:00:00:01 dev vx
b bridge fdb add 02:00:00:00:00:01 dev vx dst 10.0.0.1
"""
)
INSIDE = Flow("10.7.0.2", "", ICMP)
CASES["vxlan: an entry with a group of next hops"] = Case(
    OVERLAY
    + """\
a ip nexthop add id 1 via 10.0.0.2 fdb
a ip nexthop add id 10 group 1 fdb
a bridge fdb add 02:00:00:00:00:02 dev vx nhid 10
""",
    "",
    INSIDE,
)
CASES["netkit: the other end's MTU does not count"] = Case(NETKIT, "", ASK, size=1450)
UNFOLLOWED = """
a ip link add x0 type {options}
a ip address add 10.0.0.1/24 dev x0
a ip neigh replace 10.0.0.2 lladdr 02:00:00:00:00:02 dev x0
a ip link set x0 up
"""
CASES |= {
    f"sent into a {kind}": Case(UNFOLLOWED.format(options=f"{kind} {options}"), code, fate="unknown")
    for kind, options, code in (
        ("wireguard", "", "l2.encrypted"),
        ("ovpn", "mode mp", "l2.encrypted"),
        ("xfrm", "if_id 7", "l2.encrypted"),
        ("erspan", "remote 10.9.9.9 local 10.9.9.8 key 5 seq erspan_ver 1", "l2.copies"),
        ("bareudp", "dstport 6635 ethertype mpls_uc", "l2.metadata"),
    )
}
CASES["what comes in for an HSR"] = Case(
    LINE + "b ip link add d0 type dummy\nb ip link add x0 type hsr slave1 b0 slave2 d0\nb ip link set x0 up",
    "l2.mesh",
    fate="unknown",
)


@pytest.mark.parametrize("name", CASES)
def test_said_and_sent(name: str, lab: Lab, tmp_path: Path) -> None:
    hold(CASES[name], lab, tmp_path)


PROGRAM = struct.pack("=BBhiBBhi", 0xB7, 0, 0, 0, 0x95, 0, 0, 0)  # return NF_DROP
BPF_PROG_LOAD, BPF_LINK_CREATE, BPF_PROG_TYPE_NETFILTER, BPF_NETFILTER = 5, 28, 32, 45


def attached(spaces: Spaces, family: int, hook: int) -> int:
    """A descriptor of a program at a hook of netfilter in b; skipped where the kernel has no such thing."""
    code, licence = ctypes.create_string_buffer(PROGRAM), ctypes.create_string_buffer(b"GPL")
    load = ctypes.create_string_buffer(128)
    struct.pack_into(
        "=IIQQ", load, 0, BPF_PROG_TYPE_NETFILTER, 2, ctypes.addressof(code), ctypes.addressof(licence)
    )
    struct.pack_into("=I", load, 68, BPF_NETFILTER)
    try:
        program = syscalls._bpf(BPF_PROG_LOAD, load)
    except OSError as error:
        pytest.skip(f"this kernel has no BPF programs of netfilter: {error}")
    attach = ctypes.create_string_buffer(128)
    struct.pack_into("=IIII", attach, 0, program, 0, BPF_NETFILTER, 0)
    struct.pack_into("=IIiI", attach, 16, family, hook, -5, 0)
    try:
        with spaces["b"].entered():
            return syscalls._bpf(BPF_LINK_CREATE, attach)
    finally:
        os.close(program)


@pytest.mark.parametrize("asked", [True, False], ids=["asked for hooks", "as without that module"])
def test_a_bpf_program_of_netfilter(
    lab: Lab, *, asked: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It drops, and no ruleset knows of it; without nfnetlink_hook it may be in any namespace."""
    spaces = build(lab, LINE)
    if asked:
        subprocess.run(["modprobe", "nfnetlink_hook"], check=False, capture_output=True)
    else:
        had = firewall_tools.has
        monkeypatch.setattr(
            firewall_tools, "has", lambda module, sysfs: module != "nfnetlink_hook" and had(module, sysfs)
        )
    before = spaces.said("a", PING)
    link = attached(spaces, 2, 1)
    try:
        real = spaces.really("a", PING)
        live = spaces.said("a", PING)
        by_recording = spaces.said("a", PING, recording=f"{tmp_path}/recording")
        other = spaces.said("a", PING6)
    finally:
        os.close(link)
    assert before.fate == other.fate == "delivered"
    assert real == Real((), "")
    for said in (live, by_recording):
        assert said.fate == "unknown"
        assert {"netfilter.bpf", "netfilter.bpf_somewhere"} & set(codes(said.trace.forward.reason))


def test_a_netkit_that_was_made_single(lab: Lab, tmp_path: Path) -> None:
    """PAIRING 1 (Linux 7.0): no other end, no gap; what is sent there is lost."""
    spaces = build(lab, "")
    data = nla.u32(5, 0) + nla.u32(10, 1)
    try:
        lab.rtnl(spaces["a"]).link("a0", "netkit", data)
    except OSError as error:
        pytest.skip(f"not on this kernel: {error}")
    spaces.run("a ip address add 10.0.0.1/24 dev a0\na ip link set a0 up")
    topology = nswire.scan()
    link = topology.link("a/a0")
    if not is_single(link.fact):
        pytest.skip("this kernel makes a pair of it")
    assert link.loose is None
    assert not any("a0" in gap.where for gap in topology.gaps)
    for recording in ("", f"{tmp_path}/recording"):
        said = spaces.said("a", PING, recording=recording)
        assert said.fate == "dropped"
    assert spaces.really("a", PING).at == ()
