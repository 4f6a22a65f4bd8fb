"""How links are made that iproute2 6.1 does not make: by netlink of our own, or by the device that serves them.

A maker has the namespace, a name and an ifindex; what has to last while the link lives is given to `keep`, to be ended then.
It returns the process that serves the link, if one does, and raises OSError if the kernel refuses.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
from errno import EOPNOTSUPP
from typing import TYPE_CHECKING

from nswire.lab import attributes as nla

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nswire.lab.netns import Ns
    from nswire.lab.rtnl import Rtnl

    Keep = Callable[[Callable[[], None]], object]
    Maker = Callable[[Ns, str, int, Keep], int | None]
    PairMaker = Callable[[Ns, str, int, str, int, Ns], None]

# include/uapi/linux/if_tun.h
TUNSETIFF, TUNSETPERSIST, TUNSETIFINDEX = 0x400454CA, 0x400454CB, 0x400454DA
TUNSETOWNER, TUNSETGROUP = 0x400454CC, 0x400454CE
IFF_TUN, IFF_TAP, IFF_MULTI_QUEUE, IFF_NO_PI, IFF_VNET_HDR = 0x1, 0x2, 0x100, 0x1000, 0x4000
NOBODY_S = 4241  # an id without a name, which iproute2 would tell
# include/uapi/linux/if_link.h
GTP_FD0, GTP_FD1, GTP_HASHSIZE, GTP_ROLE, GTP_SGSN = 1, 2, 3, 4, 1
GTP_PORTS = (3386, 2152)
PPP_DEV_FD = 1
XFRM_COLLECT_METADATA = 3
INFO_PEER = 1  # VETH_INFO_PEER, VXCAN_INFO_PEER, IFLA_NETKIT_PEER_INFO
NETKIT_POLICY, NETKIT_PEER_POLICY, NETKIT_MODE, NETKIT_SCRUB = 3, 4, 5, 6
L2, L3 = 0, 1
FORWARD, BLACKHOLE = 0, 2
NONE, DEFAULT = 0, 1


def _tun(flags: int, *, served: bool = False) -> Maker:
    """A tun or tap link: persistent, or `served` by a process that has it open."""

    def make(ns: Ns, name: str, index: int, keep: Keep) -> int | None:
        with ns.entered():
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
        try:
            fcntl.ioctl(fd, TUNSETIFINDEX, struct.pack("=I", index))
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
            if served:
                return _server(fd, keep)
            fcntl.ioctl(fd, TUNSETPERSIST, 1)
            fcntl.ioctl(fd, TUNSETOWNER, NOBODY_S)
            fcntl.ioctl(fd, TUNSETGROUP, NOBODY_S + 1)
        finally:
            os.close(fd)
        return None

    return make


def _server(fd: int, keep: Keep) -> int:
    process = subprocess.Popen(["sleep", "infinity"], pass_fds=(fd,))

    def end() -> None:
        process.kill()
        process.wait()

    keep(end)
    return process.pid


def _gtp(ns: Ns, name: str, index: int, keep: Keep) -> None:
    """With sockets of ours: in old kernels the driver makes none itself."""
    data = [nla.u32(GTP_ROLE, GTP_SGSN), nla.u32(GTP_HASHSIZE, 2048)]
    for number, port in zip((GTP_FD0, GTP_FD1), GTP_PORTS, strict=True):
        with ns.entered():
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        keep(one.close)
        one.bind(("0.0.0.0", port))
        data.append(nla.u32(number, one.fileno()))
    with ns.rtnl() as rtnl:
        rtnl.link(name, "gtp", *data, index=index)


def _ppp(ns: Ns, name: str, index: int, keep: Keep) -> None:
    """A unit of /dev/ppp; it goes when the descriptor is closed."""
    with ns.entered():
        fd = os.open("/dev/ppp", os.O_RDWR | os.O_CLOEXEC)
    keep(lambda: os.close(fd))
    with ns.rtnl() as rtnl:
        rtnl.link(name, "ppp", nla.u32(PPP_DEV_FD, fd), index=index)


def _xfrm_external(ns: Ns, name: str, index: int, _: Keep) -> None:
    """Linux 6.2 (and iproute2 6.2). An older kernel makes another link than was asked for, and does not say so."""
    with ns.rtnl() as rtnl:
        rtnl.link(name, "xfrm", nla.attribute(XFRM_COLLECT_METADATA, b""), index=index)
        if XFRM_COLLECT_METADATA not in info_data(rtnl, index):
            rtnl.delete(index)
            raise OSError(EOPNOTSUPP, "IFLA_XFRM_COLLECT_METADATA is not heeded")


MAKERS: dict[str, Maker] = {
    "xfrm external": _xfrm_external,
    "gtp": _gtp,
    "tun": _tun(IFF_TUN),
    "tap": _tun(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR),
    "tap served": _tun(IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE, served=True),
    "ppp": _ppp,
}


def _pair(kind: str, *data: bytes) -> PairMaker:
    """The two ends of a pair, each born where it is told."""

    def make(ns: Ns, name: str, index: int, peer: str, peer_index: int, peer_ns: Ns) -> None:
        other = nla.ifinfomsg(peer_index) + nla.text(nla.IFLA_IFNAME, peer)
        if peer_ns is not ns:
            other += nla.u32(nla.IFLA_NET_NS_FD, peer_ns.fd)
        with ns.rtnl() as rtnl:
            rtnl.link(name, kind, nla.nest(INFO_PEER, other), *data, index=index)

    return make


def _netkit(mode: int, policy: int, scrub: int) -> PairMaker:
    """`policy` and `scrub` are the primary end's (older kernels do not heed the latter); the peer forwards."""
    return _pair(
        "netkit",
        nla.u32(NETKIT_MODE, mode),
        nla.u32(NETKIT_POLICY, policy),
        nla.u32(NETKIT_PEER_POLICY, FORWARD),
        nla.u32(NETKIT_SCRUB, scrub),
    )


