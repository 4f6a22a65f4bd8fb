"""`container:web`, `pod:shop/web-7d9f`, `vm:db1`, `port:39d60faa`, `unit:nginx`: by whose it is. A bare name does, too.

An id may be shortened, as its engine allows; a name may not. A handle stands for all links of its owner, wherever they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.handles.family import OwnerFamily

if TYPE_CHECKING:
    from nswire.model.values import Owner

LEAST = 4  # digits of an id that is shortened
BARE = 8  # of one that stands alone: shorter ones are names as well
HEX = frozenset("0123456789abcdef-")


def _id(owner: Owner, text: str) -> bool:
    return len(text) >= LEAST and HEX.issuperset(owner.id) and owner.id.startswith(text.lower())


def _container(owner: Owner, text: str) -> bool:
    return owner.type == "container" and (owner.name == text or _id(owner, text))


def _pod(owner: Owner, text: str) -> bool:
    name = owner.name.rpartition("/")[2]
    return owner.type == "pod" and (text in (owner.name, name) or _id(owner, text))


def _vm(owner: Owner, text: str) -> bool:
    return owner.type == "vm" and (owner.name == text or _id(owner, text))


def _port(owner: Owner, text: str) -> bool:
    """A Neutron port: of one whose UUID is known in part only, that part has to agree."""
    wanted = text.lower()
    return (
        owner.type == "port" and len(wanted) >= LEAST and (_id(owner, wanted) or wanted.startswith(owner.id))
    )


def _unit(owner: Owner, text: str) -> bool:
    return owner.type in ("unit", "app") and owner.name in (text, f"{text}.service")


def _any(owner: Owner, text: str) -> bool:
    shortened = len(text) >= BARE and HEX.issuperset(text) and owner.id.startswith(text)
    return owner.type != "process" and (text in (owner.name, owner.id) or shortened)


FAMILIES = (
    OwnerFamily("container", 0, _container, "container:"),
    OwnerFamily("pod", 0, _pod, "pod:"),
    OwnerFamily("vm", 0, _vm, "vm:"),
    OwnerFamily("port", 0, _port, "port:"),
    OwnerFamily("unit", 0, _unit, "unit:"),
    OwnerFamily("owner", 1, _any),
)
