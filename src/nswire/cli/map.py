"""`nswire map`."""

from __future__ import annotations

import contextlib
import io
from typing import IO, TYPE_CHECKING, Any

import click

from nswire.cli import packet
from nswire.cli.common import Answer, Options, document, give, handles, look, reading, status, understand
from nswire.cli.errors import Failure, complain
from nswire.draw import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.draw import Followed, Format, Grouping, Size, Wishes
    from nswire.draw.scene import Scene
    from nswire.model.topology import Topology
    from nswire.path.query import Wanted

FORMATS = (*(one.name for one in TABLE), "json")
EPILOG = """\b
Examples:
  nswire map                        the whole host, in the terminal
  nswire map -o host.html           a page to search and follow, in one file
  nswire map tap39d60faa-aa         what is within reach of a link, and its way up
  nswire map netns:router --hops 3  further around
  nswire map -o host.svg --only up  an image, without what is down
  nswire map --path container:web 203.0.113.9    the way of a packet, and its verdict
  nswire map --path container:web container:db --proto tcp --dport 5432
  nswire map -o dot | dot -Tpdf > host.pdf

\b
Loopback and the unused tunnels that the kernel puts into every namespace are not on it. A big host is folded:
links and namespaces that are alike are drawn once, with their number; the page unfolds them.
"""


@click.command(epilog=EPILOG)
@handles()
@click.option(
    "-o",
    "--output",
    metavar="FORMAT|FILE",
    help=f"{', '.join(FORMATS)}; or a file, whose suffix says which. Default: text.",
)
@click.option(
    "--path",
    "ends",
    nargs=2,
    metavar="FROM TO",
    help="Draw the way of a packet, as nswire path tells it; TO may be out.",
)
@packet.options
@click.option(
    "--hops",
    type=click.IntRange(0, 1000),
    metavar="N",
    help="How many wires away from HANDLE, besides its way up (2).",
)
@click.option("--only", type=click.Choice(("up",)), help="Without links through which nothing passes.")
@click.option(
    "--group",
    type=click.Choice(("bridge", "owner", "none")),
    default="bridge",
    show_default=True,
    help="How a big host is folded: by bridge, by owner too, not at all.",
)
@reading
def command(
    options: Options,
    handles: tuple[str, ...],
    *,
    output: str | None,
    ends: tuple[str, str] | None,
    hops: int | None,
    only: str | None,
    group: Grouping,
    **given: Any,
) -> int:
    """Draw who is wired to whom: namespaces as cards, links as rows, wires as lines from one to the other.

    Without HANDLE: the whole host. With: what is within reach of these, and their way up to the NIC.
    """
    if ends is None and packet.given(given):
        raise click.UsageError("a packet is described, and its way not asked for: --path FROM TO")
    name, file = _where(output, as_json=options.as_json)
    topology = look(options)
    asked, fine = understand(topology, handles, one=False)
    if handles and not asked:
        return status(topology, options, fine=fine)
    from nswire.draw import HOPS, Wishes, picture

    follow = None if ends is None else _way(topology, *ends, packet.wanted(given, reply=False))
    links = [link.end for one in asked for link in one.links]
    spaces = [one.namespace.key for one in asked if one.namespace is not None]
    if follow is not None and not asked:
        links, hops = [*follow.links, *follow.target], hops or 0
    wishes = Wishes(
        tuple(dict.fromkeys(links)),
        tuple(dict.fromkeys(spaces)),
        HOPS if hops is None else hops,
        only_up=only == "up",
    )

    def make(size: Size) -> Scene:
        return picture(topology, wishes, group=group, size=size, follow=follow)

    formats = {one.name: one for one in TABLE}
    if name == "text" and file is None:
        give(topology, options, "map", _answer(topology, wishes, make))
    elif name == "json":
        with _into(file) as out:
            give(topology, options._replace(as_json=True), "map", _answer(topology, wishes, make), out)
    else:
        with _into(file) as out:
            out.write(_drawn(topology, formats[name], make))
        for line in _how(topology) if options.how else ():
            complain(f"  {line}")
    return status(topology, options, fine=fine)


def _way(topology: Topology, sender: str, receiver: str, wanted: Wanted) -> Followed:
    """The way of a packet, for the picture. Failure."""
    from nswire.cli.path import followed as trace
    from nswire.draw.path_overlay import followed
    from nswire.show.text_path import caption

    found = trace(topology, sender, None if receiver == "out" else receiver, wanted)
    return followed(topology, found, caption(topology, found))


def _where(output: str | None, *, as_json: bool) -> tuple[str, str | None]:
    """The format, and the file (None: stdout)."""
    if output is None or output in FORMATS:
        if as_json and output not in (None, "json"):
            raise click.UsageError(f"--json and -o {output} are two answers: choose one")
        return ("json" if as_json else output or "text"), None
    from nswire.draw import by_suffix

    name = "json" if output.lower().endswith(".json") else by_suffix(output)
    if name is None:
        raise click.UsageError(
            f"-o {output}: neither a format ({', '.join(FORMATS)}) nor a file with the suffix of one"
        )
    if as_json and name != "json":
        raise click.UsageError(f"--json and -o {output} are two answers: choose one")
    return name, output


def _answer(topology: Topology, wishes: Wishes, make: Callable[[Size], Scene]) -> Answer:
    from nswire.draw.selection import choose
    from nswire.show import to_documents_map
    from nswire.show.text_map import write_map

    return Answer(
        lambda build: to_documents_map.parts(build, topology, choose(topology, wishes)),
        lambda paper: write_map(paper, make),
        lambda: _how(topology),
    )


def _how(topology: Topology) -> list[str]:
    from nswire.show import equivalent_commands

    return equivalent_commands.for_links(topology, list(topology.links()), every=True)


def _drawn(topology: Topology, one: Format, make: Callable[[Size], Scene]) -> str:
    from nswire.draw.page_data import DETAILED

    if one.details and sum(topology.count(ns) for ns in topology.namespaces) <= DETAILED:
        topology.ask_everything()
    return one.draw(make)


@contextlib.contextmanager
def _into(file: str | None) -> Iterator[IO[str]]:
    """Where the answer goes: stdout, or a file that is written when all of it is there. Raises Failure."""
    if file is None:
        yield document()
        return
    from nswire.escape import visible
    from nswire.host.atomic_write import regular, write

    try:
        regular(file)
        out = io.StringIO()
        yield out
        write(file, out.getvalue())
    except OSError as error:
        raise Failure(file, error.strerror or str(error)) from error
    complain(f"nswire map: wrote {visible(file)}")
