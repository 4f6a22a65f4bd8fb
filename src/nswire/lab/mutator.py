"""Mutation while somebody looks: a child that creates, moves, renames and deletes veth pairs and namespaces without pause.

Every pair carries its number in both MACs, `02:aa:NN:NN:NN:SS` (number: 3 bytes; side: 0 or 1). A reader who claims a pair
can be checked without knowing the state of the moment: the numbers must be equal and the sides different. Some of
the links are made with ifindexes that were just freed, so that a stale read meets another link under an old number.
"""

from __future__ import annotations

import contextlib
import errno
import os
import random
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from . import netns, syscalls
from .rtnl import Rtnl
from .spawn import command

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from .netns import Ns

NAMESPACES = 8
"""How many namespaces exist at a time, besides home."""
PAIRS = 24
"""How many pairs exist at a time, at most."""

_REUSED = range(100, 110)


def mac_of(number: int, side: int) -> str:
    """The MAC of side 0 or 1 of a pair. `number` < 2**24."""
    return ":".join(f"{byte:02x}" for byte in (0x02, 0xAA, *number.to_bytes(3, "big"), side))


def number_of(mac: str) -> tuple[int, int] | None:
    """(number, side) from a MAC of `mac_of`; None for any other."""
    parts = bytes.fromhex(mac.replace(":", ""))
    if len(parts) != 6 or parts[:2] != b"\x02\xaa":
        return None
    return int.from_bytes(parts[2:5], "big"), parts[5]


