"""The families of handles. A new one is a file in this room and a row here."""

from nswire.handles import (
    alias,
    altname,
    guest,
    ifindex,
    ifname,
    inode,
    ip,
    listening,
    mac,
    netns,
    nsid,
    owner,
    pid,
    printed,
    special,
)
from nswire.handles.family import LinkFamily, NamespaceFamily, OwnerFamily, SearchFamily

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
    ifname.FAMILY,
    altname.FAMILY,
    printed.FAMILY,
    ifindex.FAMILY,
    mac.FAMILY,
    ip.FAMILY,
    alias.FAMILY,
    guest.BY_MAC,
    guest.BY_ADDRESS,
)

SPECIAL = special.WORDS
"""Words that mean a namespace and nothing else, as a prefix does."""

OWNERS: tuple[OwnerFamily, ...] = owner.FAMILIES

SEARCHES: tuple[SearchFamily, ...] = listening.FAMILIES

_ALL: tuple[NamespaceFamily | LinkFamily | OwnerFamily | SearchFamily, ...] = (
    *NAMESPACES,
    *LINKS,
    *OWNERS,
    *SEARCHES,
)
PREFIXES = tuple(family.prefix for family in _ALL if family.prefix)
