"""OpenStack Neutron: what its agents call namespaces and links, completed by what they left beside them.

A namespace's name has the whole UUID of its network or router. A link's name has a prefix and the first eleven characters
of the port's UUID; the whole one is in Open vSwitch's `iface-id`, or in the agents' folders.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import End, Owner
from nswire.owners.asked import files, process
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nswire.codec.process import Process
    from nswire.model.values import Gap, NsKey, Pairs, Value
    from nswire.owners.owner import Asking

UUID = r"([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
PORT = r"([0-9a-f]{8}-[0-9a-f]{2})"


class Form(NamedTuple):
    """A form of a name: what it is (`type` of owner), and what it belongs to in words."""

    pattern: re.Pattern[str]
    type: str
    what: str


NAMESPACES = tuple(
    Form(re.compile(f"^{prefix}{UUID}$"), kind, what)
    for prefix, kind, what in (
        ("qdhcp-", "dhcp", "network"),
        ("qrouter-", "router", "router"),
        ("snat-", "snat", "router"),
        ("fip-", "fip", "network"),
        ("ovnmeta-", "metadata", "network"),
        ("qlbaas-", "balancer", "balancer"),
    )
)
LINKS = tuple(
    Form(re.compile(f"^{prefix}{part}$"), kind, what)
    for prefix, part, kind, what in (
        ("tap", PORT, "port", "port"),
        ("ns-", PORT, "port", "port of a DHCP server"),
        ("qr-", PORT, "port", "port of a router"),
        ("qg-", PORT, "port", "gateway port of a router"),
        ("ha-", PORT, "port", "HA port of a router"),
        ("sg-", PORT, "port", "SNAT port of a router"),
        ("fg-", PORT, "port", "gateway port of floating IPs"),
        ("rfp-", PORT, "router", "floating IPs"),
        ("fpr-", PORT, "router", "floating IPs"),
        ("qvb", PORT, "port", "port"),
        ("qvo", PORT, "port", "port"),
        ("qbr", PORT, "port", "port"),
        ("brq", PORT, "network", "network"),
    )
)
# what runs in Neutron's namespaces, by its name
DAEMONS = ("dnsmasq", "haproxy", "keepalived", "radvd", "dhclient")
STATE = (
    ("var/lib/neutron/dhcp/*", 5),
    ("var/lib/neutron/ha_confs/*", 5),
    ("var/lib/neutron/external/pids/*", 6),
)
MARKS = {
    "attached-mac": "guest_macs",
    "vm-uuid": "vm",
}  # of those that the cloud makes, what is worth telling
PLAIN = "port"  # what other links of the same port may say more of
NOTHING: tuple[Form | None, str] = (None, "")
FOLDERS = "var/lib/neutron/*"  # what any agent of Neutron leaves
SHORT = 11  # characters of a UUID in a link's name


def find(asking: Asking, spaces: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """Namespaces by their names, links by theirs; only where a UUID or a folder shows that Neutron is here: others use such names, too.

    Links of home and of Neutron's own namespaces, and those that the cloud marked: elsewhere links are called as others like.
    """
    named = list(_namespaces(asking, spaces))
    own = {asking.facts.home, *(ns for _, ns in named)}
    marks = _marks(asking)
    ids = {end: str(said["iface-id"]) for end, said in marks.items() if isinstance(said.get("iface-id"), str)}
    uuids = {owner.id for owner, _ in named} | set(ids.values()) | _known(asking)
    for owner, ns in named:
        yield Claim(owner, ns)
    if not uuids and not any(files(asking, "list", FOLDERS)):
        return
    by_prefix: dict[str, list[str]] = {}
    for uuid in uuids:
        by_prefix.setdefault(uuid[:SHORT], []).append(uuid)
    found: dict[tuple[str, str], list[_Link]] = {}
    for ns, links in asking.facts.links.items():
        for link in links.values():
            end = End(ns, link.ifindex)
            form, uuid = (
                _meant(link.ifname, ids.get(end, ""), by_prefix) if ns in own or end in ids else NOTHING
            )
            if form is not None:
                found.setdefault((form.type, uuid), []).append(_Link(form, end, marks.get(end, {})))
    for (kind, uuid), ones in found.items():
        yield _of_links(kind, uuid, ones)


def _namespaces(asking: Asking, spaces: Collection[NsKey]) -> Iterator[tuple[Owner, NsKey]]:
    for ns in spaces:
        for holder in asking.facts.holders.get(ns, ()):
            name = holder.path.rpartition("/")[2] if holder.type in ("name", "mount") and holder.own else ""
            for form in NAMESPACES:
                match = form.pattern.match(name)
                if match:
                    pid, data = _daemon(asking, ns)
                    yield Owner(form.type, match[1], match[1], "neutron", pid, (("of", form.what), *data)), ns
                    break
            else:
                continue
            break


def _daemon(asking: Asking, ns: NsKey) -> tuple[int | None, Pairs]:
    """The agent's daemon in a namespace."""
    for holder in asking.facts.holders.get(ns, ()):
        one: Process | None = process(asking, holder.pid) if holder.type == "process" else None
        if one is not None and one.comm in DAEMONS:
            return one.pid, (("daemon", one.comm),)
    return None, ()


def _marks(asking: Asking) -> dict[End, Mapping[str, Value]]:
    """What the cloud wrote beside Open vSwitch's interfaces: the port's UUID, the guest's MAC, the VM's UUID."""
    found: dict[End, Mapping[str, Value]] = {}
    for ns, links in asking.facts.links.items():
        for link in links.values():
            if any(form.pattern.match(link.ifname) for form in LINKS):
                said = asking.details(End(ns, link.ifindex), "ovs").get("ovs", {}).get("external_ids")
                if isinstance(said, dict):
                    found[End(ns, link.ifindex)] = said
    return found


def _known(asking: Asking) -> set[str]:
    """UUIDs that the agents' folders are called after."""
    found = set()
    for pattern, at in STATE:
        for path, _ in files(asking, "list", pattern):
            parts = path.split("/")
            match = re.match(UUID, parts[at]) if len(parts) > at else None
            if match:
                found.add(match[1])
    return found


def _meant(name: str, marked: str, by_prefix: Mapping[str, list[str]]) -> tuple[Form | None, str]:
    """What a link's name says, and the UUID in it, as far as that is known."""
    for form in LINKS:
        match = form.pattern.match(name)
        if match:
            whole = by_prefix.get(match[1], [])
            return form, marked or (whole[0] if len(whole) == 1 else match[1])
    return NOTHING


class _Link(NamedTuple):
    """A link of a port, and what the cloud wrote beside it."""

    form: Form
    end: End
    marks: Mapping[str, Value]


def _of_links(kind: str, uuid: str, ones: Collection[_Link]) -> Claim:
    """One port, whose links are several nearly always: `tap` at home with `ns-` in its namespace, `qvo` with `qvb` and `qbr`."""
    words = [one.form.what for one in ones]
    what = next((word for word in words if word != PLAIN), PLAIN)
    marks = {key: str(one.marks[key]) for one in ones for key in MARKS if key in one.marks}
    more = tuple((word, marks[key]) for key, word in MARKS.items() if key in marks)
    return Claim(
        Owner(kind, uuid, uuid, "neutron", data=(("of", what), *more)), None, tuple(one.end for one in ones)
    )


SOURCE = Source("neutron", find)
