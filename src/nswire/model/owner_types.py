"""The types of owners: one row a type, from which handles, texts, drawings and completion take what they say of it.

A source of `owners/` may yield a type that has no row: it is said as it is.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nswire.model.values import Owner


class OwnerType(NamedTuple):
    """A type of owner.

    label: how one is called; {name}, and {of}: what it is an owner of, by its data.
    plural: several namespaces of such owners.
    prefix: of the handles that name one, such as `vm:`; empty: it has none.
    wanted: what is not there if nothing has such a handle.
    netns_prefix: how Neutron's namespaces of that type are called, before the dash and the UUID.
    shows_pid: the process that stands for it is worth a word.
    titles_namespace: its handle can stand for its namespace, which has no better name. The first such row wins.
    holds_others: other owners of one namespace are parts of it, and are named after it.
    is_guest: what it sends comes from behind its links, and not from their namespace.
    by_bare_name: a name alone, without a prefix, may mean it.
    """

    name: str
    label: str
    plural: str
    prefix: str = ""
    wanted: str = ""
    netns_prefix: str = ""
    shows_pid: bool = False
    titles_namespace: bool = False
    holds_others: bool = False
    is_guest: bool = False
    by_bare_name: bool = True


TABLE = (
    OwnerType("pod", "pod {name}", "pods", "pod:", "pod", titles_namespace=True, holds_others=True),
    OwnerType("container", "{name}", "containers", "container:", "running container", titles_namespace=True),
    OwnerType("unit", "{name}", "units", "unit:", "unit with a namespace of its own", titles_namespace=True),
    OwnerType("app", "{name}", "apps", "unit:", "unit with a namespace of its own"),
    OwnerType("vm", "VM {name}", "VMs", "vm:", "running VM with a link", shows_pid=True, is_guest=True),
    OwnerType("port", "{of} {name}", "ports", "port:", "Neutron port"),
    OwnerType("network", "network {name}", "networks"),
    OwnerType("dhcp", "dhcp of network {name}", "DHCP servers", netns_prefix="qdhcp", shows_pid=True),
    OwnerType("router", "router {name}", "routers", netns_prefix="qrouter", shows_pid=True),
    OwnerType("snat", "snat of router {name}", "SNAT routers", netns_prefix="snat", shows_pid=True),
    OwnerType(
        "fip",
        "floating IPs of network {name}",
        "namespaces of floating IPs",
        netns_prefix="fip",
        shows_pid=True,
    ),
    OwnerType(
        "metadata", "metadata of network {name}", "metadata proxies", netns_prefix="ovnmeta", shows_pid=True
    ),
    OwnerType("balancer", "balancer {name}", "balancers", netns_prefix="qlbaas"),
    OwnerType("process", "{name}", "namespaces", shows_pid=True, by_bare_name=False),
)
PROJECT_DATA = ("project", "namespace", "stack", "com.docker.compose.project", "io.kubernetes.pod.namespace")
"""Data of an owner that name what it is a part of, best first."""
LABEL_DATA = ("compose", "service", "lab", "inside", "user")
"""Data that are said with its name wherever an owner is."""

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_BY_NAME = {row.name: row for row in TABLE}
RANKS = {row.name: rank for rank, row in enumerate(TABLE)}
WANTED = {row.prefix: row.wanted for row in TABLE if row.prefix}
BY_NETNS_PREFIX = {row.netns_prefix: row.name for row in TABLE if row.netns_prefix}


def of(name: str) -> OwnerType:
    """The row of a type; for one that is not in the table, one that says its name."""
    return _BY_NAME.get(name) or OwnerType(name, "{type} {name}", f"{name}s")


def label(one: Owner) -> str:
    """An owner by what and who it is: `pod shop/web`, `dhcp of network fabc7ead`. Escape it like any text from outside."""
    name = one.name[:8] if UUID.fullmatch(one.name) else one.name
    what = dict(one.data).get("of", one.type)
    return of(one.type).label.format(type=one.type, name=name, of=what)
