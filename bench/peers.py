"""What the benchmark runs: one row each. A row is a name and how to do the same job with it."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IMPORTS = "import nswire.discover, nswire.host.live, nswire.sources"
BORROWED = f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})"
LIBRARY = """
import json, time
import nswire
{imports}
begin, cpu = time.perf_counter(), time.process_time()
topology = nswire.scan({how})
print(json.dumps(dict(wall=time.perf_counter() - begin, cpu=time.process_time() - cpu)))
"""

# As in its documentation's examples for many namespaces, and with an own visit per namespace, which it does not offer.
PYROUTE2_NETNS = """
import os
from pyroute2 import NetNS
for name in os.listdir("/run/netns"):
    with NetNS(name) as ns:
        list(ns.get_links())
"""
PYROUTE2_SETNS = """
import ctypes, os
from pyroute2 import IPRoute
setns = ctypes.CDLL(None).setns
for name in os.listdir("/run/netns"):
    fd = os.open("/run/netns/" + name, os.O_RDONLY)
    setns(fd, 0x40000000)
    os.close(fd)
    with IPRoute() as ipr:
        list(ipr.get_links())
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One row of the table."""

    name: str
    command: tuple[str, ...]
    needs: str
    """A program or (with a colon before it) a Python module that must be there."""
    inside: bool = False
    """It prints its own measure of a part of itself, as JSON: wall and cpu in seconds."""
    largest: int = 1_000_000
    """Not run with more namespaces than this."""

    def missing(self) -> str | None:
        """Why it cannot be run here."""
        if self.needs.startswith(":"):
            return None if importlib.util.find_spec(self.needs[1:]) else f"no Python module {self.needs[1:]}"
        return None if shutil.which(self.needs) else f"{os.path.basename(self.needs)} is not installed"


def peers(build: Path, link: str) -> list[Peer]:
    """All rows; `link` is the one that `nswire peer` is asked for, `build` has the compiled programs."""
    python = sys.executable
    nswire = (python, "-m", "nswire")
    return [
        *scans(build),
        Peer("nswire peer LINK", (*nswire, "peer", link), ":nswire"),
        Peer("nswire path LINK GATEWAY", (*nswire, "path", link, "10.0.0.1"), ":nswire"),
        Peer("nswire peer -j (all pairs)", (*nswire, "peer", "-j"), ":nswire"),
        Peer("nswire ls -j", (*nswire, "ls", "-j"), ":nswire"),
        Peer("nswire map (text)", (*nswire, "map"), ":nswire"),
        Peer("nswire map -o html", (*nswire, "map", "-o", "html"), ":nswire"),
        Peer("nswire map -o svg --group none", (*nswire, "map", "-o", "svg", "--group", "none"), ":nswire"),
        Peer("nswire --help", (*nswire, "--help"), ":nswire"),
        Peer("lsns -t net", ("lsns", "-t", "net"), "lsns"),
        Peer("plotnetcfg -f json", ("plotnetcfg", "-f", "json"), "plotnetcfg"),
        Peer(
            "ip -all netns exec ip -d -j link",
            ("ip", "-all", "netns", "exec", "ip", "-d", "-j", "link"),
            "ip",
        ),
        Peer("pyroute2, own setns + IPRoute()", (python, "-c", PYROUTE2_SETNS), ":pyroute2"),
        Peer("pyroute2, NetNS()", (python, "-c", PYROUTE2_NETNS), ":pyroute2", largest=1000),
    ]


def scans(build: Path) -> list[Peer]:
    """The rows that read every namespace and answer nothing: the floor, and the library's scan."""
    python, floor = sys.executable, str(build / "floor")
    return [
        Peer("C floor: links + addresses", (floor,), floor),
        Peer("C floor: links", (floor, "-l"), floor),
        Peer(
            "nswire.scan(), imports done",
            # What scan() imports when it is first called.
            (
                python,
                "-c",
                LIBRARY.format(imports=IMPORTS, how=""),
            ),
            ":nswire",
            inside=True,
        ),
        Peer(
            "nswire.scan(addresses=False), imports done",
            (python, "-c", LIBRARY.format(imports=IMPORTS, how="addresses=False")),
            ":nswire",
            inside=True,
        ),
        *(
            # The same code and libraries by another build of Python: distributions optimise theirs.
            Peer(
                f"nswire.scan(), imports done, by {other}",
                (other, "-c", LIBRARY.format(imports=f"{BORROWED}; {IMPORTS}", how="")),
                other,
                inside=True,
            )
            for other in other_pythons()
        ),
        Peer(
            "nswire.scan(), with its imports",
            (python, "-c", LIBRARY.format(imports="", how="")),
            ":nswire",
            inside=True,
        ),
    ]


@cache
def other_pythons() -> list[str]:
    """The distribution's Python, if nswire runs here by another build of that version."""
    python = "/usr/bin/python3"
    if not os.path.exists(python) or os.path.samefile(python, sys.executable):
        return []
    said = subprocess.run(
        [python, "-c", "import sys; print(sys.version_info[:2])"], capture_output=True, text=True
    )
    return [python] if said.stdout.strip() == str(sys.version_info[:2]) else []


def versions() -> list[str]:
    """What is compared, by version, as the programs say it."""
    said = []
    pythons = [(python, "--version") for python in other_pythons()]
    for command in (
        *pythons,
        ("ip", "-V"),
        ("plotnetcfg", "--version"),
        ("lsns", "--version"),
        ("gcc", "--version"),
    ):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, text=True)
            said.append(f"{command[0]}: " + (done.stdout or done.stderr).strip().partition("\n")[0])
    if importlib.util.find_spec("pyroute2"):
        from importlib.metadata import version

        said.append(f"pyroute2 {version('pyroute2')}")
    return said
