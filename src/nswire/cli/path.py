"""`nswire path`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from nswire.cli.common import (
    FAILED,
    INCOMPLETE,
    Answer,
    Asked,
    Options,
    give,
    look,
    reading,
    status,
    understand,
)
from nswire.cli.completing import complete
from nswire.cli.errors import Failure

if TYPE_CHECKING:
    from nswire.model.topology import Topology
    from nswire.path import Flow, Trace
    from nswire.path.endpoints import Receiver, Sender

PROTOCOLS = {"icmp": 1, "tcp": 6, "udp": 17}
ICMPV6 = 58

EPILOG = """\b
Examples:
  nswire path ns-39d60faa-aa                     out to the internet, and back
  nswire path container:web 203.0.113.9          to an address
  nswire path pod:shop/web container:db --dport 5432
  nswire path 10.10.100.2 1.1.1.1 --proto udp --dport 53 --no-reply
  nswire path -j eth0 | jq -r .fate

\b
The kernel's own route lookup decides, in each namespace; nft and iptables rules are read, tables and ports looked at.
Nothing is sent. Where it cannot be known what becomes of the packet, the answer says so, and why.
Exit status: 0 it leaves or is delivered, 1 it is dropped, 3 with --strict if that is not known.
"""


@click.command(epilog=EPILOG)
@click.argument("sender", metavar="FROM", shell_complete=complete)
@click.argument("receiver", metavar="[TO]", required=False, shell_complete=complete)
@click.option("--proto", metavar="PROTO", help="icmp, tcp, udp or a number (default: icmp; tcp with a port).")
@click.option("--sport", type=click.IntRange(1, 65535), default=None, help="Source port (default: any).")
@click.option("--dport", type=click.IntRange(1, 65535), default=None, help="Destination port.")
@click.option("--mark", metavar="N", default="0", help="The packet's mark, as ip rule and nft see it.")
@click.option("--src", metavar="IP", default="", help="Source address (default: as the kernel chooses).")
@click.option("--size", type=click.IntRange(28, 65535), default=None, help="Bytes, with DF set: does it fit?")
@click.option("-4", "family", flag_value=4, type=int, help="IPv4.")
@click.option("-6", "family", flag_value=6, type=int, help="IPv6.")
@click.option("--reply/--no-reply", default=True, show_default=True, help="Follow the answer as well.")
@click.option("--hops", is_flag=True, help="One line a namespace instead of one a step.")
@reading
def command(options: Options, sender: str, receiver: str | None, **given: Any) -> int:
    """Say how a packet gets from FROM to TO, step by step: routes, neighbours, bridges, filters, NAT, tunnels.

    FROM is any handle: a link, a namespace, a container, an address of this host. TO is an address or any handle; without it:
    out, by the default route.
    """
    topology = look(options, addresses=False)
    found, notes = _followed(topology, sender, receiver, Wanted(**given))
    give(topology, options, "path", _answer(topology, found, notes, hops=given["hops"]))
    if options.strict and found.forward.fate == "unknown":
        return INCOMPLETE
    return status(topology, options, no=found.forward.fate == "dropped")


def followed(topology: Topology, sender: str, receiver: str | None) -> Trace:
    """The way of an ordinary packet, for other verbs. Failure."""
    return _followed(topology, sender, receiver, Wanted())[0]


def _followed(
    topology: Topology, sender: str, receiver: str | None, wanted: Wanted
) -> tuple[Trace, tuple[str, ...]]:
    """The way, and what was assumed. Failure."""
    from nswire.path import trace

    begin, end, flow, notes = _asked(topology, sender, receiver, wanted)
    found = trace(
        topology,
        topology.lookups(),
        begin.ns,
        flow,
        to=end.ns,
        by=begin.by,
        mark=_number(wanted.mark, "--mark"),
        size=wanted.size or 0,
        reply=wanted.reply,
    )
    return found, notes


def _answer(topology: Topology, found: Trace, notes: tuple[str, ...], *, hops: bool) -> Answer:
    from nswire.show import howto, text_path
    from nswire.show.build_path import PathBuilder

    return Answer(
        lambda build: PathBuilder(topology, build).parts(found),
        lambda paper: text_path.write_trace(paper, topology, found, notes=notes, hops=hops),
        lambda: howto.for_trace(topology, found),
        lambda build: PathBuilder(topology, build).facts(found),
    )


def _asked(
    topology: Topology, sender: str, receiver: str | None, wanted: Wanted
) -> tuple[Sender, Receiver, Flow, tuple[str, ...]]:
    """Where it begins and ends, and the flow, with what was assumed. Failure."""
    from nswire.path import endpoints
    from nswire.path.values import Flow

    one = _one(topology, sender)
    address = endpoints.address(receiver or "")
    other = None if receiver is None or address else _one(topology, receiver)
    try:
        begin = endpoints.sender(topology, sender, one.links, one.namespace)
    except endpoints.Impossible as error:
        raise Failure(sender, str(error), error.hint) from None
    family = wanted.family or _family(wanted.src or address) or _only_family(begin.addresses)
    if other is not None and receiver is not None:
        try:
            end = endpoints.receiver(other.links, family)
        except endpoints.Impossible as error:
            raise Failure(receiver, str(error), error.hint) from None
    else:
        end = endpoints.Receiver(address or endpoints.OUT[family or 4])
    family = _family(end.address)
    source = wanted.src or next((one for one in begin.addresses if _family(one) == family), "")
    if source and _family(source) != family:
        raise Failure(source, f"{end.address} cannot be reached from it: one is IPv4, the other IPv6")
    if begin.by is not None and not source:
        raise Failure(sender, "the addresses of what is behind it are not known", "give one: --src ADDRESS")
    proto = _protocol(wanted.proto, family, ports=bool(wanted.sport or wanted.dport))
    flow = Flow(end.address, source, proto, wanted.sport or 0, wanted.dport or 0)
    out = f"{end.address} stands for the internet" if receiver is None else ""
    return begin, end, flow, tuple(note for note in (begin.note, out) if note)


class Wanted(NamedTuple):
    """The options of the verb."""

    proto: str | None = None
    sport: int | None = None
    dport: int | None = None
    mark: str = "0"
    src: str = ""
    size: int | None = None
    family: int | None = None
    reply: bool = True
    hops: bool = False


def _one(topology: Topology, word: str) -> Asked:
    asked, fine = understand(topology, (word,), one=True)
    if not fine or not asked:
        raise click.exceptions.Exit(FAILED)
    return asked[0]


def _family(address: str) -> int:
    return 0 if not address else 6 if ":" in address else 4


def _only_family(addresses: tuple[str, ...]) -> int:
    """The family of a sender that has addresses of one alone."""
    found = {_family(one) for one in addresses}
    return found.pop() if len(found) == 1 else 0


def _protocol(word: str | None, family: int, *, ports: bool) -> int:
    if word is None:
        word = "tcp" if ports else "icmp"
    if word.isdigit() and int(word) < 256:
        return int(word)
    if word in ("icmp", "icmpv6", "icmp6"):
        return ICMPV6 if family == 6 else PROTOCOLS["icmp"]
    if word not in PROTOCOLS:
        raise Failure(f"--proto {word}", "there is no such protocol", f"{', '.join(PROTOCOLS)} or a number")
    return PROTOCOLS[word]


def _number(word: str, option: str) -> int:
    try:
        return int(word, 0)
    except ValueError:
        raise Failure(f"{option} {word}", "that is no number", "such as 7 or 0x10") from None
