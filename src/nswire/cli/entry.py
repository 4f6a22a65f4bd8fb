"""The entry point: finds the verb, and sees to it that every end is a clean one."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
from importlib import import_module
from typing import TYPE_CHECKING

import click

from nswire.cli.errors import Failure, say
from nswire.cli.verbs import NAMES, TABLE
from nswire.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

INTERRUPTED = 130
BROKEN = 2
BROKEN_PIPE = 141

EPILOG = """\b
HANDLE may be a name (tap39d60faa-aa; of several links that of your own namespace),
NETNS/IFNAME (router/eth0; host/eth0: of the initial namespace, self/eth0: of yours),
an ifindex (69), a MAC, an IP address, an alias, pid:812, netns:NAME or net:[4026532177];
by owner: container:web, pod:shop/web-1, vm:db1, port:39d60faa, unit:nginx;
by listening or published port: tcp:8080, udp:53, :8080.

\b
Examples:
  sudo nswire peer tap39d60faa-aa     what is at the other end, and how it gets out
  sudo nswire peer 10.10.100.2        the same, from an address
  sudo nswire peer container:web      from whose it is
  sudo nswire ls netns:router         the links of a namespace
  sudo nswire record here.nswire      take it all with you, and ask later with --from

\b
Exit status: 0 answered; 1 answered "no"; 2 usage, unknown or ambiguous handle, failure;
3 incomplete under --strict.
"""


class Verbs(click.Group):
    """A group whose commands are loaded when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """The verbs, in the order of the table."""
        return list(NAMES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of a verb, or None."""
        if cmd_name not in NAMES:
            return None
        command: click.Command = import_module(f"nswire.cli.{cmd_name}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the verb; an unknown one is answered with the nearest."""
        if args and not args[0].startswith("-") and args[0] not in NAMES:
            from difflib import get_close_matches

            near = get_close_matches(args[0], NAMES, 1)
            raise Failure(
                args[0],
                "there is no such verb" + (f"; did you mean {near[0]}?" if near else ""),
                f"verbs: {', '.join(NAMES)}; for the other end of a link: nswire peer {_shown(args[0])}",
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """The verbs for `--help`, without loading any."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb.name, verb.help) for verb in TABLE])


def _shown(word: str) -> str:
    from nswire.show.escape import shell_word

    return shell_word(word)


@click.group(
    cls=Verbs,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "-V", "--version", message="nswire %(version)s")
def command() -> None:
    """Say what is at the other end of a network interface, in whatever network namespace it is.

    It only reads. Without root it answers what a plain user may see, and says what root would add.
    """


def main(args: list[str] | None = None) -> None:
    """Run nswire and exit. Never returns, never shows a traceback unless NSWIRE_DEBUG is set."""
    gc.disable()  # short-lived, and what a scan makes stays until the end
    with contextlib.suppress(
        AttributeError, ValueError
    ):  # `| head` ends us quietly, as it does any C program
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: SIM115 (for as long as we live)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    with _interruptible():
        status = _run(args)
    sys.exit(status)


@contextlib.contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C ends what is inside by KeyboardInterrupt, once; a second one, or one before or after, ends us in silence."""
    before: object = None
    with contextlib.suppress(ValueError):  # not in the main thread
        before = signal.getsignal(signal.SIGINT)
        if before != signal.SIG_IGN:
            sys.unraisablehook = _unraisable
            signal.signal(signal.SIGINT, _interrupted)
    try:
        yield
    finally:
        if before not in (None, signal.SIG_IGN):
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _interrupted(_number: int, _frame: object) -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    raise KeyboardInterrupt


def _unraisable(problem: sys.UnraisableHookArgs) -> None:
    """Where an exception cannot be raised, as while an object goes, Ctrl-C ends us all the same, and nothing is told."""
    if issubclass(problem.exc_type, KeyboardInterrupt):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.__unraisablehook__(problem)


def _run(args: list[str] | None) -> int:
    try:
        status = command.main(args, prog_name="nswire", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, click.Abort):
        return INTERRUPTED
    except BrokenPipeError:  # where SIGPIPE is blocked, as for the first process of a namespace (demo)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(f"{error.format_message()}\n")  # our own text, line by line
        return BROKEN
    except click.ClickException as error:
        say(error)
        return BROKEN
    except Exception as error:
        if os.environ.get("NSWIRE_DEBUG"):
            raise
        say(_unexpected(error))
        return BROKEN
    return status if isinstance(status, int) else 0


def _unexpected(error: Exception) -> Failure:
    if isinstance(error, OSError):
        return Failure(str(error.filename or "this machine"), error.strerror or str(error), "")
    if type(error).__name__ == "RecordingError":  # a member that was wanted late
        return Failure("the recording", str(error))
    return Failure(
        type(error).__name__,
        f"{error} (this is a fault of nswire)",
        "please report it with the output of the same command under NSWIRE_DEBUG=1, and with `nswire record FILE`",
    )
