"""docs/benchmarks.md: one table, the targets beside what was measured, the machine."""

from __future__ import annotations

import datetime as dt
import os
import platform
from dataclasses import dataclass
from typing import TYPE_CHECKING

from peers import versions

if TYPE_CHECKING:
    from collections.abc import Iterator

INTRODUCTION = """\
Written by `make bench`, which builds the networks and runs everything below in private hosts.

The network: in each namespace a loopback and a veth whose other end is a port of a bridge at home (1000 ports a bridge), with
IPv4 and IPv6 addresses. Whole processes; medians of several runs, taken in turns. CPU is user + system time; the ratios are
made of it. The floor is a C program that enters every namespace, reads links and addresses, and answers nothing
(`bench/floor.c`). "imports done" is `nswire.scan()` alone, the first one in a process that had imported what it
needs. nswire runs by the Python that `make` found first, unless a row names another one."""

KINDS = """\
In each namespace a veth with its other end in a bridge at home, or a macvlan, a vxlan or a macvtap on a link at home, or a veth
that is a port of a bridge of the namespace's own; as many of each."""

FLOOR = "C floor: links + addresses"
LIBRARY, FIRST = "nswire.scan(), imports done", "nswire.scan(), with its imports"
BY_ANOTHER = f"{LIBRARY}, by "
PEER, HELP = "nswire peer LINK", "nswire --help"
JSON = ("nswire peer -j (all pairs)", "nswire ls -j")
PLOTNETCFG, IP = "plotnetcfg -f json", "ip -all netns exec ip -d -j link"


@dataclass(frozen=True, slots=True)
class Row:
    """One peer at one size: medians, in seconds and MiB; or why there are none."""

    name: str
    failed: str | None
    runs: int
    wall: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Size:
    """All rows at one number of namespaces."""

    count: int
    built: float
    settled: bool
    right: str
    rows: list[Row]

    def row(self, name: str) -> Row | None:
        """A row that has numbers."""
        return next((row for row in self.rows if row.name == name and not row.failed), None)


