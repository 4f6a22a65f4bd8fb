"""What newer kernels can do to a packet, one thing at a time: packets really sent, and what is said of them, live and by a recording.

Kinds that this kernel lacks are made on the newest one in a VM (tools/test).
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import ICMP, ICMPV6, UDP, Real, Spaces

import nswire
from nswire.host import programs, syscalls
from nswire.kinds import is_single
from nswire.lab import attributes as nla
from nswire.model.reasons import Cause
from nswire.path import Flow
from nswire.path.choices import Chooser
from nswire.path.fib import Fib
from nswire.path.values import Packet
from nswire.path.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.truth import Lab

pytestmark = pytest.mark.needs("ip", "bridge", "tc")

LINE = """\
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set lo up
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set lo up
b ip link set b0 up
"""
BRIDGE = """\
r ip link add br0 type bridge mcast_snooping 0 forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
r true
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set b0 up
"""
EARLY = "r true\n"  # where a line stands before anything was sent, by IPv6 on its own
FILTERING = BRIDGE.replace("forward_delay 0", "forward_delay 0 vlan_filtering 1")
HUB = BRIDGE.replace("forward_delay 0", "forward_delay 0 ageing_time 0")
UNCALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=0 || true"
CALLED = BRIDGE + "r ip link set pb mtu 1400\nr sysctl -qw net.bridge.bridge-nf-call-iptables=1"
NAT = "nft 'table ip n { chain p { type nat hook postrouting priority 100; oifname rb masquerade; }; }'"
PING = Flow("10.0.0.2", "", ICMP)
PING6 = Flow("fd00::2", "", ICMPV6)
ASK = Flow("10.0.0.2", "", UDP, 0, 9000)


class Case(NamedTuple):
    """What is built, the packet, and which reason its loss has (empty: it arrives at `at`, and is answered).

    `fate`: what is said where that is not known. `one_way`: the answer is another story, as it is of what has a size.
    """

    lines: str
    code: str = ""
    flow: Flow = PING
    start: str = "a"
    size: int = 0
    at: str = "b"
    fate: str = ""
    one_way: bool = False


CASES: dict[str, Case] = {
    "a locked port": Case(
        BRIDGE.replace(EARLY, "r bridge link set dev pa locked on learning off\n"), "bridge.locked"
    ),
    "a locked port that knows who comes": Case(
        BRIDGE.replace(EARLY, "r bridge link set dev pa locked on learning off\n")
        + "r bridge fdb replace $(ip netns exec a cat /sys/class/net/a0/address) dev pa master static"
    ),
    "a port with proxy_arp": Case(
        BRIDGE + "r ip link set pb type bridge_slave proxy_arp on", "neighbour.nobody"
    ),
    "a port with neigh_suppress": Case(BRIDGE + "r bridge link set dev pb neigh_suppress on"),
    "a port with neigh_suppress, and the bridge knows who it is": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\n"
        "r bridge fdb replace $(ip netns exec b cat /sys/class/net/b0/address) dev pb master static\n"
        "r ip neigh add 10.0.0.2 lladdr $(ip netns exec b cat /sys/class/net/b0/address) dev br0"
    ),
    "the same, and what it knows is wrong": Case(
        BRIDGE + "r bridge link set dev pb neigh_suppress on\n"
        "r bridge fdb replace 02:00:00:00:00:99 dev pb master static\n"
        "r ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:99 dev br0",
        "l2.other_mac",
    ),
    "bcast_flood off": Case(BRIDGE + "r bridge link set dev pb bcast_flood off", "neighbour.nobody"),
    "bcast_flood off does not count for what the bridge itself asks": Case(
        BRIDGE + "r bridge link set dev pb bcast_flood off\nr ip address add 10.0.0.3/24 dev br0", start="r"
    ),
    "a hub, and no flood": Case(HUB + "r bridge link set dev pb flood off", "bridge.no_flood"),
    "a bridge that learns, and no flood": Case(BRIDGE + "r bridge link set dev pb flood off"),
    **{
        f"an XFRM policy: {name}": Case(f"{LINE}{lines}", *rest)  # type: ignore[arg-type]
        for name, (lines, *rest) in {
            "block out": ("a ip xfrm policy add dst 10.0.0.2/32 dir out action block", "xfrm.blocked"),
            "block in": ("b ip xfrm policy add dst 10.0.0.2/32 dir in action block", "xfrm.blocked"),
            "block in, IPv6": (
                "b ip xfrm policy add dst fd00::2/128 dir in action block",
                "xfrm.blocked",
                PING6,
            ),
            "block out, IPv6": (
                "a ip xfrm policy add dst fd00::2/128 dir out action block",
                "xfrm.blocked",
                PING6,
            ),
            "block in, to itself": (
                "a ip xfrm policy add dst 10.0.0.1/32 dir in action block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "block out, to itself": (
                "a ip xfrm policy add dst 10.0.0.1/32 dir out action block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "the default out, to itself": (
                "a ip xfrm policy setdefault out block",
                "",
                Flow("10.0.0.1", "", ICMP),
                "a",
                0,
                "a",
            ),
            "block another": ("a ip xfrm policy add dst 10.0.0.3/32 dir out action block",),
            "block another family": ("a ip xfrm policy add dst ::/0 dir out action block",),
            "allow": (
                (
                    "a ip xfrm policy add dst 10.0.0.0/8 dir out action block priority 9\n"
                    "a ip xfrm policy add dst 10.0.0.2/32 dir out action allow priority 8"
                ),
            ),
            "the older of two of one priority": (
                (
                    "a ip xfrm policy add dst 10.0.0.2/32 dir out action block\n"
                    "a ip xfrm policy add dst 10.0.0.0/24 dir out action allow"
                ),
                "xfrm.blocked",
            ),
            "a port": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp dport 9000 dir out action block",
                "xfrm.blocked",
                ASK,
            ),
            "another port": (
                "a ip xfrm policy add dst 10.0.0.2/32 proto udp dport 9001 dir out action block",
                "",
                ASK,
            ),
            "the type of ICMP": (
                "a ip xfrm policy add proto icmp type 8 dir out action block",
                "xfrm.blocked",
            ),
            "another type of ICMP": ("a ip xfrm policy add proto icmp type 0 dir out action block",),
            "a mark": ("a ip xfrm policy add dst 10.0.0.2/32 dir out mark 5 mask 255 action block",),
            "encrypted in": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in tmpl proto esp mode transport",
                "xfrm.not_encrypted",
            ),
            "encrypted in if it likes": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in tmpl proto esp mode transport level use",
            ),
            "the default out": ("a ip xfrm policy setdefault out block", "xfrm.default"),
            "the default in": ("b ip xfrm policy setdefault in block", "xfrm.default"),
            "the default, but for some": (
                "a ip xfrm policy setdefault out block\na ip xfrm policy add dst 10.0.0.0/8 dir out",
            ),
            "disable_xfrm": (
                "a ip xfrm policy add dst 10.0.0.2/32 dir out action block\na sysctl -w net.ipv4.conf.a0.disable_xfrm=1",
            ),
            "disable_policy": (
                "b ip xfrm policy add dst 10.0.0.2/32 dir in action block\nb sysctl -w net.ipv4.conf.all.disable_policy=1",
            ),
        }.items()
    },
}


CASES |= {
    "veth: room for a tag": Case(LINE + "b ip link set b0 mtu 1400", "", ASK, size=1404),
    "veth: too large": Case(LINE + "b ip link set b0 mtu 1400", "pair.too_large", ASK, size=1405),
    "a port: room for a tag": Case(UNCALLED, "", ASK, size=1404),
    "a port: too large": Case(UNCALLED, "bridge.too_large", ASK, size=1405),
    "br_netfilter: it fits": Case(CALLED, "", ASK, size=1400),
    "br_netfilter: no room for a tag": Case(CALLED, "bridge.not_split", ASK, size=1401),
    "br_netfilter of the bridge alone": Case(
        CALLED.replace("iptables=1", "iptables=0") + "\nr ip link set br0 type bridge nf_call_iptables 1",
        "bridge.not_split",
        ASK,
        size=1401,
    ),
}
ROUTED = """\
r ip link add ra type veth peer name a0 netns a
r ip link add rb type veth peer name b0 netns b
r ip address add 10.0.0.254/24 dev ra
r ip address add 10.0.1.254/24 dev rb
r ip link set ra up
r ip link set rb up
r sysctl -qw net.ipv4.ip_forward=1
a ip address add 10.0.0.1/24 dev a0
a ip link set a0 up
a ip route add default via 10.0.0.254
b ip address add 10.0.1.2/24 dev b0
b ip link set b0 up
b ip route add default via 10.0.1.254
"""
FAR = Flow("10.0.1.2", "", ICMP)
CASES |= {
    f"an XFRM policy of a router: {name}": Case(f"{ROUTED}{lines}", code, FAR)
    for name, lines, code in (
        ("fwd", "r ip xfrm policy add dst 10.0.1.2/32 dir fwd action block", "xfrm.blocked"),
        ("fwd, encrypted", "r ip xfrm policy add dst 10.0.1.2/32 dir fwd tmpl proto esp mode tunnel", "xfrm.not_encrypted"),
        ("out", "r ip xfrm policy add dst 10.0.1.2/32 dir out action block", "xfrm.blocked"),
        ("in", "r ip xfrm policy add dst 10.0.1.2/32 dir in action block", ""),
        ("the default fwd", "r ip xfrm policy setdefault fwd block", "xfrm.default"),
        ("out, of what it is after NAT", f"r {NAT}\nr ip xfrm policy add src 10.0.1.254/32 dst 10.0.1.2/32 dir out action block", "xfrm.blocked"),
        ("in at the end, of another source", f"r {NAT}\nb ip xfrm policy add src 10.0.0.1/32 dir in action block", ""),
    )
}  # fmt: skip

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


def codes(cause: Cause | None) -> Iterator[str]:
    """The code of a reason, and those of what led to it."""
    if cause is not None:
        yield cause.code
        for value in cause.values.values():
            if isinstance(value, Cause):
                yield from codes(value)


def build(lab: Lab, lines: str) -> Spaces:
    """Skipped, with what the kernel says, where it lacks the kind."""
    try:
        spaces = Spaces(lab, "a true\nb true\n" + lines)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not on this kernel: {error.stderr.strip().splitlines()[-1] if error.stderr else error}")
    spaces.settled()
    return spaces


@pytest.mark.parametrize("name", CASES)
def test_said_and_sent(name: str, lab: Lab, tmp_path: Path) -> None:
    """Foretold before anything is sent, since that would fill tables; then sent."""
    case = CASES[name]
    spaces = build(lab, case.lines)
    live = spaces.said(case.start, case.flow, size=case.size)
    by_recording = spaces.said(case.start, case.flow, size=case.size, recording=f"{tmp_path}/recording")
    one_way = case.one_way or case.size
    if case.fate != "unknown":
        real = spaces.really(case.start, case.flow, size=case.size)
        assert real.at == (() if case.code else (case.at,))
        assert one_way or bool(real.answer) == (not case.code)
    for said in (live, by_recording):
        if case.code:
            assert said.fate == (case.fate or "dropped"), said.reason
            assert case.code in set(codes(said.trace.forward.reason))
        elif one_way:
            assert (said.fate, said.at) == ("delivered", (case.at,)), said.reason
        else:
            assert (said.fate, said.answer) == ("delivered", "delivered"), said.reason


def test_br_netfilter_splits_what_may_be_split(lab: Lab) -> None:
    """Of a whole packet it says the same as the port itself; of one without DF it makes two."""
    spaces = build(lab, CALLED)
    topology = nswire.scan()
    walk = Walk(topology, topology.lookups(), Fib(topology, topology.lookups()), Chooser())
    landing = walk.originate(spaces["a"].inode, Packet(ASK, size=1460, whole=False))
    assert (landing.fate, landing.packet and landing.packet.size) == ("delivered", 1400)
    assert spaces.really("a", ASK, size=1460, whole=False).at == ("b",)


def test_the_largest_that_passes(lab: Lab) -> None:
    """The room for a tag belongs to it; and what only the question passes does not count."""
    third = """
r ip link add pc type veth peer name c0 netns c
r ip link set pc mtu 1300 master br0 up
c ip link set c0 mtu 1200 up
"""
    said = build(lab, UNCALLED + third).said("a", ASK)
    assert (said.fate, said.trace.mtu) == ("delivered", 1404)


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
        had = programs.has
        monkeypatch.setattr(
            programs, "has", lambda module, sysfs: module != "nfnetlink_hook" and had(module, sysfs)
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
