"""Networks of somebody who means no good, or who builds labs: what must not cost more than it is worth."""

from __future__ import annotations

import contextlib
import subprocess
from itertools import pairwise
from typing import TYPE_CHECKING

from nswire.lab.lab import Lab

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.lab.netns import Ns

LEFT, RIGHT = 5, 6


@contextlib.contextmanager
def chain(count: int, *, mac: str | None = None) -> Iterator[Lab]:
    """So many namespaces in a row, each tied to the next by a veth whose ends have the same two indexes everywhere.

    They are called c0, c1 ... `mac`: all ends have that one, so that nothing but the kernel's ids tells them apart.
    """
    with Lab() as lab:
        spaces: list[Ns] = []
        for _ in range(count):
            spaces.append(lab.namespace("named", f"c{len(spaces)}"))
        for one, other in pairwise(spaces):
            with one.rtnl() as writer:
                writer.veth(
                    "right",
                    "left",
                    index=RIGHT,
                    peer_index=LEFT,
                    mac=mac,
                    peer_mac=mac,
                    peer_netns_fd=other.fd,
                )
        yield lab


def hostile(lab: Lab, kind: str, size: int = 0) -> None:
    """A namespace `bad` beside the others, wired to home by `bad0`, that has more of something than anybody needs."""
    bad = lab.namespace("named", "bad")
    lab.pair(lab.home, "bad0", bad, "eth0")
    lab.rtnl(lab.home).address(lab.rtnl(lab.home).index("bad0"), "10.66.0.1/24")
    lab.rtnl(bad).address(lab.rtnl(bad).index("eth0"), "10.66.0.2/24")
    lab.rtnl(lab.home).set("bad0", up=True)
    lab.rtnl(bad).route("default", via="10.66.0.1")
    FILL[kind](bad, size or SIZES[kind])


def _batch(ns: Ns, program: str, lines: Iterable[str], *options: str) -> None:
    text = "\n".join(lines) + "\n"
    with ns.entered():
        subprocess.run([program, *options, "-"], input=text.encode(), check=True)


def _links(ns: Ns, count: int) -> None:
    _batch(ns, "ip", (f"link add v{n} type vxlan id {n} dstport 4789" for n in range(count)), "-batch")


def _veths(ns: Ns, count: int) -> None:
    _batch(ns, "ip", (f"link add v{n} type veth peer name w{n}" for n in range(count // 2)), "-batch")


def _nested(ns: Ns, count: int) -> None:
    """Links on links, a tree of them."""
    tunnel = "type vxlan dstport 4789 remote 10.66.0.1"
    lines = (
        f"link add n{n} {tunnel} id {n} dev {f'n{(n - 1) // 40}' if n else 'eth0'}" for n in range(count)
    )
    _batch(ns, "ip", lines, "-batch")


def _routes(ns: Ns, count: int) -> None:
    nets = (f"{11 + n // 65536}.{n // 256 % 256}.{n % 256}.0/24" for n in range(count))
    _batch(ns, "ip", (f"route add {net} via 10.66.0.1" for net in nets), "-batch")


def _fdb(ns: Ns, count: int) -> None:
    lines = ["link add br0 type bridge", "link set eth0 master br0"]
    _batch(ns, "ip", lines, "-batch")
    macs = (
        f"02:{n >> 24 & 255:02x}:{n >> 16 & 255:02x}:{n >> 8 & 255:02x}:{n & 255:02x}:01"
        for n in range(count)
    )
    _batch(ns, "bridge", (f"fdb add {mac} dev eth0 master static" for mac in macs), "-batch")


def _neighbours(ns: Ns, count: int) -> None:
    """Permanent ones: the kernel throws none of them away (neigh_alloc)."""
    lines = (
        f"neigh add 10.67.{n // 256}.{n % 256} lladdr 02:00:00:00:{n // 256:02x}:{n % 256:02x} dev eth0 nud permanent"
        for n in range(count)
    )
    _batch(ns, "ip", lines, "-batch")


def _rules(ns: Ns, count: int) -> None:
    rules = (
        f"add rule ip t c ip saddr 10.{n // 65536}.{n // 256 % 256}.{n % 256} drop" for n in range(count)
    )
    chain = ["add table ip t", "add chain ip t c { type filter hook input priority 0; }"]
    _batch(ns, "nft", [*chain, *rules], "-f")


def _elements(ns: Ns, count: int) -> None:
    lines = [
        "add table ip t",
        "add chain ip t c { type filter hook input priority 0; }",
        "add set ip t s { type ipv4_addr; }",
    ]
    for at in range(0, count, 1000):
        some = ", ".join(f"10.{n // 65536 % 256}.{n // 256 % 256}.{n % 256}" for n in range(at, at + 1000))
        lines.append(f"add element ip t s {{ {some} }}")
    _batch(ns, "nft", [*lines, "add rule ip t c ip saddr @s drop"], "-f")


FILL = {
    "links": _links,
    "veths": _veths,
    "nested": _nested,
    "routes": _routes,
    "fdb": _fdb,
    "neighbours": _neighbours,
    "rules": _rules,
    "elements": _elements,
}
SIZES = {
    "links": 5000,
    "veths": 5000,
    "nested": 20000,
    "routes": 200_000,
    "fdb": 200_000,
    "neighbours": 50_000,
    "rules": 50_000,
    "elements": 1_000_000,
}
