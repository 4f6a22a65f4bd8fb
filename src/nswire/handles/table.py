"""The families of handles. A new one is a file in this room and a row here."""

from nswire.handles import (
    guest,
    ifindex,
    inode,
    ip,
    iproute2_name,
    mac,
    names,
    netns,
    nsid,
    owner,
    pid,
    port,
    special,
)
from nswire.handles.matcher import LinkFamily, NamespaceFamily, OwnerFamily, SearchFamily

NAMESPACES: tuple[NamespaceFamily, ...] = (
    special.FAMILY,
    netns.TYPED,
    netns.FAMILY,
    inode.TYPED,
    inode.FAMILY,
    pid.FAMILY,
    nsid.FAMILY,
)

LINKS: tuple[LinkFamily, ...] = (
    ifindex.TYPED,
    names.IFNAME,
    names.ALTNAME,
    iproute2_name.FAMILY,
    ifindex.FAMILY,
    mac.FAMILY,
    ip.FAMILY,
    names.ALIAS,
    guest.BY_MAC,
    guest.BY_ADDRESS,
)

SPECIAL = special.WORDS
"""Words that mean a namespace and nothing else, as a prefix does."""

OWNERS: tuple[OwnerFamily, ...] = owner.FAMILIES

SEARCHES: tuple[SearchFamily, ...] = port.FAMILIES

_ALL: tuple[NamespaceFamily | LinkFamily | OwnerFamily | SearchFamily, ...] = (
    *NAMESPACES,
    *LINKS,
    *OWNERS,
    *SEARCHES,
)
PREFIXES = tuple(family.prefix for family in _ALL if family.prefix)
