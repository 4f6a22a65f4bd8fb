"""Open vSwitch's daemons at their default paths, for the engines that plug into it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .place import Place

NEEDS = ("ovs-vswitchd", "ovs-vsctl", "ovsdb-server", "ovsdb-tool", "/dev/net/tun")
DATABASE, SOCKET = "/etc/openvswitch/conf.db", "/run/openvswitch/db.sock"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


class Switch(NamedTuple):
    """Two daemons, and what `ovs-vsctl` says of them."""

    place: Place
    database: int
    vswitchd: int

    @property
    def daemons(self) -> list[int]:
        """Both."""
        return [self.database, self.vswitchd]

    def set(self, *words: str) -> str:
        """What `ovs-vsctl` says to an order."""
        return self.place.run("ovs-vsctl", "--timeout=20", *words)

    def marks(self, port: str) -> dict[str, str]:
        """The external_ids of an interface: JSON's form of OVSDB's maps is ["map", [[KEY, VALUE], ...]]."""
        said = json.loads(self.set("--format=json", "--columns=external_ids", "list", "interface", port))
        found: dict[str, str] = dict(said["data"][0][0][1])
        return found

    def bridge(self, port: str) -> str:
        """The bridge that a port is on."""
        return self.set("port-to-br", port).strip()

    @property
    def version(self) -> str:
        """Of ovs-vswitchd."""
        return self.place.run("ovs-vswitchd", "--version").split("\n")[0].split()[-1]


def serve(place: Place, datapath: str) -> Switch:
    """Both daemons, with the bridge br-int of that type of datapath."""
    for folder in (os.path.dirname(DATABASE), os.path.dirname(SOCKET), "/var/log/openvswitch"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path(DATABASE).unlink(missing_ok=True)
    place.run("ovsdb-tool", "create", DATABASE, SCHEMA)
    remotes = (f"--remote=punix:{SOCKET}", "--remote=db:Open_vSwitch,Open_vSwitch,manager_options")
    database = place.daemon(
        "ovsdb-server", "--pidfile", *remotes, until=place.answers("ovs-vsctl", "--no-wait", "init")
    )
    vswitchd = place.daemon(
        "ovs-vswitchd", "--pidfile", until=place.answers("ovs-appctl", "-t", "ovs-vswitchd", "version")
    )
    switch = Switch(place, database.pid, vswitchd.pid)
    switch.set("add-br", "br-int", "--", "set", "bridge", "br-int", f"datapath_type={datapath}")
    return switch


def no_kernel_datapath() -> str:
    """Why there is none here; empty: there is one."""
    loaded = subprocess.run(["modprobe", "openvswitch"], capture_output=True, check=False)
    return "this kernel has no datapath of Open vSwitch" if loaded.returncode else ""
