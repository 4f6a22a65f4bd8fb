"""`nswire help`."""

from __future__ import annotations

import click

from nswire.cli.errors import Failure
from nswire.cli.verbs import NAMES

EPILOG = """\b
Examples:
  nswire help                    the verbs, and what a HANDLE may be
  nswire help path               one of them
"""


@click.command(epilog=EPILOG)
@click.argument("verb", required=False, metavar="[VERB]")
def command(verb: str | None) -> int:
    """Print the help of nswire, or of a verb: the same as nswire VERB --help."""
    context = click.get_current_context()
    root = context.parent
    if root is None or not isinstance(
        root.command, click.Group
    ):  # pragma: no cover (it is a verb of a group)
        raise LookupError(verb)
    if verb is None:
        click.echo(root.get_help())
        return 0
    found = root.command.get_command(root, verb)
    if found is None:
        raise Failure(verb, "there is no such verb", f"verbs: {', '.join(NAMES)}")
    with click.Context(found, info_name=verb, parent=root) as inner:
        click.echo(found.get_help(inner))
    return 0
