"""`container:web`, `pod:shop/web-7d9f`, `vm:db1`, `port:39d60faa`, `unit:nginx`: by whose it is. A bare name does, too.

An id may be shortened, as its engine allows; a name may not. A handle stands for all links of its owner, wherever they are.
A port of the host that leads into a container names that container (`:8080`), a guest's MAC its VM.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from nswire.handles import mac
from nswire.handles.matcher import OwnerFamily, number
from nswire.model import owner_types

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.model.values import Owner

LEAST = 4  # digits of an id that is shortened
BARE = 8  # of one that stands alone: shorter ones are names as well
HEX = frozenset("0123456789abcdef-")
ALIASES = ("hostname", "nova")  # data that name an owner, too
NEUTRON = re.compile(
    rf"({'|'.join(owner_types.BY_NETNS_PREFIX)})-([0-9a-f][0-9a-f-]{{3,}})"
)  # a namespace, shortened


def _named(owner: Owner, text: str) -> bool:
    return owner.name == text or any(name in ALIASES and value == text for name, value in owner.data)


def _id(owner: Owner, text: str) -> bool:
    return len(text) >= LEAST and HEX.issuperset(owner.id) and owner.id.startswith(text.lower())


def _container(owner: Owner, text: str) -> bool:
    """A container; what holds the namespace of a pod of Podman's is one, and is told as that pod."""
    if owner.type == "pod":
        return dict(owner.data).get("infra") == text
    return owner.type == "container" and (_named(owner, text) or _id(owner, text))


def _pod(owner: Owner, text: str) -> bool:
    name = owner.name.rpartition("/")[2]
    whole = owner.by == "podman" and len(owner.id) > BARE and text.startswith(owner.id)  # of a whole id
    return owner.type == "pod" and (text in (owner.name, name) or _id(owner, text) or whole)


def _vm(owner: Owner, text: str) -> bool:
    return owner.type == "vm" and (_named(owner, text) or _id(owner, text))


def _port(owner: Owner, text: str) -> bool:
    """A Neutron port: of one whose UUID is known in part only, that part has to agree. Others (OVN's) may be called anything."""
    wanted = text.lower()
    part = owner.by == "neutron" and len(wanted) >= LEAST and wanted.startswith(owner.id)
    return owner.type == "port" and (owner.name == text or _id(owner, wanted) or part)


def _vm_of_port(owner: Owner, text: str) -> bool:
    """The ports that a cloud says are those of a VM, which itself is not to be seen."""
    uuid = dict(owner.data).get("vm", "") if owner.type == "port" else ""
    return isinstance(uuid, str) and len(text) >= BARE and bool(uuid) and uuid.startswith(text.lower())


def _unit(owner: Owner, text: str) -> bool:
    return owner_types.of(owner.type).prefix == "unit:" and owner.name in (text, f"{text}.service")


def _any(owner: Owner, text: str) -> bool:
    shortened = len(text) >= BARE and HEX.issuperset(text) and owner.id.startswith(text)
    return owner_types.of(owner.type).by_bare_name and (_named(owner, text) or owner.id == text or shortened)


def _published(prefix: str, *protocols: str) -> Callable[[Owner, str], bool]:
    def fits(owner: Owner, text: str) -> bool:
        port = number(text.removeprefix(prefix)) if text.startswith(prefix) else ""
        return any(port == str(one.port) and one.protocol in protocols for one in owner.published)

    return fits


def _shortened(owner: Owner, text: str) -> bool:
    """`qrouter-b67a2f49`: a namespace of Neutron's, whose name has a whole UUID in it."""
    match = NEUTRON.fullmatch(text)
    return (
        match is not None
        and owner.type == owner_types.BY_NETNS_PREFIX[match[1]]
        and owner.id.startswith(match[2])
    )


def _guest(owner: Owner, text: str) -> bool:
    key = mac.key(text)
    macs = dict(owner.data).get("guest_macs", "") if key else ""
    return isinstance(macs, str) and any(mac.key(one) == key for one in macs.split())


FAMILIES = (
    OwnerFamily("container", 0, _container, "container:"),
    OwnerFamily("pod", 0, _pod, "pod:"),
    OwnerFamily("vm", 0, _vm, "vm:"),
    OwnerFamily("VM of a port", 1, _vm_of_port, "vm:", last=True),
    OwnerFamily("port", 0, _port, "port:"),
    OwnerFamily("unit", 0, _unit, "unit:"),
    OwnerFamily("owner", 1, _any),
    OwnerFamily("published port", 1, _published(":", "tcp", "udp", "sctp")),
    OwnerFamily("published port", 1, _published("", "tcp"), "tcp:"),
    OwnerFamily("published port", 1, _published("", "udp"), "udp:"),
    OwnerFamily("netns", 1, _shortened, last=True),
    OwnerFamily("guest's MAC", 5, _guest, last=True),  # of a NIC whose link is not known
)
