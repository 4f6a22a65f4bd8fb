"""A path goes on through a process that listens for somebody else: Docker's own docker-proxy, and pasta, with packets through them."""

from __future__ import annotations

import contextlib
import socket
import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import PATIENCE, TCP, UDP, Spaces

import nswire
from nswire.codec.process import Process
from nswire.lab.lab import wait_until
from nswire.owners.forwards import Waiting, mapped
from nswire.path import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.lab import Lab
    from nswire.model.reasons import Cause

LINE = """
a ip link add a0 type veth peer name h0 netns h
h ip link add h1 type veth peer name c0 netns c
a ip address add 10.0.0.1/24 dev a0
h ip address add 10.0.0.2/24 dev h0
h ip address add 10.1.0.1/24 dev h1
c ip address add 10.1.0.2/24 dev c0
a ip link set lo up
h ip link set lo up
c ip link set lo up
a ip link set a0 up
h ip link set h0 up
h ip link set h1 up
c ip link set c0 up
"""
OUT, INSIDE = 8080, 80
INPUT = "c nft add table ip t; nft add chain ip t i '{ type filter hook input priority 0; }'; nft add rule ip t i %s dport 80 drop"
OUTPUT = "c nft add table ip t; nft add chain ip t o '{ type filter hook output priority 0; }'; nft add rule ip t o %s sport 80 drop"

pytestmark = pytest.mark.needs("docker-proxy", "ip", "nft")


class Case(NamedTuple):
    """What comes of TCP and of UDP, the reason that is told; what is done to the network, and who listens inside."""

    tcp: str
    udp: str
    code: str
    trouble: str = ""
    listens: bool = True


CASES = {
    "works": Case("answered", "answered", "local.taken"),
    "nobody listens": Case("accepted", "refused or lost", "local.nobody_listens", listens=False),
    "filtered": Case("accepted", "refused or lost", "process.accepted_alone", INPUT),
    "answers filtered": Case("accepted", "refused or lost", "local.taken", OUTPUT),
    "down": Case("accepted", "refused or lost", "process.accepted_alone", "h ip link set h1 down #%s"),
}


