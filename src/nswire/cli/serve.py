"""`nswire serve`."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING

import click

from nswire.cli.common import MAX_SIZE
from nswire.cli.errors import Failure, complain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.model.topology import Topology
    from nswire.web.leftout import LeftOut
    from nswire.web.listeners import Place
    from nswire.web.refresh import Watching

LOCAL = "127.0.0.1"
SHORTEST = 16  # characters of a token that somebody else chose
EPILOG = """\b
Examples:
  sudo nswire serve                          open the URL that it prints
  sudo nswire serve --port 8053              then, elsewhere: ssh -L 8053:127.0.0.1:8053 HOST
  sudo nswire serve --unix /run/user/1000/nswire.sock
  nswire serve --from there.nswire           the page of a recording
  curl -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8053/api/v1/peer?handle=eth0

\b
The URL lets one browser in, and then another one is printed. The page shows what `nswire map` draws, tells all that
`nswire show` knows when something is clicked, and keeps itself up to date. It only reads. What speaks HTTP has no
privileges; what reads the machine is another process, with the rights of whoever started it. Needs nswire[web].
"""


@click.command(epilog=EPILOG)
@click.option(
    "--from", "recording", metavar="FILE", help="Show a recording (nswire record) instead of this machine."
)
@MAX_SIZE
@click.option("--port", type=click.IntRange(0, 65535), metavar="N", help="Port; default: any that is free.")
@click.option("--listen", metavar="ADDRESS", help=f"Address; default: {LOCAL}.")
@click.option("--unix", metavar="PATH", help="A unix socket instead, for its owner alone.")
@click.option(
    "--token",
    metavar="TEXT",
    envvar="NSWIRE_TOKEN",
    show_envvar=True,
    help="A lasting token instead of one for each browser. Others see it in the list of processes: prefer the variable.",
)
@click.option("--token-file", metavar="FILE", help="The same, from a file.")
@click.option(
    "--beyond-loopback",
    is_flag=True,
    help="Let --listen be reached from other machines. What goes over the line is not encrypted; it takes a lasting token.",
)
def command(
    *,
    recording: str | None,
    max_size: int | None,
    port: int | None,
    listen: str | None,
    unix: str | None,
    token: str | None,
    token_file: str | None,
    beyond_loopback: bool,
) -> int:
    """Show the picture as a page that keeps itself up to date, and answer programs by a JSON API (/api/v1/openapi.json).

    It listens on this machine alone, and prints a URL with a token that lets one browser in.
    """
    missing = [name for name in ("starlette", "uvicorn") if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure("the page", f"{' and '.join(missing)} cannot be imported", "pip install 'nswire[web]'")
    if unix is not None and (port is not None or listen is not None):
        raise click.UsageError("--unix is another place than --listen and --port: choose one")
    lasting = _token(token, token_file)
    look, watching, left_out = _looking(recording, max_size)
    place = _place(listen or LOCAL, port or 0, unix, allowed=beyond_loopback and bool(lasting))
    try:
        _tell(place, unix, lasting=bool(lasting))
        from nswire.web.serve import serve

        why = serve(place, lasting, look, watching, left_out)
    finally:
        place.socket.close()
        if unix is not None:
            from nswire.web.listeners import leave

            leave(unix)
    if why:
        raise Failure("", why, "NSWIRE_DEBUG=1 tells more")
    return 0


def _token(token: str | None, file: str | None) -> str:
    """The lasting token, or nothing. Raises Failure."""
    if token is not None and file is not None:
        raise click.UsageError("--token and --token-file are two tokens: choose one")
    if file is not None:
        try:
            with open(file, encoding="ascii") as opened:
                token = opened.read(4096).strip()
        except (OSError, ValueError) as error:
            raise Failure(
                file, (error.strerror if isinstance(error, OSError) else None) or str(error)
            ) from error
    if token is None:
        return ""
    if len(token) < SHORTEST or not (token.isascii() and token.isprintable()) or " " in token:
        raise Failure(
            file or "--token",
            f"a token has {SHORTEST} characters at least, all of them letters, digits or signs",
            "such as: head -c 24 /dev/urandom | base64 > FILE",
        )
    return token


def _looking(
    recording: str | None, max_size: int | None
) -> tuple[Callable[[Iterable[str]], Topology], Watching | None, LeftOut | None]:
    """How to look, what tells when to look again, and what of the machine is not to be seen. Raises Failure."""
    import nswire

    if recording is None:
        from nswire.host.live import Live
        from nswire.web.leftout import LeftOut
        from nswire.web.refresh import Watching

        left_out = LeftOut()
        return (
            lambda sources: nswire.scan(left_out.of(Live()), sources),
            Watching(left_out.of(Live())),
            left_out,
        )
    from nswire.errors import RecordingError
    from nswire.host.replay import Recorded

    try:
        system = Recorded.open(recording, max_size)
    except (RecordingError, ValueError) as error:
        raise Failure(recording, str(error)) from error
    except OSError as error:
        raise Failure(recording, error.strerror or str(error)) from error
    return lambda sources: nswire.scan(system, sources), None, None


def _place(listen: str, port: int, unix: str | None, *, allowed: bool) -> Place:
    """Where it is served. Raises Failure."""
    from nswire.web import listeners

    try:
        if unix is not None:
            return listeners.at_path(unix)
        if not listeners.is_loopback(listen) and not allowed:
            raise Failure(
                listen,
                "other machines could reach the page there, and read along",
                "if that is meant: --beyond-loopback, with --token-file; better: ssh -L PORT:127.0.0.1:PORT HOST",
            )
        return listeners.at_address(listen, port)
    except ValueError:
        raise Failure(listen, "that is no address", "such as 127.0.0.1 or ::1") from None
    except OSError as error:
        raise Failure(unix or f"{listen} port {port}", error.strerror or str(error)) from error


def _tell(place: Place, unix: str | None, *, lasting: bool) -> None:
    """What somebody at the terminal wants to know."""
    from nswire.show.escape import shell_word

    if unix is not None:
        complain(f"nswire serve: on this machine: curl --unix-socket {shell_word(unix)} {place.url}")
        complain(
            f"nswire serve: from elsewhere: ssh -L 8053:{shell_word(unix)} HOST, then the URL with localhost:8053"
        )
    elif os.environ.get("SSH_CONNECTION"):
        port = place.url.rstrip("/").rpartition(":")[2]
        complain(
            f"nswire serve: from where you came: ssh -L {port}:127.0.0.1:{port} HOST, then open the URL there"
        )
    if lasting:
        complain("nswire serve: open the URL with ?token= and your token behind it; Ctrl-C ends it")
    else:
        complain("nswire serve: the URL lets one browser in, then the next one is printed; Ctrl-C ends it")
