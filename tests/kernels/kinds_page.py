"""docs/kernels.md: what each kernel makes and how its wires come out, from what lies beside the recordings. Nothing is typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

import kinds_bad
import kinds_mixed
from kinds_cases import CASES, NAMES
from kinds_golden import golden_of, series

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kinds_cases import Case
    from kinds_truth import Golden, Made, Tie

HEAD = """\
# Kernels

Every kind of virtual link, on every kernel that is tested: made for real in a VM with Debian's kernel, recorded, and compared with what is true by construction and with `ip -j -d link`.
This page is made of the recordings in `tests/recordings/` (`make recordings`); nothing in it is typed by hand.

"""
WORDS = {
    "proved": "the kernel names both ends, and the namespace of each.",
    "inferred": "the kernel does not, and a fact that fits nothing else says so.",
    "nothing": "such a link is tied to no other one.",
    "not asked": "what it is tied to is in no answer to RTM_GETLINK, and nswire does not ask further yet.",
    "no": "this kernel does not make such a link, for the reason that it gives.",
    "deleted": "it goes down with what it stands on.",
    "gone": "it names a link that is not there any more, and that is what is told.",
    "ambiguous": "several fit, and all of them are told.",
}
"""What the cells say; those that no cell says are left out."""
KINDS = """
## Kinds

Each is there at home beside what it stands on, moved to another namespace where another link has that one's ifindex, and moved so that it has that ifindex itself, unless it cannot be moved.

"""
CASES_OF_NOTE = """
## Where it gets difficult

"""


def page() -> str:
    """The page as it has to be."""
    known = [golden for name in series() if (golden := golden_of(name)) is not None]
    tables = "".join([KINDS, *_kinds(known), CASES_OF_NOTE, *_difficult(known)])
    told = [
        f"* **{word}**: {what}\n" for word, what in WORDS.items() if re.search(rf"\| {word}[ :,]", tables)
    ]
    return "".join([HEAD, *_kernels(known), "\nThe words in the tables:\n\n", *told, tables])


def _kernels(known: list[Golden]) -> Iterator[str]:
    yield "\n"
    yield _row("kernel", "recorded", "links", "namespaces", "kinds made", "refused")
    yield _row(*["---"] * 6)
    for golden in known:
        truth = golden.truth
        refused = [case.name for case in CASES if case.name in truth.refused]
        counts = len(truth.links), len(truth.spaces), len(CASES) - len(refused), len(refused)
        yield _row(golden.kernel, golden.made, *map(str, counts))


def _kinds(known: list[Golden]) -> Iterator[str]:
    yield _row("link", "kind", "moved", "wire", *(_series(golden) for golden in known))
    yield _row(*["---"] * (4 + len(known)))
    for case in CASES:
        cells = [_refused(golden, case.name) or _outcome(golden, _usual(golden, case)) for golden in known]
        wire = f"{case.relation} (its ports)" if case.relation == "port" else case.relation
        yield _row(
            case.name, f"`{case.kind}`" if case.kind else "", "no" if case.fixed else "yes", wire, *cells
        )


def _usual(golden: Golden, case: Case) -> list[Made]:
    """The links of a kind where nothing is difficult; of a master, its ports."""
    made = [one for one in golden.truth.of(case.name) if one.variant not in kinds_bad.VARIANTS]
    if case.relation != "port":
        return [one for one in made if one.kind == case.kind]
    ports = [tuple(tie for tie in one.ties if tie.relation == "port") for one in made]
    return [msgspec.structs.replace(one, ties=ties) for one, ties in zip(made, ports, strict=True) if ties]


def _difficult(known: list[Golden]) -> Iterator[str]:
    """The cases that are there for the kinds' sake in ways that are not the usual three."""
    yield _row("what", "which", *(_series(golden) for golden in known))
    yield _row(*["---"] * (2 + len(known)))
    places = [
        (made.variant, made.case)
        for golden in known
        for made in golden.truth.links
        if made.variant in kinds_bad.VARIANTS
    ]
    places += [(variant, case) for golden in known for case, variant in golden.truth.deleted]
    for variant, case in sorted(
        set(places), key=lambda row: (kinds_bad.VARIANTS.index(row[0]), NAMES.index(row[1]))
    ):
        yield _row(variant, case, *(_cell(golden, variant, case) for golden in known))
    for case in (*kinds_bad.CASES_HERE, kinds_mixed.MIXED):
        cells = [_refused(golden, case) or _outcome(golden, golden.truth.of(case)) for golden in known]
        yield _row(case, "", *cells)


def _cell(golden: Golden, variant: str, case: str) -> str:
    if (case, variant) in golden.truth.deleted:
        return "deleted"
    made = [one for one in golden.truth.of(case) if one.variant == variant]
    return _outcome(golden, made) if made else _refused(golden, case)


def _series(golden: Golden) -> str:
    return ".".join(golden.kernel.split(".")[:2])


def _refused(golden: Golden, case: str) -> str:
    reason = golden.truth.refused.get(case)
    return "" if reason is None else f"no: {reason}"


def _outcome(golden: Golden, links: Iterable[Made]) -> str:
    """How the wires of these links come out, each way once."""
    found = dict.fromkeys(word for made in links for word in _words(golden, made)) or {"nothing": None}
    if len(found) > 1:
        found.pop("nothing", None)
    return ", ".join(found)


def _words(golden: Golden, made: Made) -> Iterator[str]:
    facet, late = made.late or ("", "")
    if made.state:
        yield made.state
    elif late:
        yield late if facet in golden.facets else "not asked"
    elif not made.ties:
        yield "nothing"
    for tie in made.ties:
        yield _word(golden, tie)


def _word(golden: Golden, tie: Tie) -> str:
    return tie.evidence if not tie.facet or tie.facet in golden.facets else "not asked"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cells) + " |\n"
