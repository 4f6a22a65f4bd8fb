"""`nswire check`."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import click

from nswire.cli.common import (
    ANSWERED,
    FAILED,
    INCOMPLETE,
    NO,
    Answer,
    Options,
    again,
    document,
    give,
    handles,
    look,
    paper,
    reading,
    understand,
)
from nswire.cli.errors import Failure, complain
from nswire.cli.given import bounded, trusted
from nswire.escape import visible

if TYPE_CHECKING:
    from nswire.check import Report, Rule, Severity
    from nswire.check.known import Suppression
    from nswire.model.topology import Topology
    from nswire.show.sections import Asked

FORMATS = ("text", "json", "sarif", "junit", "openmetrics", "nagios")  # the last four: show/reports
CONFIG = "/etc/nswire/check.toml"
SEVERITIES = ("error", "warning", "note")
EPILOG = """\b
Examples:
  nswire check                               all of the host, by all rules
  nswire check container:web                 only what is about a container
  nswire check --severity error              only what is that bad
  nswire check --rule mtu-wire --rule half-up
  nswire check --explain mtu-wire            why it is bad, when it is not, what to do
  nswire check --format sarif > nswire.sarif   for GitHub; junit for CI, openmetrics for Prometheus, nagios
  nswire check --format json > known.json    and later, only what is new: --baseline known.json
  nswire check -j | jq -r '.findings[] | .code, .fix.command'

