"""`nswire metrics`."""

from __future__ import annotations

import click

from nswire.cli.common import ANSWERED, MAX_SIZE, Options, document, look
from nswire.cli.errors import Failure

EPILOG = """\b
Examples:
  nswire metrics                                    links, bonds, namespaces, and what is wrong
  nswire metrics --textfile /var/lib/prometheus/node-exporter/nswire.prom
  nswire metrics --no-check --max-series 100        only what there is, of each at most so many

\b
The file is written beside its place and then put there, so that nobody reads half of it. What does not fit is counted in
nswire_left_out and nswire_findings_left_out.
"""


@click.command(epilog=EPILOG)
@click.option("--textfile", metavar="FILE", help="Write it there, for node_exporter's textfile collector.")
@click.option("--check/--no-check", default=True, show_default=True, help="What `nswire check` finds, too.")
@click.option(
    "--max-series", type=click.IntRange(1), default=1000, show_default=True, help="Of each metric, at most."
)
@click.option(
    "--from", "recording", metavar="FILE", help="Ask a recording (nswire record) instead of this machine."
)
@MAX_SIZE
def command(
    *, textfile: str | None, check: bool, max_series: int, recording: str | None, max_size: int | None
) -> int:
    """Print gauges of links, bonds, LACP and namespaces, and what is wrong, as Prometheus and OpenMetrics read them."""
    from nswire.show.reports import gauges, openmetrics

    topology = look(Options(recording, as_json=False, color="never", strict=False, max_size=max_size))
    some = gauges.metrics(topology, max_series)
    if check:
        from nswire.check import run
        from nswire.check.rules import TABLE

        some += openmetrics.metrics(run(topology, TABLE), max_series)
    text = openmetrics.lines(some)
    if textfile is None:
        document().writelines(text)
        return ANSWERED
    from nswire.host.atomic_write import write

    try:
        write(textfile, "".join(text))
    except OSError as error:
        raise Failure(textfile, error.strerror or str(error)) from error
    return ANSWERED
