"""Errors on stderr, all in one form: `nswire VERB: SUBJECT: REASON`, and a hint on a line of its own."""

from __future__ import annotations

import contextlib
import sys

import click

from nswire.escape import visible


class Failure(click.ClickException):
    """The verb cannot do what was asked: `subject` is what it was asked about.

    `hint` says what may help; it is printed as it is, so what came from outside is escaped in it already.
    """

    exit_code = 2

    def __init__(self, subject: str, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.subject = subject
        self.hint = hint
        context = click.get_current_context(silent=True)
        self.verb = "nswire" if context is None else context.command_path


def say(error: click.ClickException) -> None:
    """Tell an error."""
    if isinstance(error, Failure):
        subject = f"{visible(error.subject)}: " if error.subject else ""
        complain(f"{error.verb}: {subject}{visible(error.message)}")
        hint = error.hint
    else:
        context = getattr(error, "ctx", None)
        command = "nswire" if context is None else context.command_path
        complain(f"{command}: {visible(error.format_message())}")
        hint = f"{command} --help shows how it is used"
    for line in hint.splitlines():
        complain(f"  {line}")


def complain(text: str) -> None:
    """A line on stderr. What came from outside has to be escaped by now. Nobody may be there to read it."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.write(f"{text}\n")
        sys.stderr.flush()