\b
What is found is looked at again some seconds later, so that what is just being built is not told.
Nothing is changed: commands are shown, and never run.
Exit status: 0 nothing as bad as --fail-on, 1 something, 2 failure, 3 with --strict if a rule could not be judged.
"""


@click.command(epilog=EPILOG)
@handles()
@click.option("--rule", "rules", multiple=True, metavar="ID", help="Only this rule; may be given repeatedly.")
@click.option("--severity", type=click.Choice(SEVERITIES), help="Only what is at least that bad.")
@click.option(
    "--fail-on",
    type=click.Choice((*SEVERITIES, "never")),
    default="warning",
    show_default=True,
    help="How bad a finding must be for exit status 1.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    metavar="SECONDS",
    help="Look twice, so long apart: what is counted meanwhile (drops ...) is judged as well.",
)
@click.option("--since", metavar="FILE", help="What was counted since that recording of the same host.")
@click.option(
    "--baseline", metavar="FILE", help="Only what is not in FILE, which an earlier --format json has printed."
)
@click.option(
    "--config",
    metavar="FILE",
    help="Suppressions (TOML); default: /etc/nswire/check.toml, if root alone may write it.",
)
@click.option("--explain", metavar="ID", help="Print the page of a rule, and look at nothing.")
@click.option("--list", "listed", is_flag=True, help="List the rules, and look at nothing.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default="text",
    show_default=True,
    help="For other programs; json is --json. nagios exits with 0, 1, 2, 3 for OK, WARNING, CRITICAL, UNKNOWN.",
)
@reading
def command(options: Options, handles: tuple[str, ...], **given: Any) -> int:
    """Say what is wrong on this host, unasked: where, why, whom it hits, and which command would mend it.

    With HANDLEs: only what is about these links and namespaces. The rules have a page each: docs/rules/.
    """
    from nswire.check.known import only_new, without
    from nswire.show import text_check

    if given["listed"]:
        from nswire.check.rules import TABLE

        text_check.write_rules(paper(options), TABLE)
        return ANSWERED
    if given["explain"]:
        text_check.write_page(paper(options), *_named((given["explain"],)))
        return ANSWERED
    known = _baseline(given["baseline"])
    entries = _suppressions(given["config"])
    topology = look(options)
    asked, fine = understand(topology, handles, one=False)
    if not fine:
        return FAILED
    since = None if given["since"] is None else _earlier(options, topology, given["since"])
    report = _checked(options, topology, _named(given["rules"]), since, given["interval"] or 0.0)
    report = only_new(without(report, entries, _today()), known)
    report = _narrowed(report, asked, given["severity"]) if asked or given["severity"] else report
    if given["form"] not in ("text", "json"):
        return _reported(report, options, given["form"], given["fail_on"])
    options = options._replace(as_json=options.as_json or given["form"] == "json")
    give(report.topology, options, "check", _answer(report))
    return _status(report, options, given["fail_on"])


def _named(words: tuple[str, ...]) -> tuple[Rule, ...]:
    """The rules of these ids; of none: all. Failure."""
    from nswire.check.rules import TABLE, named

    found = []
    for word in words:
        rule = named(word)
        if rule is None:
            from difflib import get_close_matches

            near = get_close_matches(word, [rule.id for rule in TABLE], 1)
            hint = f"nearest: {near[0]}" if near else "nswire check --list shows all"
            raise Failure(word, "there is no such rule", hint)
        found.append(rule)
    return tuple(dict.fromkeys(found)) or TABLE


def _baseline(file: str | None) -> frozenset[str]:
    """The fingerprints of a baseline. Failure."""
    from nswire.check.known import baseline

    if file is None:
        return frozenset()
    try:
        return baseline(bounded(file))
    except ValueError as error:
        raise Failure(file, str(error), "make one with: nswire check --format json") from None


def _suppressions(file: str | None) -> tuple[Suppression, ...]:
    """Those that count; that one has expired is told on stderr. Failure."""
    from nswire.check.known import suppressions

    try:
        text = trusted(CONFIG if file is None else file, own=file is not None, needed=file is not None)
        entries = suppressions(text.decode())
    except ValueError as error:
        raise Failure(file or CONFIG, str(error)) from None
    for one in entries:
        if one.expired(_today()):
            about = visible(f"{one.rule} of {one.object}")
            complain(
                f"nswire check: the suppression of {about} has expired ({one.until}), and does not count"
            )
    return entries


def _today() -> dt.date:
    return dt.datetime.now(tz=dt.UTC).date()


def _earlier(options: Options, topology: Topology, file: str) -> Topology:
    """An earlier look at the same host, from a recording. Failure."""
    found = look(options._replace(recording=file))
    home = (topology.namespaces[topology.home].cookie, topology.taken.hostname)
    if (found.namespaces[found.home].cookie, found.taken.hostname) != home:
        raise Failure(file, "it is of another host, or of this one before it was started anew")
    if found.taken.time >= topology.taken.time:
        raise Failure(file, "it is not older than what it is to be compared with")
    return found


def _checked(
    options: Options, topology: Topology, rules: tuple[Rule, ...], since: Topology | None, interval: float
) -> Report:
    """What the rules say; of this machine, what they find is looked at twice."""
    from nswire.check import run

    return run(topology, rules, again(options), since=since, interval=interval)


def _narrowed(report: Report, asked: list[Asked], severity: Severity | None) -> Report:
    """Only what is about these things, and that bad."""
    from nswire.check import narrow

    ends = {link.end for one in asked for link in one.links}
    spaces = {one.namespace.key for one in asked if one.namespace is not None and not one.homeless}
    return narrow(report, ends | spaces if asked else None, severity)


def _answer(report: Report) -> Answer:
    from nswire.show import text_check
    from nswire.show.to_documents_check import CheckBuilder

    return Answer(
        lambda build: CheckBuilder(report, build).parts(),
        lambda paper: text_check.write_report(paper, report),
        list,
        lambda build: CheckBuilder(report, build).facts(),
    )


def _reported(report: Report, options: Options, form: str, fail_on: str) -> int:
    """Print it for another program: the document, and nothing else."""
    from nswire.show.reports import TABLE, nagios

    document().writelines(TABLE[form](report))
    return nagios.status(report) if form == "nagios" else _status(report, options, fail_on)


def _status(report: Report, options: Options, fail_on: Severity | str) -> int:
    """1 wins over 3: what was found stands, whatever else there may be."""
    if fail_on in SEVERITIES and report.at_least(fail_on):  # type: ignore[arg-type]
        return NO
    if report.failed:
        return FAILED
    if options.strict and (report.skipped or report.topology.gaps):
        return INCOMPLETE
    return ANSWERED
