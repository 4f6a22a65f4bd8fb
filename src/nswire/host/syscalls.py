"""The system calls and ioctls that Python 3.11 does not wrap. Standard library only; every failure is an OSError."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import socket
import stat
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

CLONE_NEWNET = 0x40000000
TUNGETDEVNETNS = 0x54E3  # the namespace that a tun link is in now (Linux 5.3), include/uapi/linux/if_tun.h
TUNGETIFF, SIOCGIFHWADDR = 0x800454D2, 0x8927
SIOCGSKNS = 0x894C  # the namespace of a socket, include/uapi/linux/sockios.h
NS_GET_NSTYPE = 0xB703
NS_GET_ID = 0x8008B70D  # Linux 6.18 and newer; the same number as the cookie
SIOCETHTOOL = 0x8946
ETHTOOL_GSTRINGS, ETHTOOL_GSTATS, ETHTOOL_GSSET_INFO, ETH_SS_STATS = 0x1B, 0x1D, 0x37, 1
ETHTOOL_GDRVINFO, ETHTOOL_GLINKSETTINGS = 0x03, 0x4C
DRVINFO, LINK_SETTINGS = 196, 48  # bytes, include/uapi/linux/ethtool.h
MASK_WORDS = 15  # where link_mode_masks_nwords is in the latter; negative, nothing else is filled in
STATISTICS = 4096  # of one link at most
# bpf(2), include/uapi/linux/bpf.h; the number of the system call is one of the few that differ between architectures
SYS_BPF_GENERIC = 280
SYS_BPF = {"x86_64": 321, "i686": 357, "ppc64le": 361, "s390x": 351, "armv7l": 386}
BPF_PROG_GET_FD_BY_ID, BPF_OBJ_GET_INFO_BY_FD, BPF_PROG_QUERY = 13, 15, 16
BPF_LINK_GET_FD_BY_ID, BPF_LINK_GET_NEXT_ID, BPF_LINK_TYPE_NETFILTER = 30, 31, 10
LINK_INFO, LINKS = 64, 65536  # bytes of struct bpf_link_info that are wanted; attachments at most
ATTACH_TYPES = (46, 47, 54, 55)  # BPF_TCX_INGRESS, BPF_TCX_EGRESS, BPF_NETKIT_PRIMARY, BPF_NETKIT_PEER
# of kernels that do not know the type, and of links that are of another kind (ENXIO: no netkit)
NO_PROGRAMS = (errno.EINVAL, errno.ENOENT, errno.ENODEV, errno.ENXIO, errno.EOPNOTSUPP, errno.ENOSYS)
BPF_ATTR, PROG_INFO, PROGRAMS = (
    128,
    80,
    64,
)  # bytes of union bpf_attr and of the info that is wanted; programs at one place
AT_FDCWD, AT_EMPTY_PATH, AT_STATX_DONT_SYNC, STATX_TYPE = -100, 0x1000, 0x4000, 0x1
SYS_PIDFD_OPEN, SYS_OPENAT2, SYS_PIDFD_GETFD = 434, 437, 438  # the same numbers on every architecture
RESOLVE_NO_MAGICLINKS, RESOLVE_IN_ROOT, RESOLVE_CACHED = 0x02, 0x10, 0x20

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def _syscall(number: int, *args: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    words = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    return _checked(_libc.syscall(ctypes.c_long(number), *words))


def setns(fd: int) -> None:
    """Move the calling thread into the network namespace of a descriptor."""
    if _libc.setns(fd, CLONE_NEWNET) < 0:
        _checked(-1)


def pidfd_open(pid: int) -> int:
    """A descriptor of a process (Linux 5.3)."""
    return _syscall(SYS_PIDFD_OPEN, pid, 0)


def open_path_in_root(root: int, path: str) -> int:
    """An O_PATH descriptor of a path below the folder `root`, by no symlink that leads out (openat2, Linux 5.6).

    The way there may lead through file systems of a container's own making, which may never answer; so only what the
    kernel has in its cache is looked up (RESOLVE_CACHED, Linux 5.12), as the way to a mount always is. EAGAIN: not so.
    """
    try:
        return _open_beneath(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS | RESOLVE_CACHED)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    return _open_beneath(root, path, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS)


def _open_beneath(root: int, path: str, resolve: int) -> int:
    how = struct.pack("=QQQ", os.O_PATH | os.O_CLOEXEC, 0, resolve)
    return _syscall(
        SYS_OPENAT2, root, os.fsencode(path) + b"\0", ctypes.create_string_buffer(how, len(how)), len(how)
    )


def open_namespace(path: str | bytes, nsfs: int) -> int:
    """A descriptor of the namespace that a path leads to. OSError: ESTALE if it is none.

    Nothing is opened (O_PATH) before it proves to be one: a pipe, a device, or a file of a file system that never answers
    may be there instead. `nsfs` is the device number of all namespaces.
    """
    found = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        return _reopened(found, nsfs)
    finally:
        os.close(found)


def open_namespace_in_root(root: str, path: str, nsfs: int) -> int:
    """The same by a path below the folder `root`, as a process there sees it. OSError."""
    folder = os.open(root, os.O_PATH | os.O_CLOEXEC)
    try:
        found = open_path_in_root(folder, path)
    finally:
        os.close(folder)
    try:
        return _reopened(found, nsfs)
    finally:
        os.close(found)


def _reopened(found: int, nsfs: int) -> int:
    if _statx(found, "")[2] != nsfs:
        raise OSError(errno.ESTALE, "no namespace is there any more")
    return os.open(f"/proc/thread-self/fd/{found}", os.O_RDONLY | os.O_CLOEXEC)


def namespace_of_socket(pidfd: int, fd: int) -> int:
    """A descriptor of the network namespace of another process's socket or tun descriptor (SIOCGSKNS)."""
    with _copied(pidfd, fd) as copy:
        return fcntl.ioctl(copy, SIOCGSKNS)


