"""`python -m nswire.cli.man` prints the manual page, made from the commands themselves: docs/nswire.1.

Our own writer: forty lines that know which of our paragraphs are examples, instead of one more dependency
(click-man writes a page a command, without epilogs).
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from nswire.cli.entry import command as root
from nswire.cli.verbs import NAMES
from nswire.show.terminal import LEGEND
from nswire.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_WRAP = "\b"  # click's mark of a paragraph whose lines stay as they are

ENVIRONMENT = (
    (
        "NSWIRE_PAGER, PAGER",
        "The pager on a terminal; less with LESS=FRX if neither is set. Set and empty, or cat: none. As root LESSSECURE=1 is set.",
    ),
    ("NO_COLOR", "If set and not empty, no colours unless --color=always."),
    (
        "NSWIRE_PATIENCE",
        "Seconds to wait for the answer of a daemon (Open vSwitch, Docker); 0.3 if it is not set.",
    ),
    ("NSWIRE_DEBUG", "If set, an unexpected failure shows its traceback."),
)
SEE_ALSO = (
    "ip-netns(8), ip-link(8), lsns(8), nsenter(1), ethtool(8), network_namespaces(7), veth(4), rtnetlink(7)"
)


def page() -> str:
    """The manual page as roff."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    context = click.Context(root, info_name="nswire")
    yield '.\\" Made by `python -m nswire.cli.man` from the commands; change those.'
    yield f'.TH NSWIRE 1 "" "nswire {_text(__version__)}" "User Commands"'
    yield ".SH NAME"
    yield "nswire \\- " + _text(
        "what is at the other end of a network interface, across all network namespaces"
    )
    yield ".SH SYNOPSIS"
    for name in NAMES:
        yield ".br"
        yield f".B nswire {name}"
        yield _text(" ".join(_verb(name).collect_usage_pieces(_context(context, name))))
    yield ".SH DESCRIPTION"
    yield from _paragraphs(root.help or "")
    yield from _paragraphs(root.epilog or "")
    yield ".SH VERBS"
    for name in NAMES:
        yield from _section(context, name)
    yield ".SH COLOURS"
    yield _text("With --color, or on a terminal. Nothing is said by a colour alone.")
    for colour, meaning in LEGEND.values():
        yield from (".TP", f".B {colour}", _text(meaning))
    yield ".SH ENVIRONMENT"
    for variable, meaning in ENVIRONMENT:
        yield from (".TP", f".B {_text(variable)}", _text(meaning))
    yield ".SH SEE ALSO"
    yield _text(SEE_ALSO)


def _section(context: click.Context, name: str) -> Iterator[str]:
    verb = _verb(name)
    yield f".SS {name}"
    yield from _paragraphs(verb.help or "")
    for parameter in verb.get_params(_context(context, name)):
        record = parameter.get_help_record(_context(context, name))
        if record is not None and record[1] and "--help" not in parameter.opts:
            yield from (".TP", f".B {_text(record[0])}", _text(record[1]))
    yield from _paragraphs(verb.epilog or "")


def _verb(name: str) -> click.Command:
    found = root.get_command(click.Context(root), name)
    if found is None:
        raise LookupError(name)
    return found


def _context(parent: click.Context, name: str) -> click.Context:
    return click.Context(_verb(name), info_name=name, parent=parent)


def _paragraphs(text: str) -> Iterator[str]:
    """Paragraphs of a help text; after click's mark the lines stay as they are."""
    for paragraph in text.strip("\n").split("\n\n"):
        lines = [line for line in paragraph.splitlines() if line.strip()]
        if lines and lines[0] == NO_WRAP:
            yield from (".PP", ".nf", *(_text(line) for line in lines[1:]), ".fi")
        elif lines:
            yield from (".PP", _text(" ".join(line.strip() for line in lines)))


def _text(text: str) -> str:
    """Text that roff takes for nothing else: no escapes, no requests, and hyphens that can be copied."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped


if __name__ == "__main__":
    sys.stdout.write(page())
