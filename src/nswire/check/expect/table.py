"""The kinds of expectations, one file each. A new one is a file in this folder and a row here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.expect import no_finding, path, peer
from nswire.check.expect.values import Kind, Look, Outcome, Unjudged

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nswire.check.expect.values import Again, Compared, Expectation, Status
    from nswire.model.topology import Topology

TABLE: Mapping[str, Kind] = {kind.name: kind for kind in (path.KIND, peer.KIND, no_finding.KIND)}


def judge(
    topology: Topology, expectations: Sequence[Expectation], again: Again | None = None
) -> Iterator[Outcome]:
    """What comes of each, in their order. `again` waits so many seconds and looks once more, at what may be half-built."""
    look = Look(topology, expectations, again)
    for one in expectations:
        kind = TABLE[one.kind]
        text = kind.text(one.given)
        try:
            compared = tuple(kind.compare(look, one.given))
        except Unjudged as error:
            yield Outcome(kind=one.kind, number=one.number, text=text, status="error", problems=(str(error),))
            continue
        wrong = tuple(_told(row) for row in compared if not row.holds)
        state: Status = "fails" if wrong else "holds"
        yield Outcome(
            kind=one.kind, number=one.number, text=text, status=state, problems=wrong, values=compared
        )


def _told(row: Compared) -> str:
    found = "not known" if row.found is None else row.found
    reason = f": {row.reason}" if row.reason else ""
    return f"{CALLED.get(row.key, row.key)}: expected {row.expected}, found {found}{reason}"


CALLED = {
    "expect": "verdict", "reply": "answer", "mtu_min": "path MTU", "via": "links on the way", "is": "peer",
    "snat": "source at the end", "dnat": "destination at the end", "code": "reason", "rule": "findings",
}  # fmt: skip
"""What is compared, in words."""
