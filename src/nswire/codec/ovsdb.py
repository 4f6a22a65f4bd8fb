"""Open vSwitch: rows of its database (RFC 7047), and ovs-vswitchd's `dpif/show`."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from nswire.codec.checked import document

LOCAL = 65534  # OFPP_LOCAL: the port of a bridge that is the bridge's own link
_BRIDGE = re.compile(r"  (\S.*):")
_PORT = re.compile(r"    (\S.*) (\d+)/(\d+|none): \(")


class Interface(NamedTuple):
    """An interface of the database. `number` is its OpenFlow port (0: it has none)."""

    name: str
    type: str
    options: dict[str, str]
    external_ids: dict[str, str]
    mac: str
    number: int
    error: str


class Port(NamedTuple):
    """A port: one interface, or several that act as one (a bond). `tag` 0: all VLANs, or `trunks`."""

    name: str
    interfaces: tuple[Interface, ...]
    tag: int
    trunks: tuple[int, ...]
    external_ids: dict[str, str]


class Bridge(NamedTuple):
    """A bridge; `datapath_type` is `system` (the kernel's) or `netdev` (ovs-vswitchd's own)."""

    name: str
    datapath_type: str
    ports: tuple[Port, ...]


class Shown(NamedTuple):
    """A line of `dpif/show`: the port that a bridge calls `name` has `number` in its datapath (None: none of its own)."""

    bridge: str
    name: str
    openflow: int
    number: int | None


def bridges(answer: bytes) -> tuple[Bridge, ...]:
    """The bridges in the rows of the tables. ValueError if they are none."""
    try:
        tables = document(answer, dict[str, list[dict[str, Any]]])
    except ValueError as error:
        raise ValueError(f"no rows of Open vSwitch's database: {error}") from None
    interfaces = {_text(row.get("_uuid")): _interface(row) for row in tables.get("Interface", ())}
    ports = {_text(row.get("_uuid")): _port(row, interfaces) for row in tables.get("Port", ())}
    return tuple(
        Bridge(
            _text(row.get("name")),
            _text(row.get("datapath_type")) or "system",
            tuple(ports[uuid] for uuid in _texts(row.get("ports")) if uuid in ports),
        )
        for row in tables.get("Bridge", ())
    )


def _interface(row: dict[str, Any]) -> Interface:
    return Interface(
        _text(row.get("name")),
        _text(row.get("type")) or "system",
        _map(row.get("options")),
        _map(row.get("external_ids")),
        _text(row.get("mac_in_use")).lower(),
        next(iter(_numbers(row.get("ofport"))), 0),
        _text(row.get("error")),
    )


def _port(row: dict[str, Any], interfaces: dict[str, Interface]) -> Port:
    tags = _numbers(row.get("tag"))
    return Port(
        _text(row.get("name")),
        tuple(interfaces[uuid] for uuid in _texts(row.get("interfaces")) if uuid in interfaces),
        tags[0] if tags else 0,
        tuple(_numbers(row.get("trunks"))),
        _map(row.get("external_ids")),
    )


def _atoms(value: object) -> list[object]:
    """A value of the database as a list: one that may be absent or repeated is written `["set", [...]]`."""
    match value:
        case ["set", [*values]]:
            return [atom for one in values for atom in _atoms(one)]
        case ["uuid", str(uuid)]:
            return [uuid]
        case str() | int() | float():
            return [value]
    return []


def _texts(value: object) -> list[str]:
    return [atom for atom in _atoms(value) if isinstance(atom, str)]


def _text(value: object) -> str:
    return next(iter(_texts(value)), "")


def _numbers(value: object) -> list[int]:
    return [atom for atom in _atoms(value) if isinstance(atom, int) and atom > 0]


def _map(value: object) -> dict[str, str]:
    match value:
        case ["map", [*pairs]]:
            return {
                pair[0]: pair[1]
                for pair in pairs
                if isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)
            }
    return {}


class Vswitchd(msgspec.Struct):
    """What the running ovs-vswitchd says of itself."""

    pid: int = 0
    dpif: str = ""


def vswitchd(answer: bytes) -> Vswitchd:
    """The answer to the question `ovs`. ValueError."""
    try:
        return document(answer, Vswitchd)
    except ValueError as error:
        raise ValueError(f"nothing that ovs-vswitchd would say: {error}") from None


def shown(text: str) -> list[Shown]:
    """The ports of `dpif/show`. A line that looks otherwise is left out."""
    found, bridge = [], ""
    for line in text.splitlines():
        if match := _PORT.match(line):
            number = None if match[3] == "none" else int(match[3])
            found.append(Shown(bridge, match[1], int(match[2]), number))
        elif match := _BRIDGE.fullmatch(line):
            bridge = match[1]
    return found
