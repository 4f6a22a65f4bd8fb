"""A host made of files: a /proc and a root folder of a test's own, read by `Live`, with namespaces and links beside them.

For what cannot run here, for what must not (a hostile container), and for numbers of containers that nobody would start.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, NamedTuple

import pytest
from drawings import fact

from nswire.discover.conclude import conclude
from nswire.discover.inspector import ScanInspector
from nswire.discover.scan_state import Scan
from nswire.handles import find
from nswire.host.live import Live
from nswire.model.values import Holder, LinkFact
from nswire.resolve import resolve
from nswire.sources.source import Found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from nswire.host.system import Answer, Errand
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Owner

HEX = "0123456789abcdef"


def number(seed: int, digits: int = 64) -> str:
    """An id as engines make them."""
    return "".join(HEX[(seed * 7 + at * at + seed // 16) % 16] for at in range(digits - 6)) + f"{seed:06x}"


class Told(NamedTuple):
    """An owner as a test looks at him: in which namespace (`host`: the host's, None: unknown), and his own links."""

    type: str
    name: str
    by: str
    pid: int | None
    ns: int | str | None
    links: tuple[str, ...] = ()


class Host:
    """Made host: `process`, `file`, `link` and so on make it, `topology` looks at it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.proc = folder / "proc"
        self.asked: list[str] = []
        self.answers: dict[str, Answer] = {}
        """Answers that are not to be had from files, such as `taps`; they come before those of the files."""
        for path in (self.root / "etc", self.proc / "thread-self/ns", self.proc / "net"):
            path.mkdir(parents=True)
        (self.proc / "thread-self/ns/net").symlink_to("/proc/thread-self/ns/net")
        (self.proc / "thread-self/status").write_text("CapEff:\t000001ffffffffff\n")
        (self.proc / "thread-self/mountinfo").write_text("")
        self.file("etc/passwd", "root:x:0:0::/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n")
        self.home = os.stat("/proc/thread-self/ns/net").st_ino
        self._holders: list[tuple[int, Holder]] = []
        self._links: dict[int, dict[int, LinkFact]] = {self.home: {}}
        self._live: Live | None = None

    def file(self, path: str, content: str | bytes | object) -> Path:
        """A file below the root; what is no text is written as JSON."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            file.write_bytes(content)
        else:
            file.write_text(content if isinstance(content, str) else json.dumps(content))
        return file

    def process(
        self,
        pid: int,
        *words: str,
        ns: int | None = None,
        comm: str = "",
        cgroup: str = "/",
        ppid: int = 1,
        uid: int = 0,
        start: int = 0,
    ) -> int:
        """A process in a namespace (home, unless it is given), with that command line."""
        folder = self.proc / str(pid)
        (folder / "ns").mkdir(parents=True, exist_ok=True)
        comm = comm or (words[0].rpartition("/")[2][:15] if words else "sleep")
        (folder / "stat").write_text(f"{pid} ({comm}) S {ppid} " + "0 " * 17 + f"{start or pid} 0\n")
        (folder / "comm").write_text(f"{comm}\n")
        (folder / "cmdline").write_bytes(b"".join(os.fsencode(word) + b"\0" for word in words))
        (folder / "status").write_text(f"Name:\t{comm}\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n")
        (folder / "cgroup").write_text(f"0::{cgroup}\n")
        link = folder / "ns/net"
        link.unlink(missing_ok=True)
        link.symlink_to(f"net:[{ns or self.home}]")
        self.hold(ns or self.home, Holder("process", pid))
        return pid

    def hold(self, ns: int, holder: Holder) -> None:
        """Something that keeps a namespace alive."""
        self._holders.append((ns, holder))
        self._links.setdefault(ns, {})

    def named(self, ns: int, path: str) -> None:
        """A name of `ip netns`, or any other mount of our own."""
        self.hold(ns, Holder("mount", path=path))

    def link(self, ns: int, ifindex: int, ifname: str, kind: str = "veth", address: str = "") -> None:
        """A link; its other end is not made."""
        self._links.setdefault(ns, {})[ifindex] = fact(ifindex, ifname, kind, address=address, flags=0x1003)

    def tap(self, ns: int, ifindex: int, ifname: str, pid: int, fd: int = 9) -> None:
        """A tap that a process serves."""
        self.link(ns, ifindex, ifname, "tun")
        row = f"{pid} {fd} net:[{ns}] - {ifname}".encode()
        before = self.answers.get("taps")
        self.answers["taps"] = row if before is None else b"%s\n%s" % (before, row)

    # -- looking -------------------------------------------------------------------------------------------------

    def host(self, name: str) -> Answer:
        """The seam: files, but for what a test answers itself."""
        self.asked.append(name)
        if name in self.answers:
            return self.answers[name]
        if self._live is None:
            self._live = Live(
                proc=str(self.proc), root=str(self.root), ovs_dir=str(self.root / "run/openvswitch")
            )
        return self._live.host(name)

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Nobody can be visited: what is inside is made, too."""

    def topology(self) -> Topology:
        """What nswire says of it."""
        scan = Scan(self, addresses=False)
        for ns, holder in self._holders:
            scan.note(Found(ns, holder, ("path", 0, "")))
        scan.facts.links = {ns: dict(links) for ns, links in self._links.items()}
        scan.facts.addresses = dict.fromkeys(self._links, ())
        scan.outcome = resolve(scan.facts)
        return conclude(scan, 0.0, ScanInspector(scan))

    def told(self) -> list[Told]:
        """All owners."""
        topology = self.topology()
        return [
            Told(
                owner.type,
                owner.name,
                owner.by,
                owner.pid,
                "host" if ns == self.home else ns,
                tuple(link.ifname for end in ends if (link := topology.get(end)) is not None),
            )
            for owner, ns, ends in topology.owned()
        ]

    def owners(self, ns: int) -> list[str]:
        """`TYPE:NAME` of whose a namespace is, in order."""
        return [f"{owner.type}:{owner.name}" for owner in self.topology().owners(ns)]

    def meant(self, handle: str) -> list[tuple[Owner | None, list[str]]]:
        """What a handle finds: the owner, and the names of the links."""
        return [(match.owner, _names(match.links)) for match in find(self.topology(), handle)]

    def gaps(self) -> list[str]:
        """What could not be seen, once all owners were asked for."""
        topology = self.topology()
        topology.owned()
        return [f"{gap.where}: {gap.what}: {gap.why} ({gap.hint})" for gap in topology.gaps]


def _names(links: Iterable[Link]) -> list[str]:
    return [link.ifname for link in links]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """An empty made host: one process at home."""
    made = Host(tmp_path)
    made.process(1, "/sbin/init")
    made.link(made.home, 2, "eth0", "")
    return made


@pytest.fixture
def made(tmp_path: Path) -> Callable[[str], Host]:
    """Further made hosts, by name."""
    return lambda name: Host(tmp_path / name)


@pytest.fixture
def ids() -> Callable[[int], str]:
    """Ids as engines make them."""
    return number