def inode_of_socket(pidfd: int, fd: int) -> int:
    """The inode of that namespace."""
    ns = namespace_of_socket(pidfd, fd)
    try:
        return os.fstat(ns).st_ino
    finally:
        os.close(ns)


def namespace_of_tun(pid: int, fd: int) -> int:
    """The inode of the namespace that the link behind another process's tun descriptor is in."""
    with _borrowed(pid, fd) as copy:
        ns = fcntl.ioctl(copy, TUNGETDEVNETNS)
        try:
            return os.fstat(ns).st_ino
        finally:
            os.close(ns)


def macvtap(pid: int, fd: int) -> tuple[bytes, bytes]:
    """MAC and name of the macvtap link behind another process's descriptor (drivers/net/tap.c)."""
    with _borrowed(pid, fd) as copy:
        name: bytes = fcntl.ioctl(copy, TUNGETIFF, bytes(40))[:16]
        address: bytes = fcntl.ioctl(copy, SIOCGIFHWADDR, bytes(40))[18:24]
    return address, name.split(b"\0", 1)[0]


@contextlib.contextmanager
def _borrowed(pid: int, fd: int) -> Iterator[int]:
    """A copy of another process's descriptor, for a moment."""
    pidfd = pidfd_open(pid)
    try:
        with _copied(pidfd, fd) as copy:
            yield copy
    finally:
        os.close(pidfd)


@contextlib.contextmanager
def _copied(pidfd: int, fd: int) -> Iterator[int]:
    """The same by a descriptor of the process (pidfd_getfd, Linux 5.6); it takes what tracing that process takes.

    Whoever calls has made sure of what it is, but another may have that number by now: only a socket or a character
    device is let through, and no file system is asked which it is. OSError: EBADF if it is something else.
    """
    copy = _syscall(SYS_PIDFD_GETFD, pidfd, fd, 0)
    try:
        if not (stat.S_ISSOCK(kind := _statx(copy, "")[0]) or stat.S_ISCHR(kind)):
            raise OSError(errno.EBADF, "it is something else by now")
        yield copy
    finally:
        os.close(copy)


def device(path: str) -> tuple[int, int]:
    """(mode, device number) of a device that a path leads to, as the kernel knows it: no file system is asked (statx)."""
    kind, number, _ = _statx(AT_FDCWD, path)
    return kind, number


def _statx(folder: int, path: str) -> tuple[int, int, int]:
    """(mode, number of the device that it is, number of the device that it is on), as the kernel knows them by now."""
    buffer = ctypes.create_string_buffer(256)
    flags = AT_STATX_DONT_SYNC | (0 if path else AT_EMPTY_PATH)
    _checked(_libc.statx(folder, os.fsencode(path), flags, STATX_TYPE, buffer))
    kind, *numbers = struct.unpack_from("=28xH98xIIII", buffer.raw)
    return kind, os.makedev(*numbers[:2]), os.makedev(*numbers[2:])


def is_network_namespace(fd: int) -> bool:
    """True if that nsfs descriptor is a network namespace."""
    return fcntl.ioctl(fd, NS_GET_NSTYPE) == CLONE_NEWNET


def is_another(fd: int, cookie: int) -> bool:
    """True if the kernel can tell (Linux 6.18) that the namespace is not the one with that cookie."""
    answer = bytearray(8)
    try:
        fcntl.ioctl(fd, NS_GET_ID, answer)
    except OSError:
        return False
    return int.from_bytes(answer, sys.byteorder) != cookie


def _ethtool(ifname: bytes, command: bytes, room: int) -> bytes:
    """One SIOCETHTOOL in the calling thread's namespace: the command's structure as the driver filled it in."""
    buffer = ctypes.create_string_buffer(command, room)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, struct.pack("16sP16x", ifname, ctypes.addressof(buffer)))
    return buffer.raw


