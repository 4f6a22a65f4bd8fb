"""The documents are what the schemas say, key by key, and the contract's keys come in the contract's order."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING

import msgspec
import pytest

from nswire.draw import Wishes
from nswire.draw.selection import choose
from nswire.model.reasons import Reason
from nswire.path.values import Flow, Hop, Mend, Step, Trace, Way, Ways
from nswire.show import jsonout, to_documents_reasons
from nswire.show.documents import (
    DOCUMENTS,
    MapDocument,
    NetnsDocument,
    PathDocument,
    PeerDocument,
    ShowDocument,
    head,
    schema,
)
from nswire.show.to_documents import Builder, loose_ends, pairs
from nswire.show.to_documents_map import parts
from nswire.show.to_documents_path import PathBuilder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.model.topology import Topology

LINK = "netns ifindex ifname kind address mtu operstate flags addresses master altnames owners".split()
NETNS = "inode cookie names label home hidden".split()


NO, YES = Reason("test.no", "no"), Reason("test.yes", "yes")
NOWHERE = Trace(Flow("192.0.2.1"), 4026531840, Ways((Way("unknown", ()),)))


def document(
    name: str,
    topology: Topology,
    parts: list[tuple[str, Iterable[object]]],
    facts: dict[str, object] | None = None,
) -> str:
    out = io.StringIO()
    jsonout.write(
        out,
        head(name, topology.taken) | (facts or {}),
        [*parts, ("gaps", to_documents_reasons.gaps(topology.gaps))],
    )
    return out.getvalue()


def strictly(name: str, text: str) -> object:
    """Decode what is printable with the schema's own types; keys that it does not know are an error."""
    assert text.replace("\n", "").isprintable()
    known = _known(json.loads(json.dumps(schema(name))))
    assert _keys(json.loads(text)) <= known
    # msgspec decodes no lone surrogate, which is how a byte that is no UTF-8 is written
    return msgspec.json.decode(text.replace("\\udcff", "?"), type=DOCUMENTS[name], strict=True)


def _keys(value: object) -> set[str]:
    if isinstance(value, dict):
        # what a reason, or a gap, is about has the names that its sentence gives it
        inside = (inner for key, inner in value.items() if key not in ("values", "subject"))
        return set(value) | {key for inner in inside for key in _keys(inner)}
    return {key for inner in value for key in _keys(inner)} if isinstance(value, list) else set()


def _known(value: object) -> set[str]:
    if isinstance(value, dict):
        return set(value.get("properties", ())) | {key for inner in value.values() for key in _known(inner)}
    return {key for inner in value for key in _known(inner)} if isinstance(value, list) else set()


def test_peer(topology: Topology) -> None:
    build = Builder(topology)
    results = [build.peer("x", link) for link in (*pairs(topology), *loose_ends(topology))]
    text = document("peer", topology, [("results", results)])
    decoded = strictly("peer", text)
    assert isinstance(decoded, PeerDocument)
    assert decoded.version == 1
    raw = json.loads(text)
    assert list(raw) == ["schema", "version", "taken", "results", "gaps"]
    first, hidden, locked, ambiguous = raw["results"]
    assert list(first) == ["query", "link", "relation", "peer", "evidence", "why", "up", "ends"]
    assert list(first["link"]) == LINK
    assert list(first["link"]["netns"]) == NETNS
    assert first["relation"] == "veth"
    assert first["peer"]["ifname"] == "ns-1"
    assert [(step["after"], step["relation"], step["link"]["ifname"]) for step in first["up"]] == [
        (-1, "port", "brq1"),
        (0, "uplink", "eth1"),
    ]
    assert hidden["link"]["ifname"] == "bytes\udcff"
    assert hidden["peer"]["netns"]["inode"] is None
    assert (locked["peer"], locked["state"]) == (None, "not permitted")
    assert (locked["far"]["ifindex"], locked["far"]["nsid"]) == (9, 3)
    assert locked["far"]["netns"]["inode"] == 4026532178
    assert [link["ifname"] for link in ambiguous["candidates"]] == ["ns-1", "eth0"]


def test_a_link_without_a_peer_has_no_relation(topology: Topology) -> None:
    bridge = next(link for link in topology.links() if link.kind == "bridge")
    result = json.loads(jsonout.dumps(Builder(topology).peer("brq1", bridge)))
    assert (result["relation"], result["peer"], result["evidence"]) == (None, None, None)
    assert "state" not in result


def test_ls(topology: Topology) -> None:
    build = Builder(topology)
    text = document("ls", topology, [("links", [build.link(link) for link in topology.links()])])
    strictly("ls", text)
    tap = json.loads(text)["links"][3]
    assert tap["flags"] == ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]
    assert tap["master"] == "brq1"
    assert tap["altnames"][0] == "ev\x1b[31m\u202eil"