def page(sizes: list[Size], mixed: Size) -> str:
    """The whole page, in Markdown. `mixed` is the network of several kinds of links."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            INTRODUCTION,
            "",
            *table(sizes),
            "",
            "## Five kinds of links",
            "",
            KINDS,
            "",
            *table([mixed]),
            "",
            "## Targets",
            "",
            "| target | measured | |",
            "|---|---|---|",
            *(f"| {what} | {measured} | {verdict} |" for what, measured, verdict in targets(sizes, mixed)),
            "",
            "## Answers",
            "",
            *(f"- {size.count} namespaces: {size.right}." for size in sizes),
            f"- {mixed.count} namespaces with five kinds of links: {mixed.right}.",
            "",
            "## Machine",
            "",
            *(f"- {line}" for line in machine()),
            *(
                f"- {size.count} namespaces built in {size.built:.1f} s"
                + ("" if size.settled else "; the machine was busy with other things while it measured")
                for size in (*sizes, mixed)
            ),
            "",
        ]
    )


def table(sizes: list[Size]) -> Iterator[str]:
    """One line per peer: at each size CPU, wall, memory and the ratio to the floor; growth from the first size to the last."""
    grows = len(sizes) > 1
    heads = [head for size in sizes for head in (f"{size.count}: CPU s", "wall s", "peak MiB", "x floor")] + (
        [f"growth {sizes[0].count} -> {sizes[-1].count}"] if grows else []
    )
    yield f"| | {' | '.join(heads)} |"
    yield "|---" + "|---:" * len(heads) + "|"
    for index, first in enumerate(sizes[0].rows):
        cells = []
        for size in sizes:
            cells += _cells(size, size.rows[index])
        if grows:
            growth = _growth(sizes, first.name)
            cells.append(f"x{growth:.1f}" if growth else "")
        yield f"| {first.name} | {' | '.join(cells)} |"


def _cells(size: Size, row: Row) -> list[str]:
    if row.failed:
        return [row.failed, "", "", ""]
    floor = size.row(FLOOR)
    ratio = f"{row.cpu / floor.cpu:.1f}" if floor and floor.cpu else ""
    return [f"{row.cpu:.3f}", f"{row.wall:.3f}", f"{row.peak:.0f}", ratio]


def _growth(sizes: list[Size], name: str) -> float | None:
    first, last = sizes[0].row(name), sizes[-1].row(name)
    return last.cpu / first.cpu if first and last and first.cpu else None


def targets(sizes: list[Size], mixed: Size) -> Iterator[tuple[str, str, str]]:
    """(what, measured, verdict) of each target of the project."""
    size = sizes[0]
    floor, library, first, one, usage = (size.row(name) for name in (FLOOR, LIBRARY, FIRST, PEER, HELP))
    at = f"at {size.count} namespaces"
    if floor and library:
        ratio = library.cpu / floor.cpu
        others = _by_another(size, floor)
        if first:
            others.append(f"{first.cpu / floor.cpu:.2f} x with its imports")
        yield f"`nswire.scan()` at most 2 x the floor, {at}", _measured(ratio, others), _verdict(ratio <= 2)
    floor, library = mixed.row(FLOOR), mixed.row(LIBRARY)
    if floor and library:
        ratio = library.cpu / floor.cpu
        what = f"`nswire.scan()` at most 2 x the floor, at {mixed.count} namespaces with five kinds of links"
        yield what, _measured(ratio, _by_another(mixed, floor)), _verdict(ratio <= 2)
    for name in (PLOTNETCFG, IP):
        other = size.row(name)
        if one and other:
            faster = other.cpu / one.cpu
            wall = other.wall / one.wall
            yield (
                f"`nswire peer LINK` at least 15 x faster than `{name}`, {at}",
                f"{faster:.1f} x by CPU, {wall:.1f} x by the clock",
                _verdict(faster >= 15),
            )
        else:
            yield f"`nswire peer LINK` at least 15 x faster than `{name}`, {at}", "not measured", ""
    if len(sizes) > 1:
        ours, theirs = _growth(sizes, LIBRARY), _growth(sizes, FLOOR)
        if ours and theirs:
            yield (
                f"growth {size.count} -> {sizes[-1].count} at most 1.3 x the floor's own",
                f"x{ours:.2f} against x{theirs:.2f}: {ours / theirs:.2f} x",
                _verdict(ours / theirs <= 1.3),
            )
    if usage:
        yield "`nswire --help` at most 120 ms", f"{usage.wall * 1000:.0f} ms", _verdict(usage.wall <= 0.120)
    last = sizes[-1]
    peaks = [row.peak for name in (LIBRARY, PEER, *JSON) if (row := last.row(name))]
    if peaks:
        what = f"peak memory at most 80 MiB, at {last.count} namespaces"
        yield what, f"{max(peaks):.0f} MiB", _verdict(max(peaks) <= 80)


def _by_another(size: Size, floor: Row) -> list[str]:
    """The same by another build of Python."""
    rows = [row for row in size.rows if row.name.startswith(BY_ANOTHER) and not row.failed]
    return [f"{row.cpu / floor.cpu:.2f} x by {row.name.removeprefix(BY_ANOTHER)}" for row in rows]


def _measured(ratio: float, others: list[str]) -> str:
    return f"{ratio:.2f} x" + (f" ({', '.join(others)})" if others else "")


def _verdict(met: bool) -> str:  # noqa: FBT001 (a word for a boolean)
    return "met" if met else "not met"


def machine() -> Iterator[str]:
    """What it was measured on; no host name."""
    yield f"{dt.datetime.now(dt.UTC):%Y-%m-%d}"
    yield f"{_first('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {_memory():.0f} GiB"
    yield f"Linux {platform.release()}, {platform.python_implementation()} {platform.python_version()}"
    yield from versions()


def _first(path: str, key: str) -> str:
    with open(path) as file:
        return next((line.partition(":")[2].strip() for line in file if line.startswith(key)), "CPU unknown")


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
