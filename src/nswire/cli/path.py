"""`nswire path`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nswire.cli import packet
from nswire.cli.common import (
    FAILED,
    INCOMPLETE,
    Answer,
    Options,
    give,
    look,
    reading,
    status,
    understand,
)
from nswire.cli.complete_handles import complete
from nswire.cli.errors import Failure

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.path import Trace
    from nswire.path.query import Party, Wanted

HERE = "self"
EPILOG = """\b
Examples:
  nswire path ns-39d60faa-aa                     out to the internet, and back
  nswire path container:web 203.0.113.9          to an address
  nswire path pod:shop/web container:db --dport 5432
  nswire path web tcp:10.0.0.5:80                as you would type it; udp:[fd00::5]:53, web:5432, [::1]:80
  nswire path 1.1.1.1                            from here: nobody who can be seen has that address
  nswire path 10.10.100.2 1.1.1.1 --proto udp --dport 53 --no-reply
  nswire path -j eth0 | jq -r .fate

\b
The kernel's own route lookup decides, in each namespace; nft and iptables rules are read, tables and ports looked at.
Nothing is sent. Where it cannot be known what becomes of the packet, the answer says so, and why.
Exit status: 0 it leaves or is delivered, 1 it is dropped, or refused (nothing listens there), 3 with --strict if that is not known.
"""


@click.command(epilog=EPILOG)
@click.argument("sender", metavar="FROM", shell_complete=complete)
@click.argument("receiver", metavar="[TO]", required=False, shell_complete=complete)
@packet.options
@click.option("--reply/--no-reply", default=True, show_default=True, help="Follow the answer as well.")
@click.option("--hops", is_flag=True, help="One line a namespace instead of one a step.")
@reading
def command(options: Options, sender: str, receiver: str | None, **given: Any) -> int:
    """Say how a packet gets from FROM to TO, step by step: routes, neighbours, bridges, filters, NAT, tunnels.

    FROM is any handle: a link, a namespace, a container, an address of this host. TO is an address or any handle, with
    a port behind it and a protocol before it if you like (web:80, tcp:10.0.0.5:5432, udp:[fd00::5]:53); without it: out,
    by the default route. A single address that no link here has, or one with a port, is TO: the packet is sent from here.
    """
    topology = look(options)
    wanted = packet.wanted(given, reply=given["reply"])
    found, notes = _followed(topology, sender, receiver, wanted)
    give(topology, options, "path", _answer(topology, found, notes, hops=given["hops"]))
    if options.strict and found.forward.fate == "unknown":
        return INCOMPLETE
    return status(topology, options, no=found.forward.fate in ("dropped", "refused"))


def followed(topology: Topology, sender: str, receiver: str | None, wanted: Wanted) -> Trace:
    """The way of a packet, for other verbs. Failure."""
    return _followed(topology, sender, receiver, wanted)[0]


def _followed(
    topology: Topology, sender: str, receiver: str | None, wanted: Wanted
) -> tuple[Trace, tuple[str, ...]]:
    """The way, and what was assumed. Failure."""
    from nswire.errors import PathQueryError
    from nswire.path.endpoints import address
    from nswire.path.query import Party, complete, follow, ported

    if receiver is None and _is_receiver(topology, sender):
        sender, receiver = HERE, sender
    begin = _party(topology, sender)
    end = None
    try:
        if receiver is not None:
            receiver, wanted = ported(topology, receiver, wanted)
            end = Party(receiver) if address(receiver) else _party(topology, receiver)
        question = complete(topology, begin, end, wanted)
    except PathQueryError as error:
        raise Failure(error.subject, str(error), error.hint) from None
    return follow(topology, question, wanted), question.notes


def _is_receiver(topology: Topology, word: str) -> bool:
    """Whether a word that stands alone is where to: an address with a port, or one that nobody who can be seen has."""
    from nswire.handles import find
    from nswire.path.endpoints import address, is_loopback, split

    if find(topology, word) or is_loopback(word):
        return False
    return bool(address(word) or (address(split(word).host) and split(word).port))


def _party(topology: Topology, word: str) -> Party:
    """Whoever a word stands for. Everybody has 127.0.0.1, so the one that is meant is that of here. Failure."""
    from nswire.path.endpoints import is_loopback
    from nswire.path.query import Party

    here = [link for link in topology.links(topology.home) if link.loopback] if is_loopback(word) else []
    if here:
        return Party(word, here)
    asked, fine = understand(topology, (word,), one=True)
    if not fine or not asked:
        raise click.exceptions.Exit(FAILED)
    return Party(word, asked[0].links, asked[0].namespace, asked[0].owner)


def _answer(topology: Topology, found: Trace, notes: tuple[str, ...], *, hops: bool) -> Answer:
    from nswire.show import equivalent_commands, text_path
    from nswire.show.to_documents_path import PathBuilder

    return Answer(
        lambda build: PathBuilder(topology, build).parts(found),
        lambda paper: text_path.write_trace(paper, topology, found, notes=notes, hops=hops),
        lambda: equivalent_commands.for_trace(topology, found),
        lambda build: PathBuilder(topology, build).facts(found),
    )
