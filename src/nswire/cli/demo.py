"""`nswire demo`: the network of the blog post that started this, its manual method, and the one answer beside it."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from nswire.cli.common import Options, paper
from nswire.cli.errors import Failure
from nswire.lab import openstack_demo

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link, Topology
    from nswire.show.terminal import Paper

PATIENCE = 20  # seconds for one classic command
REMARK = 100  # columns
WIDE = 120  # columns of a line of `ip`; the rest is not what is looked at

OPENING = f"""\
The network of a blog post about OpenStack, built just now in a private namespace of this machine; nothing of it stays.

  {openstack_demo.NAMESPACE[:14]}...     host                                         router        outside
  {openstack_demo.INNER} (68) ==== (69) {openstack_demo.OUTER} - {openstack_demo.BRIDGE} - {openstack_demo.UPLINK} ==== int0  ext0 ==== wan0

  {openstack_demo.TRAP_NAMESPACE[:14]}...     {openstack_demo.TRAP_HOST} (a host beside it)
  {openstack_demo.TRAP_INNER} (68) ==== (69) {openstack_demo.TRAP_OUTER} - {openstack_demo.TRAP_BRIDGE} - eth1 ==== int1 (in router)
"""


class Command(NamedTuple):
    """A classic command of the manual method.

    `shown` is what is typed, `argv` what is run (no shell), `keep` chooses the lines to look at, and `read` says from
    nswire's own reading what it would print where the program is not installed.
    """

    shown: str
    argv: tuple[str, ...]
    keep: Callable[[str], bool]
    read: Callable[[Topology], Iterator[str]]


class Act(NamedTuple):
    """A question, the manual way to its answer, what to think of that, and what nswire is asked: a verb and a handle."""

    question: str
    commands: tuple[Command, ...]
    remark: str
    handle: str
    verb: str = "peer"


@click.command(
    epilog="\b\nExamples:\n  nswire demo                    no root needed, nothing stays\n  nswire demo --color always | less -R\n"
)
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True)
def command(color: str) -> int:
    """Build a small cloud network in a private namespace, and find the other end of a link: by hand, and with nswire.

    It needs no root where users may make namespaces of their own. Programs that are not installed (ip, ethtool) are
    told, and what they would print is shown from nswire's own reading.
    """
    from nswire.lab.private import PrivateHostError, enter_private_host

    try:
        refused = enter_private_host(user=os.geteuid() != 0)
    except PrivateHostError as error:
        raise Failure("a private namespace", str(error)) from error
    for refusal in refused:
        click.echo(f"(not in this one: {refusal})")
    with openstack_demo.blog():
        _play(paper(Options(None, as_json=False, color=color, strict=False, how=False)))
    return 0


def _play(sheet: Paper) -> None:
    import nswire
    from nswire.show.terminal import span

    topology = nswire.scan()
    for line in OPENING.splitlines():
        sheet.print(line)
    sheet.print()
    for number, act in enumerate(_acts(), 1):
        sheet.print(span(f"{number}. {act.question}", "head"))
        sheet.print()
        for manual in act.commands:
            sheet.print(span(f"$ {manual.shown}"))
            for line in _output(manual, topology):
                sheet.print("    ", span(_looked_at(line), "dim"))
        sheet.print()
        for line in textwrap.wrap(act.remark, min(sheet.columns or REMARK, REMARK)):
            sheet.print(line)
        sheet.print()
        sheet.print(span(f"$ nswire {act.verb} {act.handle}", "head"))
        ANSWERS[act.verb](sheet, topology, act.handle)
        sheet.print()


def _peers(sheet: Paper, topology: Topology, handle: str) -> None:
    from nswire.handles import find
    from nswire.show.text_peer import Question, write_peers

    found = find(topology, handle)
    write_peers(sheet, [Question(match.unique, match.links, match.namespace) for match in found])


def _way_out(sheet: Paper, topology: Topology, handle: str) -> None:
    from nswire.path.query import Party, Wanted, complete, follow
    from nswire.show.text_path import write_trace

    asked = complete(topology, Party(handle, (topology.link(handle),)), None, Wanted())
    write_trace(sheet, topology, follow(topology, asked, Wanted()), notes=asked.notes, hops=False)


ANSWERS: dict[str, Callable[[Paper, Topology, str], None]] = {"peer": _peers, "path": _way_out}


def _looked_at(line: str) -> str:
    """A line of output without what `ip -o` puts behind the link itself."""
    text = line.partition("\\")[0].strip()
    return text if len(text) <= WIDE else f"{text[:WIDE]} ..."


def _output(manual: Command, topology: Topology) -> list[str]:
    missing = [program for program in _programs(manual.argv) if shutil.which(program, path=_path()) is None]
    if missing:
        return [f"({missing[0]} is not installed; as nswire reads it:)", *manual.read(topology)]
    done = subprocess.run(
        manual.argv,
        env={**os.environ, "PATH": _path(), "LC_ALL": "C"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=PATIENCE,
        check=False,
    )
    lines = [line for line in done.stdout.decode(errors="surrogateescape").splitlines() if manual.keep(line)]
    if done.returncode or not lines:
        return ["(that failed here; as nswire reads it:)", *manual.read(topology)]
    return lines


def _path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"


def _programs(argv: tuple[str, ...]) -> list[str]:
    return [word for word in argv if word in {"ip", "ethtool"}]


# -- the four acts -----------------------------------------------------------------------------------------------


def _acts() -> Iterator[Act]:
    yield Act(
        f"What is at the other end of {openstack_demo.INNER}, where Neutron's DHCP server listens?",
        (_ethtool(openstack_demo.INNER, openstack_demo.NAMESPACE), _grep(openstack_demo.OUTER_INDEX)),
        "Two commands and a grep, and this time the one hit is the right one: nothing says so, though. "
        "nswire asks the kernel which namespace the other end is in, and says why it believes the answer.",
        openstack_demo.INNER,
    )
    yield Act(
        f"And back: what is at the other end of {openstack_demo.OUTER}?",
        (_ethtool(openstack_demo.OUTER, None), _grep_everywhere(openstack_demo.INNER_INDEX)),
        "Now every namespace has to be searched, and two of them have an ifindex 68. An ifindex is unique in its "
        "own namespace only, so the method ends here.",
        openstack_demo.OUTER,
    )
    yield Act(
        f"The trap: what is at the other end of {openstack_demo.TRAP_INNER}?",
        (
            _ethtool(openstack_demo.TRAP_INNER, openstack_demo.TRAP_NAMESPACE),
            _grep(openstack_demo.OUTER_INDEX),
        ),
        f"One hit again, and it is wrong: {openstack_demo.OUTER} belongs to the other network. It even answers "
        f'"peer_ifindex: 68" when it is asked back. The true peer is in {openstack_demo.TRAP_HOST}.',
        openstack_demo.TRAP_INNER,
    )
    yield Act(
        f"The question behind it: how does a packet of {openstack_demo.INNER} get out?",
        (_route(openstack_demo.INNER, openstack_demo.NAMESPACE),),
        "That is all that one namespace knows. Which link it comes out of, which port of the bridge it takes, who answers "
        "for its gateway, and what the router does with it are five more commands, in three more namespaces.",
        openstack_demo.INNER,
        "path",
    )


def _ethtool(ifname: str, name: str | None) -> Command:
    inside = () if name is None else ("ip", "netns", "exec", name)
    argv = (*inside, "ethtool", "-S", ifname)

    def read(topology: Topology) -> Iterator[str]:
        yield f"peer_ifindex: {topology.link(ifname).fact.link}"

    return Command(f"{' '.join(argv)} | grep peer_ifindex", argv, lambda line: "peer_ifindex" in line, read)


def _route(ifname: str, name: str) -> Command:
    argv = ("ip", "-n", name, "route", "get", "1.1.1.1")

    def read(topology: Topology) -> Iterator[str]:
        link = topology.link(ifname)
        for route in topology.lookups().routes(link.end.ns):
            if route.dst == "0.0.0.0/0":
                yield f"1.1.1.1 via {route.hops[0].gateway} dev {ifname}"

    return Command(" ".join(argv), argv, lambda line: line.startswith("1.1.1.1"), read)


def _grep(index: int) -> Command:
    def read(topology: Topology) -> Iterator[str]:
        return (_as_ip(link) for link in topology.links(topology.home) if link.ifindex == index)

    return Command(
        f"ip -o link | grep ^{index}:", ("ip", "-o", "link"), lambda line: line.startswith(f"{index}:"), read
    )


def _grep_everywhere(index: int) -> Command:
    """`ip -all` names each namespace before its links, on lines of their own: keep those and the hits."""

    def read(topology: Topology) -> Iterator[str]:
        for link in topology.links():
            if link.ifindex == index and not link.netns.home:
                yield f"netns: {link.netns.label}"
                yield _as_ip(link)

    return Command(
        f"ip -all netns exec ip -o link | grep -e ^netns: -e ^{index}:",
        ("ip", "-all", "netns", "exec", "ip", "-o", "link"),
        lambda line: line.startswith(("netns:", f"{index}:")),
        read,
    )


def _as_ip(link: Link) -> str:
    """A link as the head of a line of `ip -o link`."""
    fact = link.fact
    other = f"@if{fact.link}" if fact.link else ""
    master = f" master {link.master.ifname}" if link.master is not None else ""
    return f"{fact.ifindex}: {fact.ifname}{other}: <{','.join(link.flags)}> mtu {fact.mtu}{master} state {link.operstate}"