def test_netns(topology: Topology) -> None:
    build = Builder(topology)
    text = document(
        "netns", topology, [("namespaces", [build.namespace(ns) for ns in topology.namespaces.values()])]
    )
    decoded = strictly("netns", text)
    assert isinstance(decoded, NetnsDocument)
    host, qdhcp, locked, hidden = decoded.namespaces
    assert host.links == 7
    assert [holder.comm for holder in qdhcp.holders] == [None, None, "dnsmasq", "dnsmasq"]
    assert locked.links is None
    assert hidden.seen_from is not None
    assert (hidden.seen_from.netns.label, hidden.seen_from.nsid) == ("host", 4)


def test_show(topology: Topology) -> None:
    build = Builder(topology)
    text = document(
        "show",
        topology,
        [
            ("owners", []),
            ("namespaces", []),
            ("links", [build.shown("x", link) for link in topology.links()]),
        ],
    )
    decoded = strictly("show", text)
    assert isinstance(decoded, ShowDocument)
    by_name = {link.link.ifname: link for link in decoded.links}
    assert by_name["brq1"].ports == ("eth1", "tap1")
    assert by_name["eth1"].parentdev == "0000:00:03.0"
    assert by_name["lo"].link_type == "loopback"


def test_map(topology: Topology) -> None:
    text = document("map", topology, list(parts(Builder(topology), topology, choose(topology, Wishes()))))
    decoded = strictly("map", text)
    assert isinstance(decoded, MapDocument)
    assert [ns.label for ns in decoded.namespaces][:2] == ["host", "qdhcp-1"]
    assert [link.ifname for link in decoded.links if link.netns.home] == [
        "eth1",
        "brq1",
        "tap1",
        "out0",
        "old0",
        "bytes?",
    ]
    raw = json.loads(text)
    assert raw["wires"][1] == {
        "relation": "peer",
        "a": [4026531840, 72],
        "b": ["nsid:4@host", 2],
        "evidence": "proved",
    }
    locked, ambiguous = raw["open"]
    assert (locked["state"], locked["a"], locked["far"]["ifindex"]) == ("not permitted", [4026531840, 70], 9)
    assert ambiguous["candidates"] == [[4026532177, 68], ["nsid:4@host", 2]]


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_every_document_is_one_even_if_empty(topology: Topology, name: str) -> None:
    lists = {
        "peer": ["results"],
        "ls": ["links"],
        "netns": ["namespaces"],
        "show": ["owners", "namespaces", "links"],
        "map": ["namespaces", "links", "wires", "open"],
        "path": ["hops", "choices", "others"],
        "check": ["rules", "findings", "suppressed", "skipped", "failed"],
        "assert": ["results"],
        "find": ["matches", "nearest"],
    }[name]
    facts: dict[str, dict[str, object]] = {
        "path": PathBuilder(topology, Builder(topology)).facts(NOWHERE),
        "check": {"looks": 1},
        "assert": {"holds": True},
    }
    strictly(name, document(name, topology, [(part, ()) for part in lists], facts.get(name)))


def test_path(topology: Topology) -> None:
    """Doubt, an answer, what would mend it: all keys of the contract."""
    end = next(iter(topology)).end
    ns = end.ns
    flow = Flow("192.0.2.1", "10.0.0.1", 6, 0, 80)
    step = Step("out", "out by it", ns, end, way="out", because=("it says so",))
    way = Way(
        "dropped", (Hop(ns, end, (step,), flow, flow),), NO(), Mend("would", ns, ("ip", "link")), ("if",)
    )
    other = Way("delivered", (), YES(), None, ("if not",))
    trace = Trace(flow, ns, Ways((way, other)), Ways((other,)), 1400, end)
    builder = PathBuilder(topology, Builder(topology))
    text = document("path", topology, builder.parts(trace), builder.facts(trace))
    decoded = strictly("path", text)
    raw = json.loads(text)
    assert isinstance(decoded, PathDocument)
    assert decoded.fate == "unknown"
    assert decoded.reason is not None
    assert (decoded.reason.code, decoded.reason.text) == (
        "path.depends",
        "it depends: dropped if if, delivered if if not",
    )
    assert decoded.reason.values == {
        "fate": "dropped",
        "choice": "if",
        "other_fate": "delivered",
        "other_choice": "if not",
    }
    assert raw["others"][0]["reason"] == {
        "code": "test.yes",
        "text": "yes",
        "values": {},
        "drop_reason": None,
    }
    assert (
        list(raw)
        == "schema version taken start flow fate reason mend mtu reply hops choices others gaps".split()
    )
    assert raw["mend"] == {"effect": "would", "command": "ip link"}
    assert raw["reply"]["fate"] == "delivered"
    (hop,) = raw["hops"]
    assert list(hop) == ["netns", "link", "enters", "leaves", "steps"]
    assert hop["steps"][0]["direction"] == "out"


@pytest.mark.parametrize("name", list(DOCUMENTS))
def test_schemas_are_json_schemas_of_2020_12(name: str) -> None:
    made = schema(name)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert f"nswire/{name}" in json.dumps(made)
