"""What the reading verbs share: their options, the look at the machine, handles, paper, exit status."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from errno import ENOENT
from functools import wraps
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import click

from nswire.cli.errors import Failure
from nswire.cli.pager import paged
from nswire.cli.understanding import names, understand

__all__ = ["names", "understand"]

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from nswire.model.topology import Link, Topology
    from nswire.show.sections import Asked
    from nswire.show.terminal import Paper
    from nswire.show.to_documents import Builder

ANSWERED, NO, FAILED, INCOMPLETE = 0, 1, 2, 3


class Options(NamedTuple):
    """The options of every reading verb."""

    recording: str | None
    as_json: bool
    color: str
    strict: bool
    how: bool = False
    max_size: int | None = None


def reading(function: Callable[..., int]) -> Callable[..., int]:
    """Give a verb the options of the reading verbs; it gets them as one `Options`, first."""
    return _taking(function, OPTIONS)


def judging(function: Callable[..., int]) -> Callable[..., int]:
    """The same without --how, for a verb that no classic command does."""
    return _taking(function, tuple(option for option in OPTIONS if option is not HOW))


def _taking(function: Callable[..., int], options: Sequence[Callable[..., Any]]) -> Callable[..., int]:
    @wraps(function)
    def called(**given: Any) -> int:
        found = {name: given.pop(name) for name in Options._fields if name in given}
        return function(Options(**found), **given)

    for option in reversed(options):
        called = option(called)
    return called


POWERS = {"": 0, "k": 10, "m": 20, "g": 30}


def size(_context: click.Context, _option: click.Parameter, text: str | None) -> int | None:
    """A number of bytes: 4096, 64M, 2G (powers of 1024)."""
    if text is None:
        return None
    digits = text[:-1] if text[-1:].lower() in "kmg" else text
    if not (digits.isascii() and digits.isdigit()) or not int(digits):
        raise click.BadParameter(f"{text!r} is no number of bytes, such as 4G")
    return min(int(digits) << POWERS[text[len(digits) :].lower()], sys.maxsize)


MAX_SIZE = click.option(
    "--max-size",
    callback=size,
    metavar="SIZE",
    help="What may come out of that recording, such as 4G; default: 200 times the file, from 64M to 2G.",
)
HOW = click.option(
    "--how", is_flag=True, help="Also print equivalent ip, ethtool, bridge, nft and ss commands."
)
OPTIONS = (
    click.option(
        "--from", "recording", metavar="FILE", help="Ask a recording (nswire record) instead of this machine."
    ),
    MAX_SIZE,
    click.option(
        "-j", "--json", "as_json", is_flag=True, help="Print one JSON document (see nswire schema)."
    ),
    click.option(
        "--color",
        type=click.Choice(("auto", "always", "never")),
        default="auto",
        show_default=True,
        help="Colours (see COLOURS in the man page); auto: on a terminal, unless NO_COLOR is set.",
    ),
    click.option("--strict", is_flag=True, help="Exit with 3 if anything could not be seen."),
    HOW,
)


def handles(*, required: bool = False) -> Callable[[Callable[..., int]], Callable[..., int]]:
    """The argument HANDLE, with completion."""
    from nswire.cli.complete_handles import complete

    return click.argument(
        "handles",
        nargs=-1,
        metavar="HANDLE..." if required else "[HANDLE...]",
        required=required,
        shell_complete=complete,
    )


def look(options: Options, sources: Iterable[str] | None = None, *, addresses: bool = True) -> Topology:
    """Scan this machine, or read the recording. Raises Failure. `addresses`: those of all links will be wanted."""
    import nswire

    if options.recording is None:
        try:
            return nswire.scan(sources=sources, addresses=addresses)
        except OSError as error:
            hint = "is /proc mounted?" if error.errno == ENOENT else ""
            raise Failure("this machine", error.strerror or str(error), hint) from error
        except ValueError as error:
            raise Failure("this machine", str(error)) from error
    from nswire.errors import RecordingError
    from nswire.host.replay import Recorded

    try:
        return nswire.scan(Recorded.open(options.recording, options.max_size), sources, addresses=addresses)
    except (RecordingError, ValueError) as error:
        raise Failure(options.recording, str(error)) from error
    except OSError as error:
        raise Failure(options.recording, error.strerror or str(error)) from error


def again(options: Options) -> Callable[[float], Topology] | None:
    """How to look at this machine once more, after so many seconds; None: a recording says the same for ever."""

    def later(seconds: float) -> Topology:
        time.sleep(seconds)
        return look(options)

    return later if options.recording is None else None


def document() -> IO[str]:
    """stdout, for what programs read: UTF-8, whatever the locale."""
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[union-attr]
    return sys.stdout


def distinct(asked: Iterable[Asked]) -> list[Link]:
    """The links of all handles, each once."""
    return list(dict.fromkeys(link for one in asked for link in one.links))


class Answer(NamedTuple):
    """An answer in its three forms, each made only when it is wanted.

    `parts` gives the lists of the JSON document, `facts` what else is in it, `text` writes for people, `how` gives the
    classic commands.
    """

    parts: Callable[[Builder], list[tuple[str, Iterable[object]]]]
    text: Callable[[Paper], None]
    how: Callable[[], list[str]]
    facts: Callable[[Builder], dict[str, object]] = lambda _: {}


def give(
    topology: Topology, options: Options, schema: str, answer: Answer, out: IO[str] | None = None
) -> None:
    """Print an answer to stdout, with what could not be seen at its end; JSON elsewhere, if an `out` is given."""
    if options.as_json:
        from nswire.show import documents, jsonout
        from nswire.show.to_documents import Builder

        build = Builder(topology)
        head = documents.head(schema, topology.taken) | answer.facts(build)
        jsonout.write(out or document(), head, _parts(topology, answer, build, how=options.how))
        return
    from nswire.show.words import write_gaps

    with paged() as page:
        sheet = paper(options, page)
        answer.text(sheet)
        how = answer.how() if options.how else []  # which may ask for more
        write_gaps(sheet, topology.close())
        if options.how:
            page.write("\nThe same with classic commands (as root):\n")
            page.writelines(f"  {command}\n" for command in how)


def _parts(
    topology: Topology, answer: Answer, build: Builder, *, how: bool
) -> Iterator[tuple[str, Iterable[object]]]:
    """The lists of a document. Gaps are told, for good, when all else of the answer is made: on the way something may go unseen."""
    from nswire.show.to_documents_reasons import gaps

    yield from answer.parts(build)
    several = names()
    if several:
        yield "handles", several
    commands = answer.how() if how else []
    yield "gaps", gaps(topology.close())
    if how:
        yield "how", commands


def paper(options: Options, out: IO[str] | None = None) -> Paper:
    """Where text goes: stdout, or a pager before it, as wide and as coloured as it is wanted."""
    from nswire.show.terminal import Paper

    terminal = sys.stdout.isatty()
    wanted = options.color == "always" or (
        options.color == "auto"
        and terminal
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") != "dumb"
    )
    return Paper(
        out or sys.stdout, columns=shutil.get_terminal_size().columns if terminal else None, color=wanted
    )


def status(topology: Topology, options: Options, *, fine: bool = True, no: bool = False) -> int:
    """The exit status of an answer."""
    if not fine:
        return FAILED
    if options.strict and topology.gaps:
        return INCOMPLETE
    return NO if no else ANSWERED
