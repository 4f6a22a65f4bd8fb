"""What could not be seen, as values: an `Unseen` is a row (code, what it hides, what that requires), a `Gap` is such a row about something.

A row is declared at the top of the file that uses it, like a `Reason` (model/reasons.py); docs/reasons.md is made of both. Why
it was not seen is a `Cause`. Programs and our own logic compare codes, people read the text, which is made here alone.
"""

from __future__ import annotations

from errno import EACCES, EPERM
from typing import TYPE_CHECKING

import msgspec

from nswire.model.reasons import Cause, Reason, named

if TYPE_CHECKING:
    from nswire.model.facts import Facts
    from nswire.model.values import NsKey

NOT_PERMITTED = (EPERM, EACCES)


class Subject(msgspec.Struct, frozen=True, gc=False):
    """What a gap is about: as people read it, and as values by name (`netns`, `pid`, `count`, `path` ...)."""

    text: str
    pairs: tuple[tuple[str, str | int], ...] = ()


class Requirement(msgspec.Struct, frozen=True, gc=False):
    """What one needs to be permitted something: capabilities, without CAP_, and that in words."""

    capabilities: tuple[str, ...]
    hint: str


ENTER = Requirement(("SYS_ADMIN",), "it takes root (CAP_SYS_ADMIN)")
ADMINISTER = Requirement(("NET_ADMIN",), "it takes root (CAP_NET_ADMIN)")
TRACE = Requirement(("SYS_PTRACE",), "it takes root (CAP_SYS_PTRACE)")
TRACE_ALL = Requirement(("SYS_PTRACE",), "it takes root (CAP_SYS_PTRACE), and no security module against it")
READ_FILES = Requirement(("DAC_READ_SEARCH",), "it takes root")
NOTHING = Requirement((), "")


class Unseen(msgspec.Struct, frozen=True):
    """A row: something that may not be seen.

    code: stable and unique, `area.what`
    what: what is not seen, with the names of values in braces
    requires: what would permit it, where that was the matter (EPERM, EACCES)
    hint: what else may help, unless the reason has a hint of its own
    hides: False for a mere leftover, behind which there is nothing
    """

    code: str
    what: str
    requires: Requirement = NOTHING
    hint: str = ""
    hides: bool = True

    def __call__(self, subject: Subject, cause: Cause, errno: int = 0, /, **values: str | int) -> Gap:
        """The gap that this is about a subject; `errno` is 0 if it was no system call that failed. KeyError: other values."""
        named(self.code, self.what, values)
        return Gap(self, subject, cause, errno, tuple(values.items()))


class Gap(msgspec.Struct, frozen=True):
    """Something that could not be seen: `where`, `what` it hides, `why`, and a `hint` at what would unlock it; all of it text.

    row: its kind, with its `code`
    about: what it is about; `subject` has that as values
    cause: why it was not seen, with a code of its own
    errno: of the system call that failed; 0: none did
    """

    row: Unseen
    about: Subject
    cause: Cause
    errno: int = 0
    pairs: tuple[tuple[str, str | int], ...] = ()

    @property
    def code(self) -> str:
        """What was not seen, for programs."""
        return self.row.code

    @property
    def subject(self) -> dict[str, str | int]:
        """What it is about, by name."""
        return dict((*self.about.pairs, *self.pairs))

    @property
    def requires(self) -> tuple[str, ...]:
        """The capabilities that would permit it, such as `CAP_SYS_ADMIN`; none if that was not the matter."""
        if self.errno not in NOT_PERMITTED:
            return ()
        return tuple(f"CAP_{name}" for name in self.row.requires.capabilities)

    @property
    def where(self) -> str:
        """What it is about, in words."""
        return self.about.text

    @property
    def what(self) -> str:
        """What was not seen, in words."""
        return self.row.what.format_map(dict(self.pairs))

    @property
    def why(self) -> str:
        """Why, in words."""
        return self.cause.text

    @property
    def hint(self) -> str:
        """What would unlock it, in words; empty if nothing is known that would."""
        permit = self.row.requires.hint if self.errno in NOT_PERMITTED else ""
        return permit or self.cause.reason.hint or self.row.hint

    @property
    def text(self) -> str:
        """All of it but the hint, in a line."""
        return f"{self.where}: {self.what}: {self.why}"

    @property
    def text_with_hint(self) -> str:
        """All of it, in a line."""
        return f"{self.text} ({self.hint})" if self.hint else self.text


HOST = Subject("the whole host")


def netns(facts: Facts, key: NsKey) -> Subject:
    """A namespace: by its inode, since labels are given only when all are known; a hidden one by the id that betrays it."""
    if key > 0:
        return Subject(f"net:[{key}]", (("netns", key),))
    view = facts.hidden.get(key)
    pairs = () if view is None else (("nsid", view.nsid), ("of", view.through))
    return Subject("a hidden namespace", pairs)


def counted(count: int, one: str, many: str) -> Subject:
    """So many of them: `1 process`, `3 processes`."""
    return Subject(f"{count} {one if count == 1 else many}", (("count", count),))


def path(name: str) -> Subject:
    """A file."""
    return Subject(name, (("path", name),))


VANISHED = Reason("scan.vanished", "vanished while we looked")
RESTLESS = Reason("scan.changing", "they changed all the time", hint="ask again")
NO_WAY = Reason("scan.no_way", "nothing that can be looked at leads there")
HANGING = "what it has open, or its memory, may be on a file system that hangs"
SILENT = Reason("scan.silent", "it did not answer", hint=HANGING)
TOO_MANY_SILENT = Reason("scan.silent_too_many", "too many did not answer", hint=HANGING)


def silent(row: Unseen, pid: int, **values: str | int) -> Gap:
    """The gap of a process that did not answer; 0: of all that were not asked any more since too many did not."""
    if pid:
        return row(Subject(f"pid {pid}", (("pid", pid),)), SILENT(), **values)
    return row(Subject("the processes that come after it"), TOO_MANY_SILENT(), **values)
