"""Open vSwitch for real: with its own datapath everywhere, with the kernel's where the kernel has one (in VMs)."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import nswire
from nswire.codec import ovsdb
from nswire.codec.netlink import ovs as ovs_codec
from nswire.discover.record import record
from nswire.host import jsonrpc
from nswire.host.live import Live
from nswire.lab.lab import wait_until
from nswire.path import Flow, trace
from nswire.resolve.uplinks import up

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.model.tables import Lookups
    from nswire.model.topology import Link, Topology
    from nswire.path import Trace

RUN, SCHEMA = "/run/openvswitch", "/usr/share/openvswitch/vswitch.ovsschema"
SECRET = "correct horse battery staple"

pytestmark = pytest.mark.needs("ip", "ovs-vswitchd", "ovs-vsctl", "ovsdb-server", "ovsdb-tool")


class Switch(NamedTuple):
    """A running Open vSwitch with two bridges of that datapath type."""

    datapath: str


def command(*words: str) -> str:
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module", params=["netdev", "system"])
def switch(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, private_host: None
) -> Iterator[Switch]:
    """br-int with clients and a tunnel, patched to br-ex, whose port ext0 leads to another namespace, the outside."""
    del private_host
    if not shutil.which("ovs-vswitchd", path="/usr/sbin:/usr/bin"):
        pytest.skip("ovs-vswitchd is not installed")
    datapath = request.param
    if datapath == "system":
        loaded = subprocess.run(["modprobe", "openvswitch"], capture_output=True, check=False)
        if loaded.returncode:
            pytest.skip("this kernel has no datapath of Open vSwitch: the VM kernels have one")
    elif not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened here")
    with contextlib.ExitStack() as stack:
        _daemons(stack, tmp_path_factory.mktemp("ovs"))
        _network(stack, datapath)
        yield Switch(datapath)


def _daemons(stack: contextlib.ExitStack, folder: Path) -> None:
    os.makedirs(RUN, exist_ok=True)
    database = folder / "conf.db"
    command("ovsdb-tool", "create", str(database), SCHEMA)

    def start(*words: str, until: Callable[[], bool]) -> None:
        log = stack.enter_context((folder / f"{words[0]}.log").open("w"))
        daemon = subprocess.Popen([*words, "--pidfile"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)

        def stop() -> None:
            daemon.terminate()
            daemon.wait(10)

        stack.callback(stop)
        wait_until(until, 30, f"{words[0]} is there")

    start(
        "ovsdb-server",
        str(database),
        f"--remote=punix:{RUN}/db.sock",
        until=lambda: os.path.exists(f"{RUN}/db.sock"),
    )
    command("ovs-vsctl", "--no-wait", "init")
    start(
        "ovs-vswitchd",
        until=lambda: any(name.endswith(".ctl") and "vswitchd" in name for name in os.listdir(RUN)),
    )
    # The datapath goes with its bridges: a daemon that is only ended would leave the kernel's behind.
    stack.callback(
        lambda: command(
            "ovs-vsctl", "--timeout=20", "--if-exists", "del-br", "br-int", "--", "del-br", "br-ex"
        )
    )


def _network(stack: contextlib.ExitStack, datapath: str) -> None:
    for name in ("vm1", "vm2", "svc", "outside"):
        command("ip", "netns", "add", name)
        stack.callback(command, "ip", "netns", "del", name)
    for outer, inner, ns in (("port1", "eth0", "vm1"), ("port2", "eth0", "vm2"), ("ext0", "wan0", "outside")):
        command("ip", "link", "add", outer, "type", "veth", "peer", "name", inner, "netns", ns)
        command("ip", "link", "set", outer, "up")
    command("ip", "-n", "vm1", "addr", "add", "10.5.0.1/24", "dev", "eth0")
    command("ip", "-n", "vm1", "link", "set", "eth0", "up")
    command("ip", "-n", "outside", "addr", "add", "10.5.0.254/24", "dev", "wan0")
    command("ip", "-n", "outside", "link", "set", "wan0", "up")
    command("ip", "-n", "vm1", "route", "add", "default", "via", "10.5.0.254")
    words = []
    for bridge in ("br-int", "br-ex"):
        words += ["--", "add-br", bridge, "--", "set", "bridge", bridge, f"datapath_type={datapath}"]
    for number in (1, 2):
        words += ["--", "add-port", "br-int", f"port{number}", f"tag={4 + number}"]
        words += ["--", "set", "interface", f"port{number}", f"external_ids:iface-id=5f0c-{number}"]
    for name, tag in (("in0", 7), ("in1", 8)):
        words += [
            "--",
            "add-port",
            "br-int",
            name,
            f"tag={tag}",
            "--",
            "set",
            "interface",
            name,
            "type=internal",
        ]
    words += [
        "--",
        "add-port",
        "br-int",
        "pa",
        "--",
        "set",
        "interface",
        "pa",
        "type=patch",
        "options:peer=pb",
    ]
    words += [
        "--",
        "add-port",
        "br-ex",
        "pb",
        "--",
        "set",
        "interface",
        "pb",
        "type=patch",
        "options:peer=pa",
    ]
    words += [
        "--",
        "add-port",
        "br-ex",
        "lost",
        "--",
        "set",
        "interface",
        "lost",
        "type=patch",
        "options:peer=none",
    ]
    words += ["--", "add-port", "br-ex", "ext0"]
    words += ["--", "add-port", "br-int", "vx0", "--", "set", "interface", "vx0", "type=vxlan"]
    words += ["options:remote_ip=10.99.0.2", "options:key=7", f'options:psk="{SECRET}"']
    command("ovs-vsctl", "--timeout=30", *words[1:])
    # In its new namespace each of the moved ports meets another link with the ifindex that it had.
    index = Path("/sys/class/net/in1/ifindex").read_text().strip()
    command("ip", "-n", "svc", "link", "add", "trap", "index", index, "type", "veth", "peer", "name", "trap2")
    for name in ("in0", "in1"):
        command("ip", "link", "set", name, "netns", "svc")
    command("ip", "-n", "svc", "link", "set", "in1", "name", "eth7")


def port_of(link: Link) -> list[tuple[Link | None, dict[str, object]]]:
    """The bridges that a link is a port of, with what belongs to the wire."""
    wires = [wire for wire in link.late_wires("port") if wire.a == link.end]
    return [(link.topology.at(wire.b), dict(wire.data)) for wire in wires]


def evidence(link: Link) -> list[str]:
    return [wire.evidence for wire in link.late_wires("port") if wire.a == link.end]


def check(topology: Topology, switch: Switch) -> None:
    """What is true by construction, of the machine or of its recording."""
    bridge, outer = topology.link("br-int"), topology.link("br-ex")
    for name, tag in (("port1", 5), ("port2", 6), ("svc/in0", 7), ("svc/eth7", 8)):
        ((found, data),) = port_of(topology.link(name))
        assert (found, data["tag"]) == (bridge, tag), name
    assert {port.ifname for port in bridge.ports} >= {"port1", "port2", "in0", "eth7"}
    (patch,) = bridge.late_wires("patch")
    assert {topology.at(patch.a), topology.at(patch.b)} == {bridge, outer}
    assert patch.evidence == "mutual"
    (tunnel,) = [wire for wire in bridge.late_wires("underlay") if wire.to is not None]
    assert tunnel.to is not None
    assert (tunnel.to.type, tunnel.to.name, dict(tunnel.to.data)["remote_ip"]) == (
        "tunnel",
        "vx0",
        "10.99.0.2",
    )
    assert any("lost" in gap.where for gap in topology.gaps), "a patch port without a peer is told"
    assert port_of(topology.link("svc/trap")) == []
    if switch.datapath == "system":
        assert evidence(topology.link("svc/eth7")) == ["proved"]
        assert evidence(topology.link("port1")) == ["proved"]
    else:
        assert evidence(topology.link("svc/eth7")) == ["inferred"]
    assert topology.link("port1").details["ovs"]["external_ids"] == {"iface-id": "5f0c-1"}


def test_ports_bridges_patches_tunnels(switch: Switch) -> None:
    """Internal ports are found where they are, moved and renamed; by the datapath's own word, where there is one."""
    check(nswire.scan(), switch)


