"""The JSON API: the same documents as the command line's, from the same question, and a description that fits them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import msgspec
import pytest

import nswire
from nswire.handles.lookup import Match
from nswire.model.values import Owner
from nswire.path import endpoints
from nswire.show.documents import DOCUMENTS, FindDocument, schema
from nswire.show.documents_error import ErrorDocument
from nswire.web import api, openapi
from nswire.web.api import TABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Served

BLOG = str(Path(__file__).parents[1] / "draw" / "golden" / "blog.nswire")
INNER = "ns-39d60faa-aa"


def told(*arguments: str) -> Any:
    """What the command line says."""
    done = subprocess.run(
        [sys.executable, "-m", "nswire", *arguments, "-j", "--from", BLOG],
        capture_output=True,
        text=True,
        check=False,
    )
    return without_time(json.loads(done.stdout))


def without_time(document: Any) -> Any:
    return {**document, "taken": {**document["taken"], "duration": 0}}


@pytest.mark.parametrize(
    ("path", "arguments"),
    [
        ("map", ["map"]),
        (f"map?handle={INNER}&hops=1", ["map", INNER, "--hops", "1"]),
        ("map?only=up", ["map", "--only", "up"]),
        (f"show?handle={INNER}", ["show", INNER]),
        ("show?handle=netns:router", ["show", "netns:router"]),
        ("peer", ["peer"]),
        (f"peer?handle={INNER}", ["peer", INNER]),
        ("peer?handle=10.10.100.2", ["peer", "10.10.100.2"]),
        ("netns", ["netns"]),
        (f"netns?handle={INNER}", ["netns", INNER]),
        (f"path?from={INNER}&to=10.10.100.1", ["path", INNER, "10.10.100.1"]),
        (
            f"path?from={INNER}&proto=udp&dport=53&reply=false",
            ["path", INNER, "--proto", "udp", "--dport", "53", "--no-reply"],
        ),
    ],
)
def test_it_is_the_document_of_the_command_line(
    serve: Callable[..., Served], path: str, arguments: list[str]
) -> None:
    got = serve("--from", BLOG).enter().get(f"/api/v1/{path}")
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    assert without_time(json.loads(got.text)) == told(*arguments)


def test_find_tells_all_that_a_word_means(serve: Callable[..., Served]) -> None:
    served = serve("--from", BLOG).enter()

    def found(word: str) -> FindDocument:
        return msgspec.json.decode(served.get(f"/api/v1/find?q={quote(word)}").text, type=FindDocument)

    (match,) = found(INNER).matches
    assert (match.kind, match.handle, [link.ifindex for link in match.links]) == ("ifname", INNER, [68])
    (match,) = found("netns:router").matches
    assert match.netns is not None
    assert match.netns.label == "router"
    assert len(match.links) == 3
    assert found("nowhere").matches == ()
    assert INNER in found(INNER[:-1]).nearest


@pytest.mark.parametrize(
    ("path", "status", "subject", "reason"),
    [
        ("peer?handle=nowhere", 404, "nowhere", "there is no such thing"),
        ("peer?handle=eth1", 409, "eth1", "2 things are called so"),
        ("show", 400, "", "Object missing required field `handle`"),
        ("show?handle=", 400, "", "Expected `str` of length >= 1 - at `$.handle`"),
        (f"show?handle={'x' * 513}", 400, "", "Expected `str` of length <= 512 - at `$.handle`"),
        ("show?handle=a&handle=b", 400, "handle", "it is given twice"),
        ("map?hops=many", 400, "", "Expected `int`, got `str` - at `$.hops`"),
        ("map?only=down", 400, "", "Invalid enum value 'down' - at `$.only`"),
        ("map?depth=1", 400, "", "Object contains unknown field `depth`"),
        ("nothing", 404, "nothing", "there is no such answer"),
    ],
)
def test_what_cannot_be_answered_is_said_in_one_form(
    serve: Callable[..., Served], path: str, status: int, subject: str, reason: str
) -> None:
    got = serve("--from", BLOG).enter().get(f"/api/v1/{path}")
    said = msgspec.json.decode(got.text, type=ErrorDocument)
    assert (got.status, said.subject, said.reason) == (status, subject, reason)


def test_several_things_are_told_apart(serve: Callable[..., Served]) -> None:
    served = serve("--from", BLOG).enter()
    said = msgspec.json.decode(served.get("/api/v1/peer?handle=eth1").text, type=ErrorDocument)
    assert len(said.matches) == 2
    for unique in said.matches:
        assert served.get(f"/api/v1/peer?handle={quote(unique)}").status == 200


def test_openapi_describes_what_there_is(serve: Callable[..., Served]) -> None:
    made = json.loads(serve("--from", BLOG).enter().get("/api/v1/openapi.json").text)
    assert made == json.loads(openapi.openapi())
    assert made["openapi"].startswith("3.1")
    names = [row.name for row in TABLE]
    assert list(made["paths"]) == [f"/api/v1/{name}" for name in (*names, "events", "openapi.json")]
    assert all(list(methods) == ["get"] for methods in made["paths"].values())
    (handle,) = made["paths"]["/api/v1/show"]["get"]["parameters"]
    assert (handle["name"], handle["in"], handle["required"]) == ("handle", "query", True)


def test_its_schemas_are_those_of_the_command_line() -> None:
    components = json.loads(openapi.openapi())["components"]["schemas"]

    def moved(value: Any) -> Any:
        """A schema of `nswire schema` with its references as OpenAPI has them."""
        return json.loads(json.dumps(value).replace("#/$defs/", "#/components/schemas/"))

    for row in TABLE:
        for name, one in schema(row.document)["$defs"].items():  # type: ignore[attr-defined]
            assert components[name] == moved(one)
        assert DOCUMENTS[row.document].__name__ in components


def test_every_reference_leads_somewhere() -> None:
    text = openapi.openapi()
    components = json.loads(text)["components"]["schemas"]
    for part in text.split('"$ref": "')[1:]:
        assert part.partition('"')[0].removeprefix("#/components/schemas/") in components


@pytest.mark.parametrize("at_home", [True, False], ids=["on the host's network", "not to be seen"])
def test_an_owner_without_a_namespace_of_its_own(monkeypatch: pytest.MonkeyPatch, at_home: bool) -> None:  # noqa: FBT001
    """As on the command line: whoever uses the host's network owns none of it, and who cannot be seen is nowhere."""
    topology = nswire.load(BLOG)
    home = topology.namespaces[topology.home] if at_home else None
    match = Match("container", (), home, "container:x", 0, Owner("container", "x", "0", "docker"))
    monkeypatch.setattr(api, "find", lambda _, __: [match])
    rows = {row.name: row for row in TABLE}

    def told(name: str) -> Any:
        wanted = api.parameters(rows[name].wants, [("handle", "container:x")])
        return json.loads(api.document(rows[name], topology, wanted))

    assert [one["label"] for one in told("netns")["namespaces"]] == (["self"] if at_home else [])
    shown = told("show")
    assert [one["owner"]["name"] for one in shown["owners"]] == ["x"]
    assert (shown["namespaces"], shown["links"]) == ([], [])


@pytest.mark.parametrize(
    ("word", "host", "port"),
    [
        ("203.0.113.9:25", "203.0.113.9", 25), ("web1:80", "web1", 80), ("[2001:db8::1]:443", "2001:db8::1", 443),
        ("container:web:80", "container:web", 80), ("2001:db8::1", "2001:db8::1", 0), ("2001:db8::1:80", "2001:db8::1:80", 0),
        ("web1", "web1", 0), (":80", ":80", 0), ("web1:", "web1:", 0), ("web1:0", "web1:0", 0), ("web1:65536", "web1:65536", 0),
        ("web1:²", "web1:²", 0), ("web1:-1", "web1:-1", 0), ("1:2:3:4:5:6:7:8:80", "1:2:3:4:5:6:7:8:80", 0),
    ],
)  # fmt: skip
def test_host_and_port(word: str, host: str, port: int) -> None:
    assert endpoints.host_and_port(word) == (host, port)
