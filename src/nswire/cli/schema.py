"""`nswire schema`."""

from __future__ import annotations

import json

import click

NAMES = ("peer", "ls", "netns", "show", "map", "path", "check", "assert", "find")


@click.command(
    epilog="\b\nExamples:\n  nswire schema             all of them, in one object\n  nswire schema peer        that of `nswire peer --json`\n"
)
@click.argument("name", required=False, type=click.Choice(NAMES))
def command(name: str | None) -> int:
    """Print the JSON Schema (2020-12) of what a verb prints with --json, and of what `nswire serve` answers besides."""
    from nswire.show.documents import schema

    made = {known: schema(known) for known in NAMES} if name is None else schema(name)
    click.echo(json.dumps(made, indent=2))
    return 0