def test_the_way_out_over_two_bridges(switch: Switch) -> None:
    """eth0 in the VM -> port1 -> br-int -> patch -> br-ex -> ext0 -> wan0, and the tunnel beside; not to other clients."""
    topology = nswire.scan()
    way = up(topology.link("vm1/eth0"), lambda: frozenset(("10.5.0.254",)))
    names = [
        (step.relation, step.link.ifname if step.link else step.to.name if step.to else "")
        for step in way.steps
    ]
    assert names[:2] == [("peer", "port1"), ("port", "br-int")]
    assert ("patch", "br-ex") in names
    assert ("uplink", "ext0") in names
    assert ("underlay", "vx0") in names
    assert names[-1] == ("peer", "wan0")
    assert not {"port2", "in0", "eth7"} & {name for _, name in names}
    assert switch.datapath == topology.link("br-int").details["ovs"]["datapath"]


def test_the_same_from_a_recording_without_secrets(switch: Switch, tmp_path: Path) -> None:
    """Whatever the tunnels are keyed with stays on the machine."""
    file = tmp_path / "ovs.nsw"
    record(Live(), file)
    check(nswire.load(file), switch)
    answer = Live().host("ovsdb")
    assert isinstance(answer, bytes)
    assert b"remote_ip" in answer
    assert SECRET.encode() not in answer