def driver_statistics(ifname: bytes) -> bytes:
    """Count, names and values of `ethtool -S`."""
    sets = _ethtool(ifname, struct.pack("=IIQI", ETHTOOL_GSSET_INFO, 0, 1 << ETH_SS_STATS, 0), 20)
    count = struct.unpack_from("=I", sets, 16)[0] if struct.unpack_from("=Q", sets, 8)[0] else 0
    if not 0 < count <= STATISTICS:
        return struct.pack("=I", 0)
    names = _ethtool(ifname, struct.pack("=III", ETHTOOL_GSTRINGS, ETH_SS_STATS, count), 12 + 32 * count)
    values = _ethtool(ifname, struct.pack("=II", ETHTOOL_GSTATS, count), 8 + 8 * count)
    return struct.pack("=I", count) + names[12:] + values[8:]


def driver(ifname: bytes) -> bytes:
    """Struct ethtool_drvinfo (`ethtool -i`)."""
    return _ethtool(ifname, struct.pack("=I", ETHTOOL_GDRVINFO), DRVINFO)


def link_settings(ifname: bytes) -> bytes:
    """Struct ethtool_link_settings and its masks (`ethtool NAME`): the kernel first says how many words they take."""
    asked = _ethtool(ifname, struct.pack("=I", ETHTOOL_GLINKSETTINGS), LINK_SETTINGS)
    words = ctypes.c_int8(asked[MASK_WORDS]).value
    command = bytearray(LINK_SETTINGS)
    struct.pack_into(f"=I{MASK_WORDS - 4}xb", command, 0, ETHTOOL_GLINKSETTINGS, -words)
    return _ethtool(ifname, bytes(command), LINK_SETTINGS + 3 * 4 * max(0, -words))


def programs(ifindex: int) -> bytes:
    """The BPF programs attached to a link by tcx and netkit: u32 attach type, u32 count, the u32 ids, for each type.

    BPF_PROG_QUERY (Linux 6.6, 6.7); a kernel that does not know a type has nothing attached so. OSError: EPERM.
    """
    found = b""
    for kind in ATTACH_TYPES:
        ids = (ctypes.c_uint32 * PROGRAMS)()
        query = ctypes.create_string_buffer(BPF_ATTR)
        struct.pack_into("=IIIIQI", query, 0, ifindex, kind, 0, 0, ctypes.addressof(ids), PROGRAMS)
        try:
            _bpf(BPF_PROG_QUERY, query)
        except OSError as error:
            if error.errno in NO_PROGRAMS:
                continue
            raise
        (count,) = struct.unpack_from("=I", query, 24)
        found += struct.pack("=II", kind, min(count, PROGRAMS)) + bytes(ids)[: 4 * min(count, PROGRAMS)]
    return found


def program(number: int) -> bytes:
    """The begin of struct bpf_prog_info of the program with that id: type, id, tag, name."""
    query = ctypes.create_string_buffer(BPF_ATTR)
    struct.pack_into("=I", query, 0, number)
    fd = _bpf(BPF_PROG_GET_FD_BY_ID, query)
    try:
        info = ctypes.create_string_buffer(PROG_INFO)
        query = ctypes.create_string_buffer(BPF_ATTR)
        struct.pack_into("=IIQ", query, 0, fd, PROG_INFO, ctypes.addressof(info))
        _bpf(BPF_OBJ_GET_INFO_BY_FD, query)
        return info.raw
    finally:
        os.close(fd)


def netfilter_links() -> bytes:
    """All attachments of BPF programs to hooks of netfilter: u32 program id, family, hook, s32 priority, for each (Linux 6.4).

    In which namespace each is the kernel does not tell. OSError: EPERM.
    """
    found, number = b"", 0
    for _ in range(LINKS):
        query = ctypes.create_string_buffer(BPF_ATTR)
        struct.pack_into("=I", query, 0, number)
        try:
            _bpf(BPF_LINK_GET_NEXT_ID, query)
        except OSError as error:
            if error.errno in NO_PROGRAMS:
                break
            raise
        (number,) = struct.unpack_from("=I", query, 4)
        found += _netfilter_link(number)
    return found


def _netfilter_link(number: int) -> bytes:
    """What one attachment says of itself, if it is one to netfilter, and still there."""
    query = ctypes.create_string_buffer(BPF_ATTR)
    struct.pack_into("=I", query, 0, number)
    try:
        fd = _bpf(BPF_LINK_GET_FD_BY_ID, query)
    except OSError as error:
        if error.errno == errno.ENOENT:
            return b""
        raise
    try:
        info = ctypes.create_string_buffer(LINK_INFO)
        query = ctypes.create_string_buffer(BPF_ATTR)
        struct.pack_into("=IIQ", query, 0, fd, LINK_INFO, ctypes.addressof(info))
        _bpf(BPF_OBJ_GET_INFO_BY_FD, query)
    finally:
        os.close(fd)
    kind, _, program = struct.unpack_from("=III", info)
    return struct.pack("=I", program) + info.raw[16:28] if kind == BPF_LINK_TYPE_NETFILTER else b""


def _bpf(command: int, attribute: ctypes.Array[ctypes.c_char]) -> int:
    number = SYS_BPF.get(os.uname().machine, SYS_BPF_GENERIC)
    return _syscall(number, command, attribute, len(attribute))
