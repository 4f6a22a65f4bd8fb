"""The guest behind a tap: the MAC of its own NIC, by its hypervisor or libvirt, and the addresses that others know of that MAC.

Its addresses are in leases and hosts files of dnsmasq (libvirt's, Neutron's, the machine's own) and in the neighbour tables of those
that it talks to here: the tap's namespace, and the namespaces that the same bridge leads to. None of them proves that it
still has that address.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from nswire.codec import hypervisor, procfs
from nswire.codec import process as processes
from nswire.codec.checked import document
from nswire.codec.hypervisor import Nic
from nswire.codec.netlink import neighbour
from nswire.facets.facet import Detail, Facet
from nswire.facets.query import decoded
from nswire.host import requests
from nswire.host.system import Refusal

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from nswire.codec.procfs import TapRow
    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import End, LinkFact, Loose, NsKey, Wire

KINDS = ("tun", "macvtap", "ipvtap")
DOMAINS = "xml/run/libvirt/*/*.xml|domstatus&uuid&interface&mac&target"
STATUS = "json/var/lib/libvirt/dnsmasq/*.status|ip-address&mac-address"
HOSTS = (  # lines with a MAC and its addresses in them
    "macs/var/lib/libvirt/dnsmasq/*.leases",
    "macs/var/lib/neutron/dhcp/*/host",
    "macs/var/lib/neutron/dhcp/*/leases",
    "macs/var/lib/misc/dnsmasq*.leases",
    "macs/var/lib/dnsmasq/*.leases",
    "macs/var/lib/NetworkManager/dnsmasq-*.leases",
    "macs/var/lib/incus/networks/*/dnsmasq.leases",
    "macs/var/snap/lxd/common/lxd/networks/*/dnsmasq.leases",
)
GONE = 0x20  # NUD_FAILED
NOBODY = ("", "00:00:00:00:00:00")


def ask(client: Client, ends: Collection[End]) -> Iterator[Wire | Loose | Detail | Gap]:
    """`mac` of the guest's NIC and `address`: those that are known of that MAC, with a blank between them."""
    rows = _served(client)
    domains = list(_domains(client))
    found: dict[End, str] = {}
    read: dict[int, list[Nic]] = {}
    for end in ends:
        link = client.facts.links[end.ns][end.ifindex]
        served: dict[int, set[int]] = {}
        for row in rows:
            if _is_of(row, link, end):
                served.setdefault(row.pid, set()).add(row.fd)
        for pid, fds in served.items():
            if pid not in read:
                read[pid] = _nics(client, pid, domains)
            if mac := _mac(read[pid], link, fds):
                found[end] = mac
        if not served and end.ns == client.facts.home and (mac := _by_name(domains, link)):
            found[end] = mac
    if not found:
        return
    addresses = _addresses(client, found)
    for end, mac in found.items():
        known = addresses.get(mac, ())
        yield Detail(end, {"mac": mac, **({"address": " ".join(known)} if known else {})})


def _served(client: Client) -> list[TapRow]:
    answer = client.host("taps")
    rows = [] if isinstance(answer, Refusal) else procfs.taps(answer)
    return [row for row in rows if not row.vhost and row.fd >= 0]


def _is_of(row: TapRow, link: LinkFact, end: End) -> bool:
    """The same link, as far as the descriptor tells: the taps' own facet proves it."""
    return row.name == link.ifname and row.net in (0, end.ns) and row.ifindex in (0, link.ifindex)


class Domain(NamedTuple):
    """A running domain of libvirt: the pid of its qemu, its UUID, its NICs."""

    pid: int
    uuid: str
    nics: tuple[Nic, ...]


def _domains(client: Client) -> Iterator[Domain]:
    """Those of libvirt's state files: <interface> with <mac> and <target> in it; disks have a <target>, too."""
    for listed in _files(client, DOMAINS).values():
        pid, uuid, mac = 0, "", ""
        nics = []
        for one in listed if isinstance(listed, list) else ():
            match one.get("") if isinstance(one, dict) else None:
                case "domstatus":
                    pid = _number(one.get("pid"))
                case "uuid":
                    uuid = uuid or str(one.get("text", ""))
                case "interface":
                    mac = ""
                case "mac":
                    mac = str(one.get("address", "")).lower()
                case "target" if mac and one.get("dev"):
                    nics.append(Nic(mac, str(one["dev"])))
                    mac = ""
        yield Domain(pid, uuid, tuple(nics))