def test_without_the_database_the_kernel_alone(switch: Switch) -> None:
    """No bridge, then: ports of a datapath, and a gap that says what is missing; of ovs-vswitchd's own, nothing."""
    topology = nswire.scan(Live(ovs_dir="/nowhere"))
    if switch.datapath == "netdev":
        assert port_of(topology.link("port1")) == []
        return
    datapath = topology.link("ovs-system")
    assert [found for found, _ in port_of(topology.link("svc/eth7"))] == [datapath]
    assert evidence(topology.link("svc/in0")) == ["proved"]
    assert any("bridges" in gap.what for gap in topology.gaps)


def test_a_database_that_never_answers(tmp_path: Path) -> None:
    """A hung daemon costs a third of a second once, and is a gap."""
    with socket.socket(socket.AF_UNIX) as hung:
        hung.bind(os.fspath(tmp_path / "db.sock"))
        hung.listen()
        topology = nswire.scan(Live(ovs_dir=os.fspath(tmp_path)))
        lo = next(iter(topology))
        assert lo.late_wires("port") == ()
        refusal = Live(ovs_dir=os.fspath(tmp_path)).host("ovsdb")
        assert not isinstance(refusal, bytes)
        assert os.strerror(refusal.errno) == "Connection timed out"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (b"garbage", "Connection reset by peer"),
        (b"[1]", "Connection reset by peer"),
        (b'{"id": 0, "error": "no", "result": null}', "Protocol error"),
        (b'{"id": 1, "result": []}', "Connection reset by peer"),
        (b'{"method": "echo", "params": [], "id": "x"}{"id": 0, "result": 5, "error": null}', None),
    ],
)
def test_what_a_daemon_may_say(tmp_path: Path, said: bytes, reason: str | None) -> None:
    """Garbage, errors, other people's answers; a question of its own before the answer is normal."""
    path = os.fspath(tmp_path / "sock")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def serve() -> None:
            client, _ = server.accept()
            with client:
                client.recv(4096)
                client.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            if reason is None:
                assert jsonrpc.call(path, "x", [], within=5) == 5
            else:
                with pytest.raises(OSError) as failed:  # noqa: PT011 (the errno is looked at below)
                    jsonrpc.call(path, "x", [], within=5)
                assert os.strerror(failed.value.errno or 0) == reason
        finally:
            thread.join()


SHOWN = """\
system@ovs-system: hit:0 missed:10
  br-ex:
    br-ex 65534/1: (internal)
    pb 1/none: (patch: peer=pa)
  br-int:
    in1 4/6: (internal)
    odd name 7/9: (vxlan: key=7, remote_ip=10.99.0.2)
"""


def test_dpif_show() -> None:
    """As ovs-vswitchd 2.x and 3.x write it; what looks otherwise is left out."""
    assert ovsdb.shown(SHOWN) == [
        ovsdb.Shown("br-ex", "br-ex", 65534, 1),
        ovsdb.Shown("br-ex", "pb", 1, None),
        ovsdb.Shown("br-int", "in1", 4, 6),
        ovsdb.Shown("br-int", "odd name", 7, 9),
    ]
    assert ovsdb.shown("something else\n    x\n") == []


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"Bridge": 5}', b'{"Bridge": [5]}', b"[" * 100000])
def test_a_database_of_nonsense(answer: bytes) -> None:
    """A recording may hold anything."""
    with pytest.raises(ValueError, match="no rows"):
        ovsdb.bridges(answer)


