"""Reports of `nswire check` for other programs: one file a format, one row in `TABLE`. stdout is the document and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.show.reports import junit, nagios, openmetrics, sarif

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.check import Report

TABLE: dict[str, Callable[[Report], Iterator[str]]] = {
    "sarif": sarif.write,
    "junit": junit.write,
    "openmetrics": openmetrics.write,
    "nagios": nagios.write,
}