PAIR_MAKERS: dict[str, PairMaker] = {
    "veth": _pair("veth"),
    "vxcan": _pair("vxcan"),
    "netkit L2": _netkit(L2, FORWARD, DEFAULT),
    "netkit L3": _netkit(L3, BLACKHOLE, NONE),
}
PAIR_SAYS: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "netkit L2": (
        {"mode": "l2", "type": "primary", "policy": "forward", "peer_policy": "forward"},
        {"mode": "l2", "type": "peer", "policy": "forward", "peer_policy": "forward"},
    ),
    "netkit L3": (
        {"mode": "l3", "type": "primary", "policy": "blackhole", "peer_policy": "forward"},
        {"mode": "l3", "type": "peer", "policy": "forward", "peer_policy": "blackhole"},
    ),
}
"""What the two ends have to say of themselves: iproute2 6.1 does not know netkit."""
NETKIT_MAY: dict[str, str | int] = {"scrub": "default", "peer_scrub": "default", "headroom": 0, "tailroom": 0}
PAIR_MAY = {
    "netkit L2": (NETKIT_MAY, NETKIT_MAY),
    "netkit L3": (NETKIT_MAY | {"scrub": "none"}, NETKIT_MAY | {"peer_scrub": "none"}),
}
"""What newer kernels say besides."""


def info_data(rtnl: Rtnl, index: int) -> dict[int, bytes]:
    """IFLA_INFO_DATA of a link, as the kernel has it, by no code of the product's."""
    (reply,) = rtnl.ask(nla.RTM_GETLINK, 0, nla.ifinfomsg(index), f"read link {index}")
    linkinfo = dict(_attributes(reply[16:]))[nla.IFLA_LINKINFO]
    return dict(_attributes(dict(_attributes(linkinfo)).get(nla.IFLA_INFO_DATA, b"")))


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:
        length, number = struct.unpack_from("=HH", data)
        yield number & ~nla.NLA_F_NESTED, data[4:length]
        data = data[length + 3 & ~3 :]
