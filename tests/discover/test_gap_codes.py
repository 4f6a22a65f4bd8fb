"""Every code of a gap, and of why something was not seen, is brought about here: by a recording in which something was refused.

A machine is asked for all that there is, again and again, each time with other answers taken away. What no recording can show (a
process that hangs, a daemon's file) is asked of the code that tells it, with answers made by hand.
"""

from __future__ import annotations

import json
import runpy
import sys
from collections import Counter
from contextlib import suppress
from errno import (
    EAGAIN,
    EFBIG,
    EIO,
    EMFILE,
    ENODATA,
    ENOENT,
    ENOPKG,
    EPERM,
    ESTALE,
    ETIME,
    ETIMEDOUT,
    EXDEV,
)
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZipFile

import pytest

import nswire
from nswire import owners, sources
from nswire.codec.netlink.ovs import Vport
from nswire.codec.ovsdb import Bridge, Interface, Port
from nswire.codec.xtables.joined import joined
from nswire.codec.xtables.rows import Where
from nswire.discover import conclude, firewalls, hidden, queries, scan_state
from nswire.discover.inspector import ScanInspector
from nswire.discover.scan_state import Scan
from nswire.facets import ovs, query
from nswire.facets import ovs_vports as vports
from nswire.facets import team as team_facet
from nswire.facets import tunnel_sockets as socket_facet
from nswire.host.replay import Recorded
from nswire.host.system import Refusal
from nswire.model.firewall import Chain, Unread
from nswire.model.gaps import Gap, Unseen
from nswire.model.reasons import Cause, Reason
from nswire.model.tables import NotKnown
from nswire.model.unresolved import TABLE as STATES
from nswire.model.values import Holder, Loose
from nswire.resolve import resolve
from nswire.sources.source import Unanswered

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.host.system import Answer, Question

RECORDING = Path(__file__).parent.parent / "recordings" / "7.3.nsw"
AREAS = ("scan", "firewall")
"""Of the reasons that gaps have, see tools/reasons."""
ELSEWHERE = {
    "firewall.changing": "tests/path/test_nft_answers.py: rules are exchanged while they are read",
}
"""What rules of `nswire.check` cannot see is told, and tested, there."""
REFUSED = (
    ("netns/*/links", EPERM),
    ("netns/*/links", EMFILE),
    ("netns/*/links", ETIMEDOUT),
    ("netns/*/links@*", EPERM),
    ("netns/*/addresses", EFBIG),
    ("netns/*/addresses", EAGAIN),
    ("netns/*/routes", ESTALE),
    ("netns/*/routes", ENOENT),
    ("netns/*/nsids", ETIME),
    ("netns/*/filters*", EPERM),
    ("host/socket-inodes", EPERM),
    ("host/taps", EXDEV),
)
NONSENSE = {
    "netns/*/links@*": b"x",
    "netns/*/addresses": b"x",
    "netns/*/generic/ovs_datapath": b"x",
    "netns/*/generic/wireguard*": b"x",
}
HOST = {
    "host/names": b"!13 /run/netns/shut\n- /run/netns/dead",
    "host/threads": b"",
    "host/fds": b"5 - !7\n6 - !13",
    "host/sockets": b"5 - !13",
    "host/taps": b"31 - !13 - -",
    "host/processes": b"5 !13 mnt:[9]\n31 net:[4026532292] mnt:[4026532289]",
}


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    with ZipFile(RECORDING) as packed:
        return {name: packed.read(name) for name in packed.namelist()}


def machine(
    members: Mapping[str, bytes], refuse: str = "", errno: int = 0, changed: Mapping[str, bytes] | None = None
) -> Recorded:
    """The recorded machine, without what fits `refuse`, with what is `changed`."""
    answers = {name: answer for name, answer in members.items() if not refuse or not fnmatch(name, refuse)}
    gone = {name: (errno, "ask") for name in members if refuse and fnmatch(name, refuse)}
    known = json.loads(members["manifest.json"])["refused"]
    return Recorded.fake(
        answers | dict(changed or {}), {**{name: tuple(one) for name, one in known.items()}, **gone}
    )


def everything(system: Recorded) -> tuple[Gap, ...]:
    """The gaps of a machine that is asked for all that there is."""
    found = nswire.scan(system, sources.ALL, addresses=False)
    for ns in found.namespaces:
        found.gateways(ns)
        found.owners(ns)
        for table in ("routes", "neighbours", "vlans"):
            with suppress(NotKnown):  # which is a gap, too
                getattr(found.lookups(), table)(ns)
        found.lookups().firewall(ns)
    for link in found:
        assert link.addresses is not None
    found.ask_everything()
    return found.gaps


