"""The families of handles. A new one is a file in this room and a row here."""

from nswire.handles import alias, altname, home, ifindex, ifname, inode, ip, mac, netns, nsid, pid, printed
from nswire.handles.family import LinkFamily, NamespaceFamily

NAMESPACES: tuple[NamespaceFamily, ...] = (
    home.FAMILY,
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
)

_ALL: tuple[NamespaceFamily | LinkFamily, ...] = (*NAMESPACES, *LINKS)
PREFIXES = tuple(family.prefix for family in _ALL if family.prefix)
