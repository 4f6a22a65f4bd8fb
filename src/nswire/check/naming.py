"""Where a finding is, by names, and by what it is known the next time."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.rule import Found, Subject
    from nswire.check.run import Report
    from nswire.model.topology import Topology


def place(topology: Topology, subject: Subject) -> tuple[str, str]:
    """The namespace by its label, and the name of the link (empty: it is the namespace). From outside: escape them."""
    if isinstance(subject, int):
        ns = topology.namespaces.get(subject)
        return (f"net:[{subject}]" if ns is None else ns.label), ""
    link = topology.get(subject)
    if link is None:
        return f"net:[{subject.ns}]", f"if{subject.ifindex}"
    return link.netns.label, link.ifname


def full(topology: Topology, subject: Subject) -> str:
    """`NETNS/IFNAME`, or the namespace."""
    ns, link = place(topology, subject)
    return f"{ns}/{link}" if link else ns


def fingerprint(topology: Topology, found: Found) -> str:
    """The same for the same trouble of the same things, by their names, on whatever day: 32 hexadecimal digits."""
    names = sorted(full(topology, subject) for subject in found.finding.subjects)
    text = "\0".join((found.finding.cause.code, *names, *found.words))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]


def all_of(report: Report) -> Iterator[Found]:
    """Every finding, each followed by what follows from it."""
    pending = list(reversed(report.found))
    while pending:
        one = pending.pop()
        yield one
        pending += reversed(one.consequences)
