"""BPF programs on a link: XDP, tc filters, tcx and netkit. From here on a program decides what becomes of a packet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import bpf
from nswire.codec.netlink import link as link_codec
from nswire.facets import tc_filters
from nswire.facets.facet import LOOPBACK, Detail, Facet
from nswire.facets.query import decoded, of_each, refused
from nswire.host import requests
from nswire.model.gaps import ADMINISTER, Unseen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.host.client import Client
    from nswire.host.system import Question
    from nswire.model.gaps import Gap
    from nswire.model.values import End, LinkFact, Loose, Value, Wire

UNREAD = Unseen("bpf.programs", "BPF programs attached by tcx or netkit", ADMINISTER)


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """The programs by where they are: `xdp`, `tc ingress`, `tcx egress`, `netkit primary` ...; each as `NAME (id N)`."""
    failures = []
    for end, (described, attached, *answers) in of_each(client, ends, _questions):
        said: dict[str, list[str]] = {}
        xdp = decoded(described, link_codec.xdp)
        for number in () if isinstance(xdp, int) else xdp:
            said.setdefault("xdp", []).append(_named(client, number))
        for place, found in tc_filters.at(answers).items():
            for one in () if isinstance(found, int) else found:
                if one.kind == "bpf":
                    said.setdefault(f"tc {place}", []).append(_named(client, one.program_id, one.program))
        programs = decoded(attached, lambda answer: tuple(bpf.attached(answer)))
        if isinstance(programs, int):
            failures.append((end.ns, programs))
        else:
            for place, number in programs:
                said.setdefault(place, []).append(_named(client, number))
        if said:
            values: dict[str, Value] = {place: ", ".join(names) for place, names in said.items()}
            yield Detail(end, values)
    yield from refused(client, failures, UNREAD)


def _questions(link: LinkFact) -> tuple[Question, ...]:
    return (
        requests.one_link(link.ifindex, 0),
        requests.programs(link.ifindex),
        *tc_filters.ask(link),
    )


def _named(client: Client, number: int, name: str = "") -> str:
    """What a program is called, as far as this user may know."""
    if number:
        answer = client.host(f"program/{number}")
        told = bpf.program(answer) if isinstance(answer, bytes) else None
        name = name or (told.name if told is not None else "")
    return f"{name or '?'} (id {number})" if number else name or "?"


FACET = Facet("programs", lambda link: link.type != LOOPBACK, ask)
