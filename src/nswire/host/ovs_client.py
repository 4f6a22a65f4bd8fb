"""Daemons that answer over a unix socket: Open vSwitch's. The standard library alone."""

from __future__ import annotations

import errno
import json
from typing import TYPE_CHECKING

from nswire.host import jsonrpc

if TYPE_CHECKING:
    from collections.abc import Callable

# What is asked of Open vSwitch's database: table -> columns, all of which it has had for many years.
OVSDB = {
    "Bridge": ["_uuid", "name", "datapath_type", "ports"],
    "Port": ["_uuid", "name", "interfaces", "tag", "trunks", "vlan_mode", "other_config", "external_ids"],
    "Interface": ["_uuid", "name", "type", "options", "external_ids", "mac_in_use", "ofport", "error"],
}
SECRET_OPTIONS = ("psk", "private_key", "certificate")


def _without_secrets(row: dict[str, object]) -> dict[str, object]:
    """A row of the database without the options of a tunnel that are nobody's business."""
    match row.get("options"):
        case ["map", [*pairs]]:
            public = [
                pair
                for pair in pairs
                if isinstance(pair, list) and pair[:1] != [] and pair[0] not in SECRET_OPTIONS
            ]
            return row | {"options": ["map", public]}
    return row


class OpenVSwitch:
    """The daemons of Open vSwitch, by the folder where their sockets are."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self.questions: dict[str, Callable[[str], bytes]] = {
            "ovs": self._ovs,
            "ovsdb": self._ovsdb,
            "ovs-trace": self._trace,
        }

    def _ovs(self, _: str) -> bytes:
        """JSON: `pid` of ovs-vswitchd, as itself sees it, and `dpif`: its `dpif/show` (the numbers of its ports)."""
        pid, text = self._appctl("dpif/show")
        return json.dumps({"pid": pid, "dpif": text}).encode()

    def _trace(self, about: str) -> bytes:
        """`ofproto/trace BRIDGE FLOW`: what would become of such a packet. Nothing is sent and nothing is learned."""
        bridge, _, flow = about.partition(" ")
        return str(self._appctl("ofproto/trace", bridge, flow)[1]).encode()

    def _appctl(self, method: str, *arguments: str) -> tuple[int, object]:
        """The pid of ovs-vswitchd, as itself sees it, and what it answers on its control socket."""
        with open(f"{self._folder}/ovs-vswitchd.pid", "rb") as file:
            pid = int(file.read())
        return pid, jsonrpc.call(f"{self._folder}/ovs-vswitchd.{pid}.ctl", method, list(arguments))

    def _ovsdb(self, _: str) -> bytes:
        """JSON: the rows of the tables Bridge, Port and Interface of Open vSwitch's database, without keys and passwords."""
        selects = [
            {"op": "select", "table": table, "where": [], "columns": columns}
            for table, columns in OVSDB.items()
        ]
        result = jsonrpc.call(f"{self._folder}/db.sock", "transact", ["Open_vSwitch", *selects])
        tables: dict[str, list[dict[str, object]]] = {}
        for name, said in zip(OVSDB, result if isinstance(result, list) else (), strict=False):
            if not isinstance(said, dict) or not isinstance(said.get("rows"), list):
                raise OSError(errno.EPROTO, "the database refused")
            tables[name] = [_without_secrets(row) for row in said["rows"] if isinstance(row, dict)]
        return json.dumps(tables).encode()