def flagged(answer: bytes) -> bytes:
    """A dump that the kernel says is inconsistent (NLM_F_DUMP_INTR, in the flags of its first message)."""
    return answer[:6] + (int.from_bytes(answer[6:8], "little") | 0x10).to_bytes(2, "little") + answer[8:]


def by_recordings(members: Mapping[str, bytes]) -> Iterator[Gap]:
    """The machine as it is, and with other answers."""
    yield from everything(machine(members))
    for pattern, errno in REFUSED:
        yield from everything(machine(members, pattern, errno))
    for pattern, answer in NONSENSE.items():
        yield from everything(
            machine(members, changed={name: answer for name in members if fnmatch(name, pattern)})
        )
    dumps = [name for name in members if fnmatch(name, "netns/*/links") or fnmatch(name, "netns/*/addresses")]
    yield from everything(machine(members, changed={name: flagged(members[name]) for name in dumps}))
    yield from everything(machine(members, changed=HOST))
    home = json.loads(members["host/about"])["home"]
    for name in members:
        if fnmatch(name, "netns/*/links") and name != f"netns/{home}/links":
            yield from everything(machine(members, name, EPERM))
    about = json.loads(members["host/about"]) | {"hidepid": "invisible"}
    nobody = {"host/about": json.dumps(about).encode(), "host/processes": b""}
    yield from everything(machine(members, changed=nobody))
    yield from everything(Recorded.fake({"host/about": members["host/about"]}))


def by_sources() -> Iterator[Gap]:
    """What a source says that cannot even begin."""
    for source in sources.TABLE:
        try:
            list(source.find(Recorded.fake({})))
        except Unanswered as unanswered:
            yield unanswered.gap
    about = json.dumps({"home": 1, "pid": 2, "mnt": "mnt:[1]"}).encode()
    rows = b"\n".join((b"5 net:[7] mnt:[9]", b"2 net:[1] mnt:[1]"))
    answers = {"host/about": about, "host/processes": rows, "host/threads": b"5 6 !110"}
    refused = {"host/mountinfo/5": (EPERM, "read")}
    found = nswire.scan(Recorded.fake(answers, refused), sources.ALL)
    yield from found.gaps


def by_owners() -> Iterator[Gap]:
    """Files of daemons that may not be read, or make no sense, and a process that does not answer."""
    for errno in (EPERM, 0):
        files = json.dumps({"run/a/b/c/d": {"!": errno}}).encode()
        client = Files(files)
        for source in owners.TABLE:
            yield from (said for said in source.find(client, [1, 7]) if isinstance(said, Gap))
        yield from client.facts.gaps


class Files(ScanInspector):
    """A machine on which each file says the same, and no process answers."""

    def __init__(self, files: bytes) -> None:
        about = json.dumps({"home": 1, "pid": 2}).encode()
        super().__init__(Scan(Recorded.fake({"host/about": about}), addresses=True))
        self.facts.links = {1: {}, 7: {}}
        self.facts.holders = {7: [Holder("process", 100)]}
        self._files = files

    def host(self, name: str) -> Answer:
        if name.startswith("process/"):
            return Refusal(ETIMEDOUT, "read")
        if name.startswith("cgroups"):
            return b"100 1 /x"
        return self._files if "/" in name and not name.startswith("user") else Refusal(ENOENT, "read")


def by_facets(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gap]:
    """Open vSwitch with ports that are nowhere; answers that were refused, about whatever link."""
    client = Files(b"")
    for row in (team_facet.UNREAD, socket_facet.PORTS_UNREAD, vports.PORTS):
        yield from query.refused(client, [(1, EPERM)], row)
    lost = Interface("lost", "patch", {"peer": "none"}, {}, "", 1, "")
    away, faulty = (
        Interface("away", "", {}, {}, "", 2, ""),
        Interface("bad", "", {}, {}, "", 3, "no such device"),
    )
    ports = tuple(Port(one.name, (one,), 0, (), {}) for one in (lost, away, faulty))
    nowhere = vports.Place(1, Vport(1, 2, "internal", "hid", 5, 3), None)
    monkeypatch.setattr(ovs, "_bridges", lambda _: ((Bridge("br0", "system", ports),), None))
    monkeypatch.setattr(vports, "in_kernel", lambda _: iter((nowhere,)))
    yield from (said for said in ovs.ask(client, []) if isinstance(said, Gap))


