"""`nswire serve` under churn for long: does it grow, does it fail? `make soak` writes the figures into docs/security.md.

Links and namespaces are made, moved, renamed and deleted without pause (`nswire.lab.mutator`), one page listens and asks as a
browser does, and peer, path, show, map and netns are asked in turn. The criterion, of both processes (`verdict`):

* The first fifth of the time is not counted. Of the rest, the last quarter is compared with the first.
* Memory: the median is no more than GROWN higher. Descriptors, threads and children: the least of each, which is what it
  holds when it rests, is no higher at all.
* No error: each answer is 200, or 404 of a link that has gone; what stays is told the same each time; each pair of the links
  that change is one; nothing is said on stderr; it ends well, and leaves no process.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))

from nswire.lab.lab import Lab  # noqa: E402
from nswire.lab.mutator import Churn, number_of  # noqa: E402 (found by now)

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = ROOT / "docs/security.md"
BEGIN, END = "<!-- soak: made by make soak -->", "<!-- end of soak -->"
TOKEN = "one-that-is-long-enough"
INVITED = "open the URL with ?token="
HOUR = 3600.0
WARM, PARTS = 0.2, 4
GROWN = 2.0  # MB: what a heap wavers by
SAMPLES = 1000  # however long it takes
PAUSE = 0.5  # seconds between two requests
SLOW = 60.0  # seconds that an answer may take on a busy machine
FIXED = {"peer": "peer?handle=good", "path": "path?from=good&to=10.65.0.1", "show": "show?handle=good/eth0"}
"""What stays as it is all the while."""
TURNS = (*FIXED, "all", "map", "netns", "changing")
CHANGING = {"taken", "id", "gaps", "statistics", "why"}
"""What depends on the moment: which of several ids of a namespace was the proof, for one (`why`)."""


class Sample(NamedTuple):
    """A process at a moment: memory in MB, how many descriptors, threads and children it has."""

    memory: float
    descriptors: int
    threads: int
    children: int


class Soak:
    """What was seen."""

    def __init__(self) -> None:
        self.samples: dict[str, list[Sample]] = {"worker": [], "front": []}
        self.asked: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.pairs = self.events = self.deeds = 0
        self.took = 0.0

    def grown(self, most: float = GROWN) -> list[str]:
        """What is not flat, by the criterion; `most`: MB."""
        found = []
        for name, samples in self.samples.items():
            counted = samples[int(len(samples) * WARM) :]
            size = len(counted) // PARTS
            first, last = counted[:size], counted[-size:]
            before, after = (statistics.median(one.memory for one in part) for part in (first, last))
            if after - before > most:
                found.append(f"{name}: memory {before:.1f} -> {after:.1f} MB")
            for kind in ("descriptors", "threads", "children"):
                least, then = (min(getattr(one, kind) for one in part) for part in (first, last))
                if then > least:
                    found.append(f"{name}: {kind} {least} -> {then}")
        return found

    def rows(self) -> list[str]:
        """The figures of docs/security.md."""
        said = [
            "| process | memory, first and last quarter | most memory | descriptors, most | threads, most |",
            "|---|---|---|---|---|",
        ]
        for name, samples in self.samples.items():
            counted = samples[int(len(samples) * WARM) :]
            size = len(counted) // PARTS
            first, last = (
                statistics.median(one.memory for one in part) for part in (counted[:size], counted[-size:])
            )
            most = [max(getattr(one, kind) for one in samples) for kind in Sample._fields]
            said.append(
                f"| {name} | {first:.1f} MB, {last:.1f} MB | {most[0]:.1f} MB | {most[1]} | {most[2]} |"
            )
        return said

    def verdict(self) -> str:
        """In a line."""
        grown = self.grown()
        return (
            f"{self.took:.0f} s on Linux {os.uname().release}: {self.deeds} changes, {sum(self.asked.values())} requests, "
            f"{self.events} events, {self.pairs} pairs compared, {sum(self.errors.values())} errors; "
            + (f"not flat: {'; '.join(grown)}" if grown else "flat")
        )


def sample(pid: int) -> Sample:
    """A process now."""
    status = Path(f"/proc/{pid}/status").read_text()
    (memory,) = re.findall(r"^VmRSS:\s+(\d+)", status, re.MULTILINE)
    (threads,) = re.findall(r"^Threads:\s+(\d+)", status, re.MULTILINE)
    children = sum(len(file.read_text().split()) for file in Path(f"/proc/{pid}/task").glob("*/children"))
    return Sample(int(memory) / 1024, len(os.listdir(f"/proc/{pid}/fd")), int(threads), children)


def sampling(client: Client, soak: Soak, pids: dict[str, int], pause: float) -> None:
    """Look at the processes so often, while nothing is asked of them: on a busy machine that is rare otherwise."""
    while not client.ended.wait(pause):
        with client.asking:
            for name, pid in pids.items():
                with contextlib.suppress(OSError, ValueError):
                    soak.samples[name].append(sample(pid))


class Client:
    """Who asks, and notes what is wrong."""

    def __init__(self, port: int, soak: Soak) -> None:
        self._port = port
        self._soak = soak
        self.asking = threading.Lock()
        """Held while an answer is awaited."""
        self.ended = threading.Event()
        """It is going to be ended, so that nothing is an error any more."""
        self.warm = True
        """What stays as it is may still settle."""
        self._first: dict[str, str] = {}
        self._links: list[str] = []

    def get(self, what: str) -> Any:
        """The document; None if there is none."""
        if self.ended.is_set():
            return None
        self._soak.asked[what.partition("?")[0]] += 1
        try:
            status, text = self._get(f"/api/v1/{what}")
            if status == 404 and "handle=c" in what:
                return None
            if status != 200:
                if not self.ended.is_set():
                    self._soak.errors[f"{status} {what}: {text[:200]}"] += 1
                return None
            return json.loads(text)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if not self.ended.is_set():
                self._soak.errors[f"{what}: {error!r}"] += 1
            return None

    def _get(self, path: str) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SLOW)
        with self.asking, contextlib.closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def turn(self, number: int) -> None:
        """One request after the other: what stays, what changes, and all."""
        name = TURNS[number % len(TURNS)]
        if name in FIXED:
            document = self.get(FIXED[name])
            if document is not None:
                said = json.dumps(_kept(document), sort_keys=True)
                if self.warm or "tentative" in self._first.get(name, ""):  # however long that takes here
                    self._first[name] = said
                elif said != (before := self._first.setdefault(name, said)):
                    at = next((at for at, (a, b) in enumerate(zip(said, before, strict=False)) if a != b), 0)
                    now, then = (text[max(at - 60, 0) : at + 100] for text in (said, before))
                    self._soak.errors[f"{name} says {now!r}, and said {then!r}"] += 1
        elif name == "all":
            self._compare(self.get("peer"))
        elif name == "changing":
            if self._links:
                self.get(f"show?handle={quote(self._links[number % len(self._links)])}")
        else:
            self.get(name)

    def _compare(self, document: Any) -> None:
        self._links = []
        for row in (document or {}).get("results", ()):
            link, peer = row.get("link") or {}, row.get("peer") or {}
            mine, theirs = (number_of(one.get("address") or "00") for one in (link, peer))
            if mine is not None and link.get("netns", {}).get("home"):
                self._links.append(link["ifname"])
            if mine is None or not peer:
                continue
            self._soak.pairs += 1
            if theirs != (mine[0], 1 - mine[1]):
                self._soak.errors[f"{link['ifname']} is no peer of {peer['ifname']}"] += 1

    def listen(self) -> None:
        """As a page does: whenever something changed, the picture is asked for."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SLOW)
        try:
            connection.request("GET", "/api/v1/events", headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            while line := answer.readline():
                if line.startswith(b"event: changed"):
                    self._soak.events += 1
                    self.get("map")
                elif line.startswith(b"event: ended"):
                    break
        except (OSError, http.client.HTTPException) as error:
            if not self.ended.is_set():
                self._soak.errors[f"events: {error!r}"] += 1
            return
        finally:
            connection.close()
        if not self.ended.is_set():
            self._soak.errors["the events ended"] += 1


def _kept(document: Any) -> Any:
    """Without what depends on the moment; which end of a wire is `a` does, too: that of the namespace that was read first."""
    if isinstance(document, dict):
        kept = {key: _kept(value) for key, value in document.items() if key not in CHANGING}
        if {"a", "b"} <= kept.keys():
            kept["a"], kept["b"] = sorted((kept["a"], kept["b"]), key=json.dumps)
        return kept
    return [_kept(value) for value in document] if isinstance(document, list) else document


@contextlib.contextmanager
def lab() -> Iterator[None]:
    """What stays, and what changes beside it."""
    with Lab() as made:
        good = made.namespace("named", "good")
        made.pair(made.home, "good0", good, "eth0")
        home, inside = made.rtnl(made.home), made.rtnl(good)
        home.address(home.index("good0"), "10.65.0.1/24")
        inside.address(inside.index("eth0"), "10.65.0.2/24")
        inside.route("default", via="10.65.0.1")
        made.release()
        yield


def run(seconds: float, log: Path) -> Soak:
    """Serve for so long. What it says on stderr goes to `log`."""
    soak = Soak()
    command = [sys.executable, "-m", "nswire", "serve", "--token", TOKEN]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with (
        lab(),
        Churn(1) as churn,
        log.open("w") as err,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=err, text=True, env=environment, start_new_session=True
        ) as process,
        contextlib.ExitStack() as ending,
    ):
        ending.callback(process.terminate)  # else a failure would wait for ever, for it to end
        assert process.stdout is not None
        port = urlsplit(process.stdout.readline().strip()).port
        assert port is not None, log.read_text()
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        (front,) = (
            int(one) for one in children if "web.http_server" in Path(f"/proc/{one}/cmdline").read_text()
        )
        client = Client(port, soak)
        listener = threading.Thread(target=client.listen)
        sampler = threading.Thread(
            target=sampling,
            args=(client, soak, {"worker": process.pid, "front": front}, seconds / SAMPLES),
        )
        for number in range(
            len(TURNS)
        ):  # what is made once, such as a child for what is foreign, is there from now on
            client.turn(number)
        listener.start()
        sampler.start()
        begun = time.monotonic()
        number = 0
        while time.monotonic() - begun < seconds and process.poll() is None:
            client.warm = time.monotonic() - begun < seconds * WARM
            client.turn(number)
            number += 1
            time.sleep(PAUSE)
        soak.took = time.monotonic() - begun
        if process.poll() is not None:
            soak.errors[f"serve ended by itself with {process.returncode}"] += 1
        client.ended.set()
        sampler.join()
        process.send_signal(signal.SIGINT)
        status = process.wait(SLOW)
        listener.join(SLOW)
        if status:
            soak.errors[f"serve ended with {status}"] += 1
        churn.stop()
        soak.deeds = sum(count for word, count in churn.operations.items() if word != "refused")
        left = _session(process.pid)
        if left:
            soak.errors[f"processes that are left: {left}"] += 1
    said = "".join(line for line in log.read_text().splitlines() if INVITED not in line)
    if said:
        soak.errors[f"stderr: {said[:500]}"] += 1
    return soak


def _session(leader: int) -> list[int]:
    """The processes of a session, those that only wait to be buried not counted."""
    found = []
    for file in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            words = file.read_text().rpartition(")")[2].split()
            if int(words[3]) == leader and words[0] != "Z":
                found.append(int(file.parent.name))
    return found


def main() -> int:
    """Measure, and write the page. 1: it is not as it should be."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=HOUR)
    parser.add_argument("--page", type=Path, default=PAGE)
    arguments = parser.parse_args()
    log = ROOT / ".venv/soak.stderr"
    soak = run(arguments.seconds, log)
    text = "\n".join((BEGIN, "", soak.verdict() + ".", "", *soak.rows(), "", END))
    page = arguments.page.read_text()
    arguments.page.write_text(
        re.sub(f"{re.escape(BEGIN)}.*{re.escape(END)}", lambda _: text, page, flags=re.DOTALL)
    )
    print(text)  # noqa: T201 (a script)
    for error, count in soak.errors.most_common():
        print(f"{count} x {error}")  # noqa: T201
    return 1 if soak.errors or soak.grown() else 0


if __name__ == "__main__":
    sys.exit(main())
