"""NICs: links with a device behind them, of which a guest of tests/vm has some, and in no network that anybody needs.

Where they are and what they are is read from /sys before anything is done with them; what their drivers say, by ethtool.
At the laboratory's end they go home again: from a namespace that ends they would fall back to where no test gets at them.

pod      a container that was given a NIC and a virtual function, both moved and renamed, the NIC with another MAC
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from kinds_truth import AT_HOME, HOME, MOVED, Tie, Way

if TYPE_CHECKING:
    from kinds_site import Site

CARD, FUNCTION = "NIC", "virtual function"
PHYSICAL = "its physical function"
NO_CARD = "there is none here: tests/vm/run --nics has some"
NO_FUNCTION = "there is no NIC here that has some: qemu 8 has one"
PORTS, UPLINK, MOVING, LEFT = "virtio_net", "e1000e", "e1000", "virtio_net"
"""Drivers: of the two ports of a bond, of one that the mixed host has as an uplink, of one that is moved, of one that stays."""
OTHER_MAC = "02:cc:00:00:00:02"


class Nic(NamedTuple):
    """A NIC as /sys has it: name, driver, address on its bus, and that of its physical function (empty: it is none's)."""

    ifname: str
    driver: str
    device: str
    physical: str
    mac: str


def present(classes: Path = Path("/sys/class/net")) -> list[Nic]:
    """Those of this network namespace, by name."""
    found = []
    for folder in sorted(classes.iterdir()):
        device = folder / "device"
        if device.exists():
            physical = device / "physfn"
            found.append(
                Nic(
                    folder.name,
                    (device / "driver").resolve().name,
                    device.resolve().name,
                    physical.resolve().name if physical.exists() else "",
                    (folder / "address").read_text().strip(),
                )
            )
    return found


def find(site: Site) -> None:
    """Note the NICs of home in the site."""
    site.nics = present()
    if not site.nics:
        site.truth.refused[CARD] = NO_CARD
    if not any(nic.physical for nic in site.nics):
        site.truth.refused[FUNCTION] = NO_FUNCTION


def build(site: Site) -> None:
    """Place those that nobody took yet."""
    if not site.can(CARD):
        return
    site.space("pod")
    moving = take(site, MOVING)
    site.run(HOME, [f"link set dev {moving.ifname} address {OTHER_MAC}"])
    place(site, moving, "pod", "eth0", CARD, MOVED)
    site.truth.ways.append(Way(CARD, "pod/eth0", (), ((-1, "nic"),)))
    left = take(site, LEFT)
    place(site, left, HOME, left.ifname, CARD, AT_HOME)
    site.truth.ways.append(Way(CARD, f"{HOME}/{left.ifname}", (), ((-1, "nic"),)))
    if site.can(FUNCTION):
        _functions(site)


def _functions(site: Site) -> None:
    """A physical function at home with two virtual ones, one of which a container has."""
    first, second = [nic for nic in site.nics if nic.physical]
    (physical,) = [nic for nic in site.nics if nic.device == first.physical]
    site.nics = [nic for nic in site.nics if nic not in (first, second, physical)]
    names = {first: "vf0", second: second.ifname}
    told = {"virtual": " ".join(f"{nic.device} ({name})" for nic, name in names.items())}
    index = place(site, physical, HOME, physical.ifname, FUNCTION, PHYSICAL, told={"functions": told})
    tie = Tie("lower", HOME, index, facet="functions")
    told = {"physical": f"{physical.device} ({physical.ifname})"}
    for nic, ns, variant in ((first, "pod", MOVED), (second, HOME, AT_HOME)):
        place(site, nic, ns, names[nic], FUNCTION, variant, tie, told={"functions": told})
        steps = ((-1, "lower", f"{HOME}/{physical.ifname}"),)
        site.truth.ways.append(Way(FUNCTION, f"{ns}/{names[nic]}", steps, ((0, "nic"),)))


def take(site: Site, driver: str) -> Nic:
    """One of that driver that nobody took yet."""
    found = next(nic for nic in site.nics if nic.driver == driver)
    site.nics.remove(found)
    return found


def place(
    site: Site,
    nic: Nic,
    ns: str,
    ifname: str,
    case: str,
    variant: str,
    *ties: Tie,
    told: dict[str, Any] | None = None,
) -> int:
    """Bring a NIC of home to a namespace, by another name; note it as true, and see to it that it comes back. Its ifindex."""
    site.lab.undo(lambda: _fetch(nic, ns, ifname))
    away = f" netns {ns}" if ns != HOME else ""
    if away or ifname != nic.ifname:
        site.run(HOME, [f"link set dev {nic.ifname} down name {ifname}{away}"])
    site.run(ns, [f"link set dev {ifname} up"])
    with site.spaces[ns].rtnl() as rtnl:
        index = rtnl.index(ifname)
    if not nic.physical and nic.driver != LEFT:  # those know a speed once they have a carrier
        site.waits.append((ns, index, lambda _: "speed" in _driver(site, ns, ifname)))
    site.made(case, variant, "", ns, index, ifname, ties, told=told or {})
    site.placed.append(site.truth.links[-1])
    return index


def settle(site: Site) -> None:
    """Note what their drivers say, now that they have a carrier."""
    for made in site.placed:
        told = made.told | {"device": _driver(site, made.ns, made.ifname)}
        at = site.truth.links.index(made)
        site.truth.links[at] = msgspec.structs.replace(made, told=told)


def _fetch(nic: Nic, ns: str, ifname: str) -> None:
    """Back to where it was found. The process 1 of a private host is at home."""
    where = [] if ns == HOME else ["-n", ns]
    for words in (
        f"link set dev {ifname} down",
        f"link set dev {ifname} nomaster",
        f"link set dev {ifname} address {nic.mac}",
        f"link set dev {ifname} name {nic.ifname} netns 1",
    ):
        subprocess.run(["ip", *where, *words.split()], capture_output=True, check=False)


# -- the oracle -----------------------------------------------------------------------------------------------------

INFO = ("driver", "version", "firmware-version", "bus-info")


def _driver(site: Site, ns: str, ifname: str) -> dict[str, Any]:
    """What ethtool says of the driver, and of the speed."""
    with site.spaces[ns].entered():
        info, settings = (
            subprocess.run(["ethtool", *words], capture_output=True, text=True, check=True).stdout
            for words in (["-i", ifname], [ifname])
        )
    lines = dict(line.split(": ", 1) for line in info.splitlines() if ": " in line)
    said: dict[str, Any] = {
        name: lines[name].strip() for name in INFO if lines.get(name, "").strip() not in ("", "N/A")
    }
    speed = re.search(r"Speed: (\d+)Mb/s", settings)
    duplex = re.search(r"Duplex: (Full|Half)", settings)
    return (
        said | ({"speed": int(speed[1])} if speed else {}) | ({"duplex": duplex[1].lower()} if duplex else {})
    )
