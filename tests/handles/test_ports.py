"""Handles of ports: with real sockets, rules and programs that listen for somebody else; live, and from a recording."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.lab.lab import wait_until
from nswire.model.sockets import Forward
from nswire.path import Flow, trace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.lab import Lab
    from nswire.lab.netns import Ns
    from nswire.model.topology import Topology

pytestmark = pytest.mark.needs("ip", "nft")

LISTEN = """
import ctypes, socket, sys
ctypes.CDLL(None).prctl(15, sys.argv[1].encode())  # PR_SET_NAME
socks = []
for word in sys.argv[2].split("+"):
    proto, address, port = word.split("=")
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if proto == "tcp" else socket.SOCK_DGRAM)
    sock.bind((address, int(port)))
    if proto == "tcp":
        sock.listen()
    socks.append(sock)
print("ready", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def listening(ns: Ns, *sockets: str, name: str = "python3", words: tuple[str, ...] = ()) -> Iterator[int]:
    """The pid of a process that listens at `tcp=ADDRESS=PORT` in a namespace, and calls itself so."""
    with ns.entered():
        child = subprocess.Popen(
            [sys.executable, "-S", "-c", LISTEN, name, "+".join(sockets), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    with child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            assert child.stdout.readline() == "ready\n"
            yield child.pid
        finally:
            child.stdin.close()


@pytest.fixture
def web(lab: Lab) -> Ns:
    """A namespace with 172.20.0.2 and 172.20.1.2, wired to home with two links."""
    made = lab.namespace("named", "web")
    lab.rtnl(made).set(1, up=True)
    for number in range(2):
        (_, here, _), (_, there, _) = lab.pair(lab.home, f"veth{number}", made, f"eth{number}")
        lab.rtnl(lab.home).address(here, f"172.20.{number}.1/24")
        lab.rtnl(made).address(there, f"172.20.{number}.2/24")
        for ns, index in ((lab.home, here), (made, there)):
            lab.rtnl(ns).set(index, up=True)
    return made


def both(folder: Path) -> Iterator[Topology]:
    """The host, and its recording."""
    nswire.record(folder / "host.nswire")
    yield nswire.scan()
    yield nswire.load(folder / "host.nswire")


def meant(topology: Topology, handle: str) -> list[str]:
    """What a handle finds: `NETNS/LINK`, or `NETNS` for all of it."""
    return sorted(
        match.namespace.label if match.namespace else f"{match.links[0].netns.label}/{match.links[0].ifname}"
        for match in nswire.find(topology, handle)
    )


def rule_of(lab: Lab, rule: str) -> None:
    """A rule of nft at home, until the laboratory ends."""
    text = f"table ip t {{ set published {{ type inet_service; elements = {{ 8080, 443 }}; }}; chain c {{ type nat hook prerouting priority dstnat; {rule}; }}; }}\n"

    def end() -> None:
        subprocess.run(["nft", "delete", "table", "ip", "t"], check=True)

    lab.undo(end)
    subprocess.run(["nft", "-f", "-"], input=text, text=True, check=True)


def test_the_links_whose_addresses_are_listened_on(web: Ns, tmp_path: Path) -> None:
    """Not all links of the namespace; those are meant by a socket that is bound to no address."""
    sockets = ("tcp=172.20.1.2=9001", "tcp=0.0.0.0=9002", "tcp=127.0.0.1=9003", "udp=172.20.0.2=9001")
    with listening(web, *sockets):
        for topology in both(tmp_path):
            assert meant(topology, "tcp:9001") == ["web/eth1"]
            assert meant(topology, "udp:9001") == ["web/eth0"]
            assert meant(topology, ":9001") == ["web/eth0", "web/eth1"]
            assert meant(topology, ":9002") == ["web"]
            assert meant(topology, ":9003") == ["web/lo"]
            assert meant(topology, ":9009") == []


@pytest.mark.parametrize(
    "rule",
    [
        "tcp dport 8080 dnat to 172.20.0.2:80",
        "iifname lo tcp dport { 80, 8000-8090 } dnat to 172.20.0.2",
        "dnat to tcp dport map { 8080 : 172.20.0.2, 8081 : 172.20.1.2 }",
        "meta l4proto tcp th dport 8080 dnat to 172.20.0.2:80",
        "dnat ip addr . port to tcp dport map { 8080 : 172.20.0.2 . 80 }",
        "tcp dport @published dnat to 172.20.0.2",
    ],
)
def test_whom_the_firewall_translates_a_port_to(lab: Lab, web: Ns, tmp_path: Path, rule: str) -> None:
    """A path walks through that rule; so the handle has to know it."""
    del web
    rule_of(lab, rule)
    for topology in both(tmp_path):
        assert meant(topology, "tcp:8080") == meant(topology, ":8080") == ["web/eth0"]
        assert meant(topology, "udp:8080") == meant(topology, "tcp:9999") == []


@pytest.mark.parametrize(
    "rule", ["ip saddr 10.0.0.1 dnat to 172.20.0.2", "tcp dport != 8080 dnat to 172.20.0.2"]
)
def test_a_rule_that_publishes_no_port(lab: Lab, web: Ns, rule: str) -> None:
    del web
    rule_of(lab, rule)
    assert meant(nswire.scan(), ":8080") == []


@pytest.mark.needs("iptables-nft")
def test_a_port_of_iptables_in_a_router(lab: Lab, web: Ns, tmp_path: Path) -> None:
    """In a namespace that leads to others, as a router of Neutron's does."""
    router = lab.namespace("named", "router")
    for number in range(2):
        lab.pair(router, f"r{number}", web, f"up{number}")
    words = (
        "iptables-nft -t nat -A PREROUTING -p udp -m udp --dport 53 -j DNAT --to-destination 172.20.1.2:5353"
    )
    with router.entered():
        subprocess.run(words.split(), check=True)
    for topology in both(tmp_path):
        assert meant(topology, "udp:53") == ["web/eth1"]
        assert meant(topology, "tcp:53") == []


def test_docker_proxy_is_no_second_answer(lab: Lab, web: Ns, tmp_path: Path) -> None:
    """It listens at home, for a container; what listens there for itself is told."""
    words = "-proto tcp -host-ip 0.0.0.0 -host-port 18092 -container-ip 172.20.0.2 -container-port 80"
    with listening(lab.home, "tcp=0.0.0.0=18092", name="docker-proxy", words=tuple(words.split())) as pid:
        for topology in both(tmp_path):
            assert meant(topology, ":18092") == ["web/eth0"]
            assert forwards(topology, lab.home.inode, 18092) == [(Forward(None, "172.20.0.2", 80),)]
            flow = Flow("172.20.0.1", "", 6, 0, 18092)
            reason = trace(topology, topology.lookups(), web.inode, flow).forward.reason
            assert str(reason).startswith("172.20.0.2 is an address of web; nothing listens on 172.20.0.2:80")
        with listening(web, "tcp=0.0.0.0=18092"):
            assert meant(nswire.scan(), ":18092") == ["web", "web/eth0"]
        assert pid
    with listening(lab.home, "tcp=0.0.0.0=18092", name="docker-prox", words=tuple(words.split())):
        assert meant(nswire.scan(), ":18092") == [nswire.scan().namespaces[lab.home.inode].label]


def forwards(topology: Topology, ns: int, port: int) -> list[tuple[Forward, ...] | None]:
    """Where those who listen on a port hand on what comes."""
    lookups = topology.lookups()
    found = []
    for one in lookups.listeners(ns) or ():
        process = lookups.holder(one.inode) if one.port == port else None
        if process is not None:
            found.append(topology.forwards(ns, process.pid, one))
    return found


@pytest.mark.needs("pasta")
@pytest.mark.parametrize(
    ("ports", "inside"), [("18080:80", 80), ("127.0.0.1/18080", 18080), ("18079-18081:79-81", 80)]
)
def test_pasta(lab: Lab, tmp_path: Path, ports: str, inside: int) -> None:
    """A real one: it serves the tap of a namespace, and listens at home on the ports that it is told."""
    inner = lab.namespace("named", "inner")
    (_, here, _), (_, there, _) = lab.pair(lab.home, "up0", lab.namespace("named", "outside"), "up1")
    lab.rtnl(lab.home).address(here, "192.0.2.1/24")
    lab.rtnl(lab.home).set(here, up=True)
    assert there
    subprocess.run("ip route add default via 192.0.2.2".split(), check=True)
    command = (
        "pasta --runas 0 --foreground --quiet --netns-only --config-net -4 -a 10.9.0.2 -n 24 -g 10.9.0.1 -u none -T none -U none "
        f"-t {ports} --netns /run/netns/inner"
    )
    with subprocess.Popen(command.split(), stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as pasta:
        try:
            wait_until(
                lambda: pasta.poll() is not None or _serves(inner), 10, "pasta serves its tap, and listens"
            )
            if pasta.poll() is not None:
                pytest.skip("pasta does not run here")
            for topology in both(tmp_path):
                (tap,) = (link.end for link in topology.links(inner.inode) if link.kind == "tun")
                assert forwards(topology, lab.home.inode, 18080)[0] == (
                    Forward(inner.inode, "", inside, tap=tap),
                )
                assert meant(topology, "tcp:18080") == ["inner"]
                flow = Flow("127.0.0.1", "", 6, 0, 18080)
                (way,) = trace(topology, topology.lookups(), lab.home.inode, flow).forward.ways[:1]
                told = [step.text for hop in way.hops for step in hop.steps]
                assert any(
                    text.endswith(f"and hands on what comes to port {inside} of inner") for text in told
                )
                assert way.hops[-1].ns == inner.inode
        finally:
            pasta.terminate()


def _serves(ns: Ns) -> bool:
    with socket.socket() as sock:
        if sock.connect_ex(("127.0.0.1", 18080)):
            return False
    return any(link.kind == "tun" and link.late_wires("tap") for link in nswire.scan().links(ns.inode))
