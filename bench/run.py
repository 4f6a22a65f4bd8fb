"""Compare nswire's speed with other tools and with a C floor, in networks that are built for it.

    bench/run.py                 1000 and 4000 namespaces (some minutes); writes docs/benchmarks.md
    bench/run.py --small         50 namespaces, to see that it works; writes nothing

At the first size also a network of five kinds of links, for what a scan costs where not all is veth.

Each size is built in a private host of its own (nswire.lab), of which nothing is left. No number fails: a target is met or
not, and the table says which.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, TypeVar

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]

from peers import Peer, peers, scans  # noqa: E402 (beside this file)
from report import Row, Size, page  # noqa: E402

import nswire  # noqa: E402
from nswire.lab.big import big  # noqa: E402
from nswire.lab.mixed_kinds import mixed  # noqa: E402
from nswire.lab.private import PrivateHostError, call_in_private_host  # noqa: E402
from nswire.model.values import End  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")
BUILD = ROOT / "bench" / "build"
PATIENCE = 60
"""Seconds after which a run is stopped and its row left empty."""
ENOUGH = 15.0
"""Seconds of one row's runs after which it is not repeated again."""


@dataclass(frozen=True, slots=True)
class Cost:
    """One run: seconds of wall clock and of CPU, KiB at its peak."""

    wall: float
    cpu: float
    peak: int


class Failed(Exception):
    """A run that gives no number, and why."""


def main() -> None:
    options = arguments()
    compile_programs()
    sizes = []
    for count in options.sizes:
        say(f"{count} namespaces")
        try:
            sizes.append(call_in_private_host(measure, count, options.repeat))
        except PrivateHostError as error:
            sys.exit(f"bench: {error}")
    count = options.sizes[0]
    say(f"{count} namespaces with links of five kinds")
    try:
        of_kinds = call_in_private_host(measure_mixed, count, options.repeat)
    except PrivateHostError as error:
        sys.exit(f"bench: {error}")
    text = page(sizes, of_kinds)
    print(text)
    if options.output:
        options.output.parent.mkdir(exist_ok=True)
        options.output.write_text(text)
        say(f"written to {options.output}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--small", action="store_true", help="50 namespaces, each program twice")
    parser.add_argument("--sizes", metavar="N,N", help="other numbers of namespaces (default: 1000,4000)")
    parser.add_argument("--repeat", type=int, help="runs per row, of which the median counts (default: 7)")
    parser.add_argument(
        "--output", type=Path, help="default: docs/benchmarks.md; with --small or --sizes, nothing"
    )
    options = parser.parse_args()
    if not (options.small or options.sizes or options.output):
        options.output = ROOT / "docs" / "benchmarks.md"
    options.sizes = [
        int(size) for size in (options.sizes or ("50" if options.small else "1000,4000")).split(",")
    ]
    options.repeat = options.repeat or (2 if options.small else 7)
    return options