class Churn:
    """A churning child in the calling thread's namespace, whose mounts must be private. A context manager.

    It begins when the first pairs stand; `stop` (or the end of the block, or of this process) ends it. Several with
    different seeds (0 to 255) may run at a time: seed s numbers its pairs from s * 65536.

    One does about 100 deeds a second: the kernel lets grace periods pass at each move and deletion.
    """

    def __init__(self, seed: int = 0) -> None:
        """Start, and wait until there is something to see. Raises OSError when it cannot begin."""
        self.operations: dict[str, int] = {}
        """What was done, by name; filled by `stop`. "refused" counts what the kernel refused, which is normal."""
        self._child = subprocess.Popen(
            command("mutator", str(seed)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        if not self._read_line():
            self.stop()
            raise OSError("the churning child could not begin; its reason is on stderr")

    @property
    def pid(self) -> int:
        """The child's process."""
        return self._child.pid

    def stop(self) -> None:
        """End it, and wait until its namespaces and links are released. A second call does nothing."""
        if self._child.returncode is not None:
            return
        tally, _ = self._child.communicate()
        for line in tally.decode().splitlines():
            word, _, count = line.partition(" ")
            self.operations[word] = int(count)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()

    def _read_line(self) -> bytes:
        return self._child.stdout.readline() if self._child.stdout else b""


def main(arguments: list[str]) -> None:
    """The child: churn until stdin ends, then say what was done."""
    churning = _Churning(int(arguments[0]))
    try:
        churning.begin()
        print("begun", flush=True)  # noqa: T201 (the parent waits for it)
        os.set_blocking(sys.stdin.fileno(), False)
        while not _ended(sys.stdin.fileno()):
            churning.step()
    finally:
        churning.end()
    for word, count in churning.done.items():
        print(word, count)  # noqa: T201 (the parent's tally)


def _ended(fd: int) -> bool:
    try:
        return not os.read(fd, 1)
    except BlockingIOError:
        return False


class _Churning:
    def __init__(self, seed: int) -> None:
        self.done: dict[str, int] = {}
        self._rng = random.Random(seed)  # noqa: S311 (a seed must give the same again)
        self._home = netns.here()
        self._places: list[tuple[Ns, Rtnl]] = [(self._home, self._home.rtnl())]
        self._pairs: dict[int, list[tuple[Ns, Rtnl, str]]] = {}
        """number -> for each side, where it is and what it is called"""
        self._count = seed << 16

    def begin(self) -> None:
        for _ in range(NAMESPACES):
            self._new_namespace()
        while len(self._pairs) < PAIRS // 2:
            # Two ends of one place may draw one ifindex, which the kernel refuses.
            with contextlib.suppress(FileExistsError):
                self._create()

    def step(self) -> None:
        """One random deed. What the kernel refuses (a name or an index is taken, a pair is gone) is counted, not done."""
        deeds = (
            [self._create] * 4 + [self._move] * 3 + [self._rename] * 3 + [self._delete] * 2 + [self._replace]
        )
        deed = self._rng.choice(deeds)
        if deed == self._create and len(self._pairs) >= PAIRS:
            deed = self._delete
        try:
            deed()
        except OSError:
            self._tally("refused")
        else:
            self._tally(deed.__name__.removeprefix("_"))

    def end(self) -> None:
        with contextlib.suppress(OSError):
            _, rtnl = self._places[0]
            for ends in self._pairs.values():
                for _, where, name in ends:
                    if where is rtnl:
                        with contextlib.suppress(OSError):
                            rtnl.delete(name)
        for ns, rtnl in self._places:
            rtnl.close()
            ns.close()

    def _tally(self, word: str) -> None:
        self.done[word] = self.done.get(word, 0) + 1

    # -- deeds ----------------------------------------------------------------------------------------------------

    def _create(self) -> None:
        self._count += 1
        number = self._count
        ends = [(*self._rng.choice(self._places), f"c{number}.{side}") for side in (0, 1)]
        (_, rtnl, name), (other, peer_rtnl, peer) = ends
        index, peer_index = self._rng.choices(_REUSED, k=2) if self._rng.random() < 0.5 else (0, 0)
        rtnl.veth(
            name,
            peer,
            index=index,
            peer_index=peer_index,
            mac=mac_of(number, 0),
            peer_mac=mac_of(number, 1),
            peer_netns_fd=None if peer_rtnl is rtnl else other.fd,
        )
        self._pairs[number] = ends

    def _move(self) -> None:
        number, side = self._end()
        _, rtnl, name = self._pairs[number][side]
        target, target_rtnl = self._rng.choice(self._places)
        new_index = self._rng.choice(_REUSED) if self._rng.random() < 0.5 else 0
        with self._forgotten_if_gone(number):
            rtnl.set(rtnl.index(name), netns_fd=target.fd, new_index=new_index)
        self._pairs[number][side] = (target, target_rtnl, name)

    def _rename(self) -> None:
        number, side = self._end()
        ns, rtnl, name = self._pairs[number][side]
        fresh = f"c{number}.{side}.{self._rng.randrange(100)}"
        with self._forgotten_if_gone(number):
            rtnl.set(name, name=fresh)
        self._pairs[number][side] = (ns, rtnl, fresh)

    def _delete(self) -> None:
        number, side = self._end()
        ends = self._pairs.pop(number)
        _, rtnl, name = ends[side]
        rtnl.delete(name)

    def _replace(self) -> None:
        """One namespace ends with all that is in it, and another begins."""
        ns, rtnl = self._places.pop(self._rng.randrange(1, len(self._places)))
        lost = [number for number, ends in self._pairs.items() if any(where is rtnl for _, where, _ in ends)]
        for number in lost:
            del self._pairs[number]
        rtnl.close()
        ns.close()
        self._new_namespace()

    # -- helpers --------------------------------------------------------------------------------------------------

    def _end(self) -> tuple[int, int]:
        if not self._pairs:
            raise ProcessLookupError
        return self._rng.choice(list(self._pairs)), self._rng.randrange(2)

    @contextlib.contextmanager
    def _forgotten_if_gone(self, number: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno == errno.ENODEV:
                del self._pairs[number]
            raise

    def _new_namespace(self) -> None:
        """Named, or held by a descriptor of this process alone."""
        self._count += 1
        if self._rng.random() < 0.5:
            made = netns.named(f"churn{self._count}")
        else:
            made = netns.described(syscalls.new_netns(), "descriptor")
        self._places.append((made, made.rtnl()))
