"""`nswire record`."""

from __future__ import annotations

import click

from nswire.cli.errors import Failure, complain
from nswire.escape import visible
from nswire.show.escape import shell_word

EPILOG = """\b
Examples:
  sudo nswire record here.nswire            a zip, with the raw answers of the kernel and of /proc
  nswire peer --from here.nswire eth0       the same answer, anywhere and at any time
  unzip -l here.nswire                      what is in it

\b
It holds names, addresses and MACs of the whole machine, its processes' names among them: treat it accordingly.
"""


@click.command(epilog=EPILOG)
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False))
def command(file: str) -> int:
    """Write everything nswire can ask of this machine into FILE, so that every reading verb can answer from it."""
    import nswire

    try:
        nswire.record(file)
    except OSError as error:
        raise Failure(file, error.strerror or str(error)) from error
    complain(f"nswire record: wrote {visible(file)}; ask it with: nswire peer --from {shell_word(file)}")
    return 0