def say(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


def compile_programs() -> None:
    BUILD.mkdir(exist_ok=True)
    for program in ("floor", "timed"):
        source = ROOT / "bench" / f"{program}.c"
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", BUILD / program, source], check=True)


# In the private host


def measure(count: int, repeat: int) -> Size:
    lab, built, settled = build(lambda: big(count))
    rows = peers(BUILD, lab.pairs[count // 2][0].ifname.decode())
    right = check_answer({frozenset((a[:2], b[:2])) for a, b in lab.pairs})
    results = in_turns(rows, count, repeat)
    # The private host ends with this process: there is nothing to undo one by one.
    lab.release()
    return Size(count, built, settled, right, results)


def measure_mixed(count: int, repeat: int) -> Size:
    network, built, settled = build(lambda: mixed(count))
    pairs = {frozenset((a[:2], b[:2])) for a, b in network.lab.pairs}
    right = f"{check_answer(pairs)}, {check_lowers(network.lowers)}"
    results = in_turns(scans(BUILD), count, repeat)
    network.lab.release()
    return Size(count, built, settled, right, results)


def build(make: Callable[[], T]) -> tuple[T, float, bool]:
    """A network, the seconds that it took, and whether the kernel is done with it."""
    begin = time.monotonic()
    made = make()
    seconds = time.monotonic() - begin
    say(f"built in {seconds:.1f} s")
    return made, seconds, settle()


def in_turns(rows: list[Peer], count: int, repeat: int) -> list[Row]:
    """All rows, in turns, so that a disturbance of the machine hits all alike."""
    runs = Runs(count, repeat)
    for row in rows:
        runs.warm_up(row)
    for turn in range(repeat):
        for row in rows:
            runs.once(row, turn)
    return [runs.result(row) for row in rows]


def check_lowers(truth: dict[tuple[int, int], tuple[int, int]]) -> str:
    """How many links are said to stand on what they do stand on."""
    claimed = {
        link.end: link.lower.end
        for link in nswire.scan()
        if link.lower is not None and link.netns.inode is not None
    }
    right = sum(claimed.get(End(*upper)) == End(*lower) for upper, lower in truth.items())
    return f"{right} of {len(truth)} lower links right, {len(claimed) - right} wrong"


def settle(most: float = 30.0) -> bool:
    """Wait until the kernel is done with the new links (duplicate address detection, multicast reports)."""
    end = time.monotonic() + most
    while time.monotonic() < end:
        before = busy()
        time.sleep(0.5)
        if busy() - before < 0.1 * 0.5 * os.cpu_count():  # type: ignore[operator]
            return True
    say("the machine does something else besides; the numbers will be worse than they could be")
    return False


def busy() -> float:
    """CPU seconds that this machine has worked since its start."""
    with open("/proc/stat") as stat:
        user, nice, system, _idle, _iowait, irq, softirq, *_ = map(int, stat.readline().split()[1:])
    return (user + nice + system + irq + softirq) / os.sysconf("SC_CLK_TCK")


def check_answer(truth: set[frozenset[tuple[int, int]]]) -> str:
    """How many of the pairs `nswire peer -j` has right: a fast wrong answer would be none."""
    done = subprocess.run(
        [sys.executable, "-m", "nswire", "peer", "-j"], capture_output=True, env=environment()
    )
    try:
        results = json.loads(done.stdout)["results"]
    except (ValueError, KeyError):
        return f"`nswire peer -j` gave no answer (exit status {done.returncode})"
    claimed = {frozenset(map(_identity, (each["link"], each["peer"]))) for each in results if each["peer"]}
    return f"{len(claimed & truth)} of {len(truth)} pairs right, {len(claimed - truth)} wrong"


def _identity(link: dict[str, object]) -> tuple[int, int]:
    netns = link["netns"]
    assert isinstance(netns, dict)
    return netns["inode"], link["ifindex"]  # type: ignore[return-value]


def environment() -> dict[str, str]:
    path = os.pathsep.join(filter(None, [str(ROOT / "src"), os.environ.get("PYTHONPATH")]))
    ours = {**os.environ, "PYTHONPATH": path, "LC_ALL": "C.UTF-8"}
    # An installed program has its bytecode; without it every Python row here would be measured compiling itself.
    ours.pop("PYTHONDONTWRITEBYTECODE", None)
    return ours


class Runs:
    """All runs at one size."""

    def __init__(self, count: int, repeat: int) -> None:
        self._count, self._repeat = count, repeat
        self._costs: dict[str, list[Cost]] = {}
        self._failed: dict[str, str] = {}

    def warm_up(self, peer: Peer) -> None:
        """See whether it works, and fill its caches; a run that takes long counts at once."""
        reason = peer.missing()
        if self._count > peer.largest:
            reason = f"not run with more than {peer.largest}"
        if reason:
            self._failed[peer.name] = reason
            return
        self.once(peer, 0)
        costs = self._costs.get(peer.name, [])
        if costs and costs[0].wall < ENOUGH / self._repeat:
            costs.clear()

    def once(self, peer: Peer, turn: int) -> None:
        costs = self._costs.setdefault(peer.name, [])
        spent = sum(cost.wall for cost in costs)
        if peer.name in self._failed or len(costs) > turn or spent > ENOUGH:
            return
        try:
            costs.append(run(peer))
        except Failed as failed:
            self._failed[peer.name] = str(failed)
            say(f"{peer.name}: {failed}")

    def result(self, peer: Peer) -> Row:
        costs = self._costs.get(peer.name)
        if peer.name in self._failed or not costs:
            return Row(peer.name, self._failed.get(peer.name, "no run"), 0, 0.0, 0.0, 0.0)
        return Row(
            peer.name,
            None,
            len(costs),
            median(cost.wall for cost in costs),
            median(cost.cpu for cost in costs),
            max(cost.peak for cost in costs) / 1024,
        )


def run(peer: Peer) -> Cost:
    """One run of a peer. Raises Failed."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        sink = output if peer.inside else subprocess.DEVNULL
        subprocess.run(
            [BUILD / "timed", str(PATIENCE), *peer.command],
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=errors,
            env=environment(),
            check=True,
        )
        errors.seek(0)
        *said, measured = errors.read().decode(errors="replace").strip().splitlines()
        status, wall, user, system, peak = measured.split()
        if status == "-1":
            raise Failed(f"stopped after {PATIENCE} s")
        if status != "0":
            raise Failed(f"exit status {status}" + (f": {said[-1][:100]}" if said else ""))
        if peer.inside:
            output.seek(0)
            part = json.loads(output.read())
            return Cost(part["wall"], part["cpu"], int(peak))
        return Cost(float(wall), float(user) + float(system), int(peak))


if __name__ == "__main__":
    main()
