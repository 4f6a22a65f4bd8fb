"""`nswire assert`."""
# ruff: noqa: N999 (a verb's file is called as the verb, and is imported by that name only)

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from nswire.cli.common import INCOMPLETE, NO, Answer, Options, again, document, give, judging, look, status
from nswire.cli.errors import Failure, complain
from nswire.escape import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.expect import Expectation, Outcome
    from nswire.model.topology import Topology

EPILOG = """\b
Examples:
  nswire assert --write network.toml             what is true now: every pair, and who reaches whom
  nswire assert --write web.toml container:web container:db
  nswire assert network.toml                     is it still so? exit status 0 or 1
  nswire assert network.toml --format junit > report.xml
  nswire assert network.toml --from before.nswire

\b
A file of expectations:
  [[path]]                     what becomes of a packet (the options of `nswire path`, and):
  from = "container:web"
  to = "10.0.0.5"
  proto = "tcp"
  dport = 5432
  expect = "delivered"         delivered (default), leaves, refused, dropped, unknown
  reply = "delivered"          of the answer; "none": there is none
  mtu_min = 1450               packets of that size pass whole
  via = "bond0"                every way passes that link; a list: each of them
  snat = "192.0.2.7"           its source at the end, "none": as it was; dnat likewise
  code = "route.no_route"      why not (docs/reasons.md)
  [[peer]]
  of = "tap39d60faa-aa"
  is = "qdhcp-fabc7ead/ns-39d60faa-aa"    a link, any link of a namespace or owner, or "none"
  [[no_finding]]
  rule = "mtu-wire"            a rule of `nswire check`; of = HANDLE: of that alone

\b
Exit status: 0 all hold, 1 one does not or cannot be judged, 2 failure, 3 with --strict if anything could not be seen.
"""
FORMATS = ("text", "json", "junit")
ENDED: dict[str, Literal["passed", "failure", "error"]] = {
    "holds": "passed",
    "fails": "failure",
    "error": "error",
}
MOST = 4 << 20  # bytes of a file of expectations


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("handles", metavar="[HANDLE...]", nargs=-1)
@click.option(
    "--write", "writes", is_flag=True, help="Make FILE from what is true now, of these HANDLEs or of all."
)
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", help="Default: text; -j is --format json."
)
@judging
def command(options: Options, file: str, handles: tuple[str, ...], *, writes: bool, form: str) -> int:
    """Say whether what FILE expects of the network is true.

    FILE is a small TOML file; `-` is standard input. With --write it is made, from what is true now.
    """
    options = options._replace(as_json=options.as_json or form == "json")
    from nswire.check.expect import judge

    if writes:
        return _write(options, file, handles)
    if handles:
        raise Failure(handles[0], "handles go with --write", "what is judged is what FILE says")
    expected = _read(file)
    topology = look(options)
    outcomes = list(judge(topology, expected, again(options)))
    holds = all(one.status == "holds" for one in outcomes)
    if form == "junit" and not options.as_json:
        document().writelines(_report(topology, file, outcomes))
    else:
        give(topology, options, "assert", _answer(outcomes, holds=holds))
    found = status(topology, options, no=not holds)
    return NO if found == INCOMPLETE and not holds else found


def _read(file: str) -> list[Expectation]:
    from nswire.check.expect import read
    from nswire.errors import ExpectationsError

    try:
        with sys.stdin.buffer if file == "-" else Path(file).open("rb") as opened:
            data = opened.read(MOST + 1)
    except OSError as error:
        raise Failure(file, error.strerror or str(error), "nswire assert --write makes one") from error
    if len(data) > MOST:
        raise Failure(file, f"it is longer than {MOST} bytes")
    try:
        return read(data)
    except ExpectationsError as error:
        raise Failure(file, str(error), visible(error.hint)) from None


def _answer(outcomes: list[Outcome], *, holds: bool) -> Answer:
    from nswire.show import text_assert

    return Answer(
        lambda _: [("results", outcomes)],
        lambda paper: text_assert.write_outcomes(paper, outcomes),
        list,
        lambda _: {"holds": holds},
    )


def _report(topology: Topology, file: str, outcomes: list[Outcome]) -> Iterator[str]:
    from nswire.show import junit

    cases = [
        junit.Case(f"nswire.{one.kind}", one.text, ENDED[one.status], "; ".join(one.problems), one.problems)
        for one in outcomes
    ]
    cases += [
        junit.Case("nswire.gap", f"{gap.where}: {gap.what}", "skipped", gap.why, (gap.hint,))
        for gap in topology.gaps
    ]
    return junit.write(f"nswire assert {file}", cases, topology.taken)


def _write(options: Options, file: str, handles: tuple[str, ...]) -> int:
    from nswire.check.expect import TABLE, block
    from nswire.check.expect.values import Unjudged
    from nswire.host.atomic_write import write

    topology = look(options)
    blocks: list[str] = []
    left = 0
    try:
        for kind in TABLE.values():
            for given in kind.write(topology, handles):
                try:
                    blocks.append(block(kind.name, given))
                except UnicodeEncodeError:  # a name that is no UTF-8, which TOML has no form for
                    left += 1
    except Unjudged as error:
        raise Failure("", str(error), "nswire ls shows all links") from None
    if not blocks:
        raise Failure(
            file, "nothing is true of this network that could be expected", "no pair and no path was found"
        )
    text = "\n".join(blocks)
    if file == "-":
        document().write(text)
    else:
        try:
            write(file, text)
        except OSError as error:
            raise Failure(file, error.strerror or str(error)) from error
        complain(f"nswire assert: wrote {len(blocks)} expectations to {visible(file)}")
    if left:
        complain(f"  and left out {left}, whose names are no UTF-8")
    return status(topology, options)
