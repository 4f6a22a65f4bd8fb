"""Objects that never answer: opening a pipe that nobody writes, where the real operation would touch somebody's object.

    standins.py PIPE PID,PID... VERB ...

is nswire itself beside such objects of these processes. What nswire starts to touch them, a copy or a program, is beside them, too.
"""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "src"))

from nswire.host import foreign  # noqa: E402 (from this tree)
from nswire.host.foreign import Foreign  # noqa: E402 (from this tree)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.host.descriptors import Descriptors

PROGRAM = "import sys; sys.path[:0] = sys.argv[1:3]; import standins; standins.child(sys.argv[3:])"


def never(pipe: str, *pids: int, killable: bool = True) -> type[Foreign]:
    """What touches foreign objects, where those of these processes (none: all paths below /tmp) never answer."""

    class Never(Foreign):
        def descriptors(self) -> Descriptors:
            made = super().descriptors()
            for verb, ask in dict(self.listed).items():
                self.listed[verb] = partial(self._listed, ask)
            return made

        def _listed(self, ask: Callable[[int], Iterator[bytes]], pid: int) -> Iterator[bytes]:
            self._waits(pid)
            return ask(pid)

        def _of(self, pid: str) -> int:
            found = super()._of(pid)
            self._waits(found)
            return found

        def _path(self, path: str) -> int:
            if not path.startswith("/proc/"):
                self._waits(-1)
            return super()._path(path)

        def _waits(self, pid: int) -> None:
            if pid in pids or (pid == -1 and not pids):
                if not killable:
                    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 32))
                self._at(pid)
                os.close(os.open(pipe, os.O_RDONLY))

    return Never


def child(words: list[str]) -> None:
    """What `host.apart` starts as a program of its own."""
    pipe, pids, *words = words
    made = never(pipe, *map(int, pids.split(",")))
    foreign.serve = partial(foreign.serve, made=made)
    foreign.main(words)


def main(pipe: str, pids: str, *verb: str) -> None:
    """Nswire with these arguments."""
    spawn = os.posix_spawn

    def spawned(path: str, argv: list[str], *rest: object, **more: object) -> int:
        """The same program, where it is the one that touches; -I and -S hold for it as ever."""
        at = next((at for at, word in enumerate(argv) if "nswire.host.foreign" in word), 0)
        if at:
            src, *words = argv[at + 1 :]
            argv = [*argv[:at], PROGRAM, str(Path(__file__).parent), src, pipe, pids, *words]
        return spawn(path, argv, *rest, **more)  # type: ignore[arg-type]

    foreign.Foreign = never(pipe, *map(int, pids.split(",")))  # type: ignore[misc] # `host.live` loads it when it needs it
    os.posix_spawn = spawned  # type: ignore[assignment]
    from nswire.cli.entry import main as run

    sys.argv[:] = ["nswire", *verb]
    run()


if __name__ == "__main__":
    main(*sys.argv[1:])