def _number(said: object) -> int:
    text = said if isinstance(said, str) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= procfs.DIGITS else 0


def _nics(client: Client, pid: int, domains: Iterable[Domain]) -> list[Nic]:
    """Those of a hypervisor's process; a domain of this pid may have ended, and its pid be another one's by now."""
    answer = client.host(f"process/{pid}")
    one = processes.decode(answer) if isinstance(answer, bytes) else None
    if one is None:
        return []
    its = [
        nic
        for domain in domains
        if domain.pid == pid and domain.uuid == one.option("-uuid")
        for nic in domain.nics
    ]
    return [*its, *hypervisor.nics(one.comm, one.cmdline)]


def _mac(nics: Iterable[Nic], link: LinkFact, fds: Collection[int]) -> str:
    """Of the NIC that is at this tap; by the only one that says nothing of its tap, if there is no other."""
    told = list(nics)
    for nic in told:
        if nic.ifname == link.ifname or not nic.fds.isdisjoint(fds):
            return nic.mac
    return told[0].mac if len(told) == 1 and not told[0].ifname and not told[0].fds else ""


def _by_name(domains: Iterable[Domain], link: LinkFact) -> str:
    """Of a link at home that libvirt names, where nobody may look at who serves it."""
    macs = {nic.mac for domain in domains for nic in domain.nics if nic.ifname == link.ifname}
    return macs.pop() if len(macs) == 1 else ""


# -- addresses -----------------------------------------------------------------------------------------------------


def _addresses(client: Client, guests: dict[End, str]) -> dict[str, tuple[str, ...]]:
    """What is known of these MACs, in tables first: they are younger than leases."""
    wanted = set(guests.values())
    found: dict[str, dict[str, None]] = {}
    spaces = {ns for end in guests for ns in _around(client, end)}
    for answers in client.query(dict.fromkeys(spaces, requests.NEIGHBOURS[:1])).values():
        table = decoded(answers[0], neighbour.decode)
        for one in () if isinstance(table, int) else table:
            if one.lladdr in wanted and not one.state & GONE:
                found.setdefault(one.lladdr, {})[one.address] = None
    for mac, address in _leases(client):
        if mac in wanted:
            found.setdefault(mac, {})[address] = None
    return {mac: tuple(sorted(some, key=_useful)) for mac, some in found.items()}


def _useful(address: str) -> tuple[bool, bool]:
    """IPv4 first, and what counts on its link alone last."""
    return address.startswith("fe80:"), ":" in address


def _around(client: Client, end: End) -> Iterator[NsKey]:
    """The tap's namespace, and those where the other ends of its bridge's ports are."""
    yield end.ns
    links = client.facts.links[end.ns]
    master = links[end.ifindex].master
    for port in links.values() if master else ():
        if port.master == master and port.link_netnsid is not None:
            other = client.netns_by_nsid(end.ns, port.link_netnsid)
            if other is not None and other not in client.facts.hidden:
                yield other


def _leases(client: Client) -> Iterator[tuple[str, str]]:
    for listed in _files(client, STATUS).values():
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, dict) and one.get("mac-address") and one.get("ip-address"):
                yield str(one["mac-address"]).lower(), str(one["ip-address"])
    for question in HOSTS:
        for listed in _files(client, question).values():
            for row in listed if isinstance(listed, list) else ():
                mac, *addresses = (str(word) for word in row) if isinstance(row, list) and row else ("",)
                yield from ((mac, address) for address in addresses if mac not in NOBODY)


def _files(client: Client, question: str) -> dict[str, Any]:
    answer = client.host(question)
    if isinstance(answer, Refusal):
        return {}
    try:
        return document(answer, dict[str, Any])
    except ValueError:
        return {}


FACET = Facet("guest", lambda link: link.kind in KINDS, ask, scope="host")
