"""The verbs, in the order of `nswire --help`. A new one is a file in this room (with `command`) and a row here."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """A verb and its line in `nswire --help`; its module is `nswire.cli.NAME`."""

    name: str
    help: str


TABLE = (
    Verb("peer", "The other end of a link, and the way up to the NIC; without HANDLE: every pair."),
    Verb("ls", "Links, across all namespaces."),
    Verb("netns", "Namespaces: what they are called, what holds them, how many links."),
    Verb("show", "Everything known about a link or a namespace."),
    Verb("record", "Write the raw answers of this machine into a file, for --from."),
    Verb("schema", "The JSON Schemas of what --json prints."),
    Verb("completion", "The script that makes a shell complete verbs, options and handles."),
    Verb("demo", "Build a small cloud network in a private namespace, and ask about it."),
)

NAMES = tuple(verb.name for verb in TABLE)