@contextlib.contextmanager
def proxy(spaces: Spaces, name: str, port: int = OUT) -> Iterator[int]:
    """A docker-proxy in h, which says on descriptor 3 that it is there."""
    words = f"docker-proxy -proto {name} -host-ip 0.0.0.0 -host-port {port} -container-ip 10.1.0.2 -container-port {INSIDE}"
    with spaces["h"].entered():
        process = subprocess.Popen(
            ["sh", "-c", f"exec {words} 3>&1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.read(1) == b"0"
            yield process.pid
        finally:
            process.kill()


def really(spaces: Spaces, start: str, address: str, proto: int) -> str:
    """Whether what is sent comes back, or a connection is accepted at least."""
    with spaces[start].entered():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM if proto == TCP else socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(PATIENCE)
        try:
            sock.connect((address, OUT))
        except OSError:
            return "refused or lost"
        with contextlib.suppress(OSError):
            sock.send(b"there and back")
            if sock.recv(100) == b"there and back":
                return "answered"
        return "accepted" if proto == TCP else "refused or lost"


@contextlib.contextmanager
def echo(spaces: Spaces, proto: int, *, listens: bool) -> Iterator[int]:
    """Somebody in c who sends everything back; gives its pid."""
    if not listens:
        yield 0
        return
    script = (
        "import socket, contextlib\n"
        f"s=socket.socket(socket.AF_INET, socket.{'SOCK_STREAM' if proto == TCP else 'SOCK_DGRAM'})\n"
        f"s.bind(('0.0.0.0', {INSIDE}))\n"
        + (
            "s.listen()\nprint('up', flush=True)\nwhile True:\n c,_=s.accept()\n c.sendall(c.recv(100))\n c.close()\n"
            if proto == TCP
            else "print('up', flush=True)\nwhile True:\n d,w=s.recvfrom(100)\n with contextlib.suppress(OSError):\n  s.sendto(d,w)\n"
        )
    )
    with spaces["c"].entered():
        process = subprocess.Popen(["python3", "-S", "-c", script], stdout=subprocess.PIPE)
    with process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
            yield process.pid
        finally:
            process.kill()


def root(cause: Cause | None) -> str:
    """The code of a cause."""
    assert cause is not None
    return cause.code


@pytest.mark.parametrize("proto", [TCP, UDP])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_docker_proxy(lab: Lab, tmp_path: Path, case: Case, proto: int) -> None:
    """A client of TCP is accepted whatever becomes of the second connection; a datagram is where that ends."""
    name = "tcp" if proto == TCP else "udp"
    spaces = Spaces(lab, LINE)
    spaces.settled()
    if case.trouble:
        spaces.run(case.trouble % name)
    flow = Flow("10.0.0.2", "", proto, 0, OUT)
    with proxy(spaces, name) as pid, echo(spaces, proto, listens=case.listens) as server:
        came = really(spaces, "a", "10.0.0.2", proto)
        assert came == (case.tcp if proto == TCP else case.udp)
        live = spaces.said("a", flow, to=spaces["h"].inode)
        replayed = spaces.said("a", flow, recording=f"{tmp_path}/host.nsw", to=spaces["h"].inode)
    assert replayed.trace.forward.reason == live.trace.forward.reason
    way = live.trace.forward.ways[0]
    texts = [step.text for hop in way.hops for step in hop.steps]
    assert any(text.startswith("docker-proxy sends it on from a socket of its own in h") for text in texts)
    reason = way.reason
    if proto == TCP or not case.code.startswith("process."):
        assert live.fate == "delivered"
        assert root(reason) == case.code, reason
    else:
        assert live.fate == "dropped"
    if case.code == "process.accepted_alone" and proto == TCP:
        assert f"docker-proxy (pid {pid}) accepts the connection on 0.0.0.0:8080" in str(reason)
    if case.code == "local.taken":
        assert live.at == ("c",)
        assert f"(pid {server}) listens on 0.0.0.0:80" in str(reason)
    back = live.trace.reply
    if came == "answered":
        assert live.answer == "delivered"
        assert back is not None
        (got,) = back.ways
        assert (got.hops[0].ns, got.hops[-1].ns) == (spaces["c"].inode, spaces["a"].inode)
    elif case.trouble == OUTPUT:
        assert live.answer == ("delivered" if proto == TCP else "dropped")
        assert back is not None
        assert back.reason is not None
        assert (back.reason.code == "process.answered_alone") == (proto == TCP)


def test_a_proxy_of_itself(lab: Lab) -> None:
    """One that hands on to its own socket ends as not known, and soon."""
    spaces = Spaces(
        lab,
        LINE.replace("10.1.0.1/24", "10.1.0.2/24").replace(
            "c ip address add 10.1.0.2", "c ip address add 10.1.0.3"
        ),
    )
    spaces.settled()
    with proxy(spaces, "tcp", INSIDE):
        said = spaces.said("a", Flow("10.0.0.2", "", TCP, 0, INSIDE))
    assert said.fate == "unknown"
    assert "more than 4 processes" in said.reason


TAPPED = """
a ip link add a0 type veth peer name h0 netns h
a ip address add 10.0.0.1/24 dev a0
h ip address add 10.0.0.2/24 dev h0
a ip link set lo up
h ip link set lo up
c ip link set lo up
a ip link set a0 up
h ip link set h0 up
h ip route replace default via 10.0.0.1 dev h0
"""
BY_TAP = "c nft add table ip t; nft add chain ip t i '{ type filter hook input priority 0; }'; nft add rule ip t i iifname != lo tcp dport 80 drop"
PASTA = (
    "pasta --runas 0 --foreground --quiet --netns-only --config-net -4 -a 10.9.0.2 -n 24 -g 10.9.0.1 -u none -T none -U none "
    f"-t {OUT}:{INSIDE} --netns /run/netns/c"
)


@contextlib.contextmanager
def pasta(spaces: Spaces) -> Iterator[None]:
    """A real one in h, with its tap in c."""
    _ = spaces["c"]
    with spaces["h"].entered():
        process = subprocess.Popen(
            PASTA.split(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def ready() -> bool:
        taps = [link for link in nswire.scan().links(spaces["c"].inode) if link.kind == "tun"]
        return process.poll() is not None or any(
            link.addresses and "LOWER_UP" in link.flags and link.late_wires("tap") for link in taps
        )

    with process:
        try:
            wait_until(ready, 10, "pasta serves its tap")
            if process.poll() is not None:
                pytest.skip("pasta does not run here")
            yield
        finally:
            process.terminate()


@pytest.mark.needs("pasta")
def test_pasta(lab: Lab, tmp_path: Path) -> None:
    """What comes from a loopback address is for a socket inside, all else comes by the tap."""
    spaces = Spaces(lab, TAPPED)
    spaces.settled()
    seen = set()
    with pasta(spaces), echo(spaces, TCP, listens=True) as server:
        for trouble in ("", BY_TAP):
            spaces.run(trouble)
            for start, address in (("a", "10.0.0.2"), ("h", "127.0.0.1"), ("h", "10.0.0.2")):
                came = really(spaces, start, address, TCP)
                flow = Flow(address, "", TCP, 0, OUT)
                live = spaces.said(start, flow, to=spaces["h"].inode)
                file = f"{tmp_path}/host.nsw"
                replayed = spaces.said(start, flow, recording=file, to=spaces["h"].inode)
                assert replayed.trace.forward.reason == live.trace.forward.reason
                seen.add((start, address, came))
                assert live.fate == "delivered", (start, address, live.reason)
                ends = {way.hops[-1].ns for way in live.trace.forward.ways}
                if came == "answered":
                    assert f"(pid {server}) listens on 0.0.0.0:80" in live.reason
                    assert live.answer == "delivered", live.trace.reply
                    assert ends == {spaces["c"].inode}
                else:
                    assert live.trace.forward.reason is not None
                    assert live.trace.forward.reason.code == "process.accepted_alone", (start, address)
    assert seen == {
        ("a", "10.0.0.2", "answered"),
        ("a", "10.0.0.2", "accepted"),
        ("h", "127.0.0.1", "answered"),
        ("h", "10.0.0.2", "answered"),
        ("h", "10.0.0.2", "accepted"),
    }


@pytest.mark.parametrize(
    ("words", "waiting", "inside"),
    [
        ("-t 8080:80", Waiting("tcp", "0.0.0.0", 8080), 80),
        ("-t 8080:80", Waiting("tcp", "::ffff:0.0.0.0", 8080), 80),
        ("-t 127.0.0.1/8080:80,10.0.0.2/8080:81", Waiting("tcp", "10.0.0.2", 8080), 81),
        ("-t 127.0.0.1/8080:80,10.0.0.2/8080:81", Waiting("tcp", "127.0.0.1", 8080), 80),
        ("-t 127.0.0.1/8080:80", Waiting("tcp", "0.0.0.0", 8080), 0),
        ("-t %eth0/8080:80,%eth1/8080:81", Waiting("tcp", "0.0.0.0", 8080, "eth1"), 81),
        ("-t fd01:0::2/8080:80", Waiting("tcp", "fd01::2", 8080), 80),
        ("-t 8080:80 -u 8080:53", Waiting("udp", "::", 8080), 53),
        ("--tcp-ports=22,8080-8082:90-92", Waiting("tcp", "0.0.0.0", 8081), 91),
        ("-t auto", Waiting("tcp", "0.0.0.0", 8081), 8081),
        ("-t ::::/8080:80", Waiting("tcp", "::", 8080), 0),
        ("-t", Waiting("tcp", "::", 8080), 0),
    ],
)
def test_which_port_of_pasta(words: str, waiting: Waiting, inside: int) -> None:
    """One specification of several may be of the same port, at another address or link."""
    process = Process(1, "pasta", ("pasta", *words.split()))
    assert mapped(process, waiting) == inside
