"""The verbs, in the order of `nswire --help`. A new one is a file in this room (with `command`) and a row here."""

from __future__ import annotations

from typing import NamedTuple


class Verb(NamedTuple):
    """A verb and its line in `nswire --help`; its module is `nswire.cli.NAME`."""

    name: str
    help: str


TABLE = (
    Verb("peer", "What is at the other end of a link, and its way up to the NIC."),
    Verb("ls", "Links, across all namespaces."),
    Verb("netns", "Namespaces: names, links in them, what holds them."),
    Verb("show", "Everything known about a link or a namespace."),
    Verb("map", "The picture: who is wired to whom, in the terminal, as a page, as an image."),
    Verb("path", "How a packet gets from here to there, step by step, with a verdict."),
    Verb("check", "What is wrong here, unasked: with evidence, whom it hits, and what would mend it."),
    Verb("assert", "Whether what a file expects is true: peers, paths, findings; for CI and change windows."),
    Verb("metrics", "Gauges of links, bonds and namespaces, and what is wrong, for Prometheus."),
    Verb("serve", "Serve a live network map and a JSON API over HTTP."),
    Verb("record", "Write the raw answers of this machine into a file."),
    Verb("schema", "The JSON Schemas of what --json prints."),
    Verb("completion", "The script for a shell's completion."),
    Verb("help", "The help of a verb."),
    Verb("demo", "Build and query a small demo network."),
)

NAMES = tuple(verb.name for verb in TABLE)
