"""The seam: everything nswire asks of a machine goes through one small protocol.

Rules of the room: questions and answers are plain values, answers are raw bytes or a refusal, and nothing here
knows what the bytes mean. Standard library only, so that it can travel over ssh with `live.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Way = tuple[str, int, str]
"""One way to a namespace: ("path", 0, path) | ("mount", pid, path seen by pid) | ("socket", pid, fd as text)."""


class Refusal(NamedTuple):
    """The machine said no. `errno` is the kernel's; `doing` is the step that failed: enter, ask, read ..."""

    errno: int
    doing: str


class Door(NamedTuple):
    """A network namespace as something one can enter: by its nsfs inode, its cookie (0: not known), the ways there."""

    inode: int
    cookie: int
    ways: tuple[Way, ...]


class Question(NamedTuple):
    """A question put inside a namespace.

    `name` is what the answer is called in a recording. `by` is how it is asked: by rtnetlink, with `request` as the message,
    unless it says something else (see `host.netns_worker`; then `request` may be a link's name, or empty).
    With `about`, the last four bytes of the request are overwritten by a descriptor of that namespace.
    """

    name: str
    request: bytes
    about: Door | None = None
    by: str = ""


class Errand(NamedTuple):
    """What to ask in one namespace, in one short visit. A door without ways is home."""

    door: Door
    questions: tuple[Question, ...]


Answer = bytes | Refusal


class System(Protocol):
    """A machine that can be asked. `Live` asks this one, `Recorded` replays a recording; tests bring their own."""

    def host(self, name: str) -> Answer:
        """The raw answer to a question about the whole host, such as `processes` or `mountinfo/1`."""
        ...

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Run the errands and hand over each one's answers, one per question, in the order of the questions.

        `deliver` may be called from another thread, never from two at once.
        """
        ...
