"""OpenStack Neutron: what its agents call namespaces and links, completed by what they left beside them.

A namespace's name has the whole UUID of its network or router. A link's name has a prefix and the first eleven characters
of the port's UUID; the whole one is in Open vSwitch's `iface-id`, or in the agents' folders.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from nswire.model.values import End, Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.state_files import files, part, process

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from nswire.codec.process import Process
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey, Pairs, Value

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
STATE = ("var/lib/neutron/dhcp/*", "var/lib/neutron/ha_confs/*", "var/lib/neutron/external/pids/*")
MARKS = {
    "attached-mac": "guest_macs",
    "vm-uuid": "vm",
}  # of those that the cloud makes, what is worth telling
PLAIN = "port"  # what other links of the same port may say more of
FOLDERS = "var/lib/neutron/*"  # what any agent of Neutron leaves
SHORT = 11  # characters of a UUID in a link's name


def find(client: Client, spaces: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """Namespaces by their names, links by theirs; only where a UUID or a folder shows that Neutron is here: others use such names, too.

    Links of home and of Neutron's own namespaces, and those that the cloud marked: elsewhere links are called as others like.
    """
    named = list(_namespaces(client, spaces))
    own = {client.facts.home, *(ns for _, ns in named)}
    formed = _formed(client)
    marks = _marks(client, formed)
    ids = {end: str(said["iface-id"]) for end, said in marks.items() if isinstance(said.get("iface-id"), str)}
    uuids = {owner.id for owner, _ in named} | set(ids.values()) | _known(client)
    for owner, ns in named:
        yield Claim(owner, ns)
    if not uuids and not any(files(client, "list", FOLDERS)):
        return
    by_prefix: dict[str, list[str]] = {}
    for uuid in uuids:
        by_prefix.setdefault(uuid[:SHORT], []).append(uuid)
    found: dict[tuple[str, str], list[_Link]] = {}
    for end, (form, first) in formed.items():
        if end.ns in own or end in ids:
            whole = by_prefix.get(first, [])
            uuid = ids.get(end) or (whole[0] if len(whole) == 1 else first)
            found.setdefault((form.type, uuid), []).append(_Link(form, end, marks.get(end, {})))
    for (kind, uuid), ones in found.items():
        yield _of_links(kind, uuid, ones)


def _namespaces(client: Client, spaces: Collection[NsKey]) -> Iterator[tuple[Owner, NsKey]]:
    for ns in spaces:
        for holder in client.facts.holders.get(ns, ()):
            name = holder.path.rpartition("/")[2] if holder.type in ("name", "mount") and holder.own else ""
            for form in NAMESPACES:
                match = form.pattern.match(name)
                if match:
                    pid, data = _daemon(client, ns)
                    yield Owner(form.type, match[1], match[1], "neutron", pid, (("of", form.what), *data)), ns
                    break
            else:
                continue
            break


def _daemon(client: Client, ns: NsKey) -> tuple[int | None, Pairs]:
    """The agent's daemon in a namespace."""
    for holder in client.facts.holders.get(ns, ()):
        one: Process | None = process(client, holder.pid) if holder.type == "process" else None
        if one is not None and one.comm in DAEMONS:
            return one.pid, (("daemon", one.comm),)
    return None, ()


def _formed(client: Client) -> dict[End, tuple[Form, str]]:
    """The links that are called as Neutron calls its own: the form, and the part of a UUID that is in the name."""
    return {
        End(ns, link.ifindex): (form, match[1])
        for ns, links in client.facts.links.items()
        for link in links.values()
        for form, match in _forms(link.ifname)
    }


def _forms(name: str) -> Iterator[tuple[Form, re.Match[str]]]:
    """The first form that a link's name has."""
    for form in LINKS:
        match = form.pattern.match(name)
        if match:
            yield form, match
            return


def _marks(client: Client, formed: Iterable[End]) -> dict[End, Mapping[str, Value]]:
    """What the cloud wrote beside Open vSwitch's interfaces: the port's UUID, the guest's MAC, the VM's UUID."""
    found: dict[End, Mapping[str, Value]] = {}
    for end in formed:
        said = client.details(end, "ovs").get("ovs", {}).get("external_ids")
        if isinstance(said, dict):
            found[end] = said
    return found


def _known(client: Client) -> set[str]:
    """UUIDs that the agents' folders are called after."""
    found = set()
    for pattern in STATE:
        for path, _ in files(client, "list", pattern):
            match = re.match(UUID, part(path, -1))
            if match:
                found.add(match[1])
    return found


class _Link(NamedTuple):
    """A link of a port, and what the cloud wrote beside it."""

    form: Form
    end: End
    marks: Mapping[str, Value]


def _of_links(kind: str, uuid: str, ones: Collection[_Link]) -> Claim:
    """One port, whose links are several nearly always: `tap` at home with `ns-` in its namespace, `qvo` with `qvb` and `qbr`."""
    words = [one.form.what for one in ones]
    what = next((word for word in words if word != PLAIN), PLAIN)
    marks = {key: one.marks[key] for one in ones for key in MARKS if key in one.marks}
    data = (("of", what), *told(marks))
    return Claim(Owner(kind, uuid, uuid, "neutron", data=data), None, tuple(one.end for one in ones))


def told(marks: Mapping[str, Value]) -> Pairs:
    """What is worth telling of what the cloud wrote beside a port."""
    return tuple((word, str(marks[key])) for key, word in MARKS.items() if key in marks)


def is_called_so(ifname: str) -> bool:
    """True for a link that has a name of Neutron's."""
    return any(True for _ in _forms(ifname))


SOURCE = Source("neutron", find)