def by_bounds(monkeypatch: pytest.MonkeyPatch, members: Mapping[str, bytes]) -> Iterator[Gap]:
    """Where a scan gives up: with so little to spend that the recorded machine is too much."""
    with monkeypatch.context() as little:
        little.setattr(hidden, "MOST", 0)
        little.setattr(hidden, "FEWEST", 1)
        yield from everything(machine(members))
    with monkeypatch.context() as little:
        little.setattr(scan_state, "LONG", -1)
        yield from everything(machine(members))


def by_hand(members: Mapping[str, bytes]) -> Iterator[Gap]:
    """A link that is not there when it is read again; every state of an end whose other end is not known."""
    scan = Scan(machine(members), addresses=True)
    queries.read(scan, [scan.facts.home])
    end = next(nswire.scan(machine(members)).links(scan.facts.home)).end
    queries.reread(scan, [end], 77)
    scan.outcome = resolve(scan.facts)
    for row in STATES:
        before = scan.facts.links[end.ns].setdefault(
            end.ifindex, next(iter(scan.facts.links[end.ns].values()))
        )
        assert before is not None
        scan.outcome.loose = {end: Loose(end, "peer", row.name, 5, 1)}  # type: ignore[arg-type]
        yield from conclude.conclude(scan, 0.0, ScanInspector(scan)).gaps
    client = ScanInspector(scan)
    client.query({12345: ()})
    yield from scan.facts.gaps


def by_firewalls() -> Iterator[Cause]:
    """What programs of a firewall may say, or not."""
    saved = b"*filter\n:FORWARD ACCEPT [0:0]\n-A FORWARD -m set --match-set x src -m recent --name y -j DROP\nCOMMIT\n"
    answers: list[dict[str, Answer]] = [
        {},
        {"nftables": Refusal(ENOPKG, "run")},
        {"nftables": Refusal(EIO, "run")},
        {"nftables": b"x", "nft-list": Refusal(EIO, "run")},
        {
            "iptables-legacy": saved,
            "ipset": b"x",
            "recent": b"*y\nsrc=1.2.3 ttl: 0 last_seen: 1 oldest_pkt: 1 1",
        },
    ]
    for said in answers:

        def ask(question: Question, said: dict[str, Answer] = said) -> Answer:
            for name, answer in said.items():
                if question.name.startswith(name):
                    return answer
            return Refusal(ENODATA, "find") if not said else b""

        yield from (one.what for one in firewalls.read(ask, switches=True).unread)
    unread: list[Unread] = []
    chain = Chain("nft", "ip", "filter", "FORWARD", foreign=True)
    list(joined((chain,), {"ip": b""}, Where("ip"), unread))
    yield from (one.what for one in unread)


def rows() -> list[Reason | Unseen]:
    """All rows that `tools/reasons` finds."""
    path = str(Path(__file__).parent.parent.parent / "tools" / "reasons")
    return list(runpy.run_path(path)["found"]())


def of_checks() -> set[str]:
    """The codes of the rows that the modules of `nswire.check` have."""
    loaded = [vars(module) for name, module in list(sys.modules.items()) if name.startswith("nswire.check")]
    return {row.code for names in loaded for row in names.values() if isinstance(row, Reason | Unseen)}


def test_every_code_is_brought_about(members: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that nothing makes is a row too many; one that is made elsewhere says where."""
    gaps: list[Gap] = [*by_recordings(members), *by_sources(), *by_owners(), *by_bounds(monkeypatch, members)]
    gaps += [*by_hand(members), *by_facets(monkeypatch)]
    made = Counter(gap.code for gap in gaps) + Counter(gap.cause.code for gap in gaps)
    made += Counter(cause.code for cause in by_firewalls())
    of_gaps = (row for row in rows() if isinstance(row, Unseen) or row.code.partition(".")[0] in AREAS)
    wanted = {row.code for row in of_gaps}
    assert wanted - made.keys() - of_checks() == ELSEWHERE.keys()
    for gap in gaps:
        assert all((gap.where, gap.what, gap.why)), gap
        assert "{" not in f"{gap.where}{gap.what}{gap.why}{gap.hint}", gap
        assert not gap.requires or gap.hint, gap
