"""User-mode networking for real: slirp4netns takes packets from a tap, and sends them on from sockets of its own elsewhere."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.lab.lab import wait_until
from nswire.model.reasons import Cause
from nswire.path import Flow, trace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.lab.lab import Lab

OUTSIDE = "192.0.2.2"

pytestmark = pytest.mark.needs("slirp4netns", "ip", "nsenter")


@pytest.fixture(params=[()])
def inner(lab: Lab, request: pytest.FixtureRequest) -> Iterator[int]:
    """The pid of a process in a namespace of its own, whose only way out is slirp4netns; home is wired to a namespace outside."""
    options: tuple[str, ...] = request.param
    outside = lab.namespace("named", "outside")
    (_, here, _), (_, there, _) = lab.pair(lab.home, "up0", outside, "up1")
    for ns, index, address in ((lab.home, here, "192.0.2.1/24"), (outside, there, f"{OUTSIDE}/24")):
        lab.rtnl(ns).address(index, address)
        lab.rtnl(ns).set(index, up=True)
    with contextlib.ExitStack() as ending:

        def start(*words: str) -> subprocess.Popen[bytes]:
            process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            ending.callback(process.wait)
            ending.callback(process.kill)
            return process

        holder = start("unshare", "--net", "sleep", "infinity")
        home = lab.home.inode
        wait_until(lambda: _namespace(holder.pid) not in (0, home), 10, "the namespace is there")
        server = start("slirp4netns", "--configure", *options, str(holder.pid), "tap0")
        wait_until(
            lambda: _has_tap(holder.pid) or server.poll() is not None, 10, "slirp4netns has made its tap"
        )
        if server.poll() is not None:
            pytest.skip("slirp4netns does not run here")
        yield holder.pid


def _namespace(pid: int) -> int:
    return next((ns.inode or 0 for ns in nswire.scan().namespaces.values() if _holds(ns, pid)), 0)


def _holds(ns: nswire.Namespace, pid: int) -> bool:
    return any(holder.pid == pid for holder in ns.holders)


def _has_tap(pid: int) -> bool:
    shown = subprocess.run(
        ["nsenter", "-t", str(pid), "-n", "ip", "-o", "-4", "address", "show", "tap0"],
        capture_output=True,
        text=True,
        check=False,
    )
    return "10.0.2.100" in shown.stdout


def test_out_of_a_process(inner: int) -> None:
    """In by the tap, out of a socket in the process's own namespace, and the answer back into the tap."""
    topology = nswire.scan()
    start = _namespace(inner)
    found = trace(topology, topology.lookups(), start, Flow(OUTSIDE, "", 17, 0, 53))
    way = found.forward.ways[0]
    assert found.forward.fate == "refused", found.forward.reason  # nothing listens outside
    told = [step.text for hop in way.hops for step in hop.steps if step.type == "process"]
    assert any("slirp4netns sends it on from a socket of its own" in text for text in told), told
    assert [topology.title(topology.namespaces[hop.ns]) for hop in way.hops][1:] == ["self", "outside"]
    assert way.hops[0].enters.src in ("", "10.0.2.100")
    assert way.hops[-1].enters.src == "192.0.2.1"
    assert found.reply is not None
    assert (found.reply.fate, found.reply.ways[0].hops[-1].ns) == ("delivered", start), found.reply.reason


SANDBOX = ("--enable-sandbox",)  # drops CAP_NET_RAW, as Podman has it


@pytest.mark.parametrize("inner", [(), SANDBOX], indirect=True, ids=["raw", "sandbox"])
@pytest.mark.parametrize("allowed", ["1 0", "1 9", "0 0"])
def test_an_echo_request(inner: int, allowed: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """By a ping socket, which takes a group that the administrator allows (by default none), or a raw one, if it may have that."""
    PING.write_text(allowed)
    may = allowed == "0 0" or request.node.callspec.params["inner"] != SANDBOX
    assert answered(inner) == may
    nswire.record(tmp_path / "host.nswire")
    for topology in (nswire.scan(), nswire.load(tmp_path / "host.nswire")):
        found = trace(topology, topology.lookups(), _namespace(inner), Flow(OUTSIDE))
        if may:
            assert found.forward.fate == "delivered", found.forward.reason
            continue
        (way,) = found.forward.ways
        assert found.forward.fate == "dropped"
        assert isinstance(way.reason, Cause)
        assert way.reason.code == "process.may_not_ping"
        assert way.mend is not None
        assert way.mend.words[:2] == ("sysctl", "-w")
    if not may:
        PING.write_text(way.mend.words[2].partition("=")[2])  # type: ignore[union-attr]
        assert answered(inner)
    PING.write_text("1 0")


PING = Path("/proc/sys/net/ipv4/ping_group_range")
ASK = """
import os, socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
sock.settimeout(0.4)
for number in range(3):
    sock.sendto(b"\\x08\\0" + (0xFFFF - (0x800 + number)).to_bytes(2, "big") + bytes(2) + number.to_bytes(2, "big"), (sys.argv[1], 0))
    try:
        while sock.recv(999)[20]:  # its own error, or the like
            pass
        sys.exit(0)
    except TimeoutError:
        pass
sys.exit(1)
"""


def answered(pid: int) -> bool:
    """An echo request really sent from the namespace of a process, to the outside."""
    command = ["nsenter", "-t", str(pid), "-n", sys.executable, "-S", "-c", ASK, OUTSIDE]
    return not subprocess.run(command, check=False).returncode
