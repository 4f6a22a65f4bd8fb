"""The OpenAPI 3.1 document, made of the rows of `answers.TABLE` and of the JSON Schemas of their documents."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec

from nswire.show.documents import DOCUMENTS
from nswire.show.documents_error import ErrorDocument
from nswire.version import __version__
from nswire.web.api import TABLE

if TYPE_CHECKING:
    from nswire.web.api import Row

PROBLEMS = {
    "400": "a parameter is missing, unknown or of another type",
    "401": "no session: open the URL that `nswire serve` printed",
    "404": "there is no such thing; `matches` are names that look like it",
    "409": "several things are called so; `matches` tell them apart",
    "414": "the address is too long",
    "429": "there were wrong tokens; wait",
    "503": "the machine cannot be read, or the reading part has ended",
}


def openapi() -> str:
    """The document, as JSON."""
    described = [*(DOCUMENTS[row.document] for row in TABLE), ErrorDocument]
    schemas, components = msgspec.json.schema_components(
        described, ref_template="#/components/schemas/{name}"
    )
    *bodies, error = schemas
    paths = {
        f"/api/v1/{row.name}": {"get": _operation(row, body, error)}
        for row, body in zip(TABLE, bodies, strict=True)
    }
    paths["/api/v1/events"] = {"get": _events()}
    paths["/api/v1/openapi.json"] = {
        "get": {"summary": "This document.", "responses": {"200": {"description": "OpenAPI 3.1"}}}
    }
    made = {
        "openapi": "3.1.0",
        "info": {"title": "nswire", "version": __version__, "description": "The network namespaces of a host; it only reads."},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "nswire_*", "description": "What the URL's token is exchanged for."},
                "token": {"type": "http", "scheme": "bearer", "description": "The token of --token-file."},
            },
        },
        "security": [{"session": []}, {"token": []}],
    }  # fmt: skip
    return json.dumps(made, indent=1)


def _operation(row: Row, body: dict[str, Any], error: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": row.about,
        "operationId": row.name,
        "parameters": list(_parameters(row)),
        "responses": {
            "200": {"description": f"nswire/{row.document}", "content": {"application/json": {"schema": body}}},
            **{
                status: {"description": why, "content": {"application/json": {"schema": error}}}
                for status, why in PROBLEMS.items()
            },
        },
    }  # fmt: skip


def _parameters(row: Row) -> list[dict[str, Any]]:
    (reference,), components = msgspec.json.schema_components([row.wants])
    described = components[reference["$ref"].rpartition("/")[2]]
    required = described["required"]
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in described["properties"].items()
    ]


def _events() -> dict[str, Any]:
    text = (
        "Server-sent events. `state` comes first: the picture as it is now, by a name that changes with it. `changed`: it is "
        "another one now, with its name. `ended`: there will be no more, and why."
    )
    return {
        "summary": "Tells when the picture has changed.",
        "description": text,
        "responses": {
            "200": {"description": "events", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
        },
    }