def test_rows_that_are_half_there() -> None:
    """Absent values are empty sets in OVSDB, a single one is no set at all."""
    tables = {
        "Bridge": [{"name": "b", "ports": ["set", [["uuid", "p"], ["uuid", "gone"]]]}],
        "Port": [
            {
                "_uuid": ["uuid", "p"],
                "name": "p",
                "interfaces": ["uuid", "i"],
                "tag": ["set", []],
                "trunks": 7,
            }
        ],
        "Interface": [{"_uuid": ["uuid", "i"], "name": "i", "options": ["map", [["peer", "x"], 5, ["a"]]]}],
    }
    ((name, datapath, ports),) = ovsdb.bridges(json.dumps(tables).encode())
    assert (name, datapath, ports[0].tag, ports[0].trunks) == ("b", "system", 0, (7,))
    assert ports[0].interfaces[0].options == {"peer": "x"}


def test_vports_of_another_namespace() -> None:
    """OVS_VPORT_ATTR_NETNSID is signed, and absent for ports in the datapath's own namespace."""
    import struct

    from nswire.codec.netlink.framing import attribute

    def port(number: int, *more: bytes) -> bytes:
        body = (
            struct.pack("=BBxxi", 1, 1, 11) + attribute(1, struct.pack("=I", number)) + attribute(3, b"x\0")
        )
        body += b"".join(more)
        return struct.pack("=IHHII", 16 + len(body), 30, 2, 0, 0) + body

    answer = port(1) + port(2, attribute(8, struct.pack("=I", 15)), attribute(9, struct.pack("=i", 3)))
    answer += struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)
    one, two = ovs_codec.vports(answer)
    assert (one.datapath, one.number, one.ifindex, one.nsid) == (11, 1, None, None)
    assert (two.number, two.ifindex, two.nsid) == (2, 15, 3)


@pytest.mark.needs("ping", "ovs-ofctl")
@pytest.mark.usefixtures("switch")
def test_the_way_of_a_packet() -> None:
    """Open vSwitch itself says what becomes of a frame, and a real one goes there."""

    def said() -> Trace:
        topology = nswire.scan()
        start = topology.link("vm1/eth0").end.ns
        return trace(topology, topology.lookups(), start, Flow("10.5.0.254"))

    def answered() -> bool:
        ping = ["ip", "netns", "exec", "vm1", "ping", "-c1", "-W2", "10.5.0.254"]
        return subprocess.run(ping, capture_output=True, check=False).returncode == 0

    tagged = said()
    assert tagged.forward.fate == "dropped", "its tag is 5, and nobody outside takes that"
    assert not answered()
    command("ovs-vsctl", "--timeout=20", "set", "port", "ext0", "tag=5")
    try:
        way = said()
        fates = (way.forward.fate, way.reply and way.reply.fate)
        assert fates == ("delivered", "delivered"), (way.forward.reason, way.reply and way.reply.reason)
        passed = [step for hop in way.forward.ways[0].hops for step in hop.steps]
        assert any(step.type == "ovs" and step.text.endswith("sends it to port ext0") for step in passed)
        wait_until(answered, 20, "a real packet comes back")
        command("ovs-ofctl", "add-flow", "br-ex", "priority=100,icmp,actions=drop")
        try:
            dropped = said()
            assert dropped.forward.fate == "dropped"
            assert "the flows of br-int drop it" in str(dropped.forward.reason)
            assert not answered()
        finally:
            command("ovs-ofctl", "del-flows", "br-ex", "icmp")
    finally:
        command("ovs-vsctl", "--timeout=20", "clear", "port", "ext0", "tag")


class TunnelFirst:
    """`Lookups` of a switch that sends everything into a tunnel as well, and says so first: in which order is chance."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lookups, name)

    def switched(self, bridge: str, flow: str, /) -> str | None:
        said = self._lookups.switched(bridge, flow)
        tunnel = "set(tunnel(tun_id=0x7,dst=10.99.0.2,ttl=64,tp_dst=4789,flags(df|key))),99,"
        return said and said.replace("Datapath actions: ", f"Datapath actions: {tunnel}")


@pytest.mark.usefixtures("switch")
def test_a_tunnel_takes_nothing_from_the_other_ports() -> None:
    """What is set for a tunnel stays set for the ports after it, which do not look at it."""
    command("ovs-vsctl", "--timeout=20", "set", "port", "ext0", "tag=5")
    try:
        topology = nswire.scan()
        start = topology.link("vm1/eth0").end.ns
        found = trace(topology, TunnelFirst(topology.lookups()), start, Flow("10.5.0.254"))
    finally:
        command("ovs-vsctl", "--timeout=20", "clear", "port", "ext0", "tag")
    assert found.forward.fate == "delivered", found.forward.reason
