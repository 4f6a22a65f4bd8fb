"""Texts of /proc and of `Live`'s tables. Each parser skips what it cannot read: a host is full of surprises."""

from __future__ import annotations

import os
import re
import struct
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from nswire.codec.checked import is_decimal
from nswire.codec.netlink.framing import ip
from nswire.model.sockets import Listener

if TYPE_CHECKING:
    from collections.abc import Iterator

_NS = re.compile(r"(?:net|mnt):\[(\d{1,10})\]")
_ERRNO = re.compile(r"!(\d{1,4})")
_NAME = re.compile(r"^(?:-|(!)?(\d{1,10})) (.+)$", re.MULTILINE | re.ASCII)
# mount id, parent, device, root, mount point, options, optional fields, "-", file system
_MOUNT = re.compile(r"^\S+ \S+ \S+ net:\[(\d{1,10})\] (\S+) \S+ (?:\S+ )*?- nsfs ", re.MULTILINE | re.ASCII)
_OCTAL = re.compile(rb"\\([0-7]{3})")


DIGITS = 10  # of a pid, a descriptor, an inode at most
FAMILIES = {8: 4, 32: 6}  # by the digits of an address in /proc/net
LONGEST = 20  # characters of a link text at most


class ProcessRow(NamedTuple):
    """A process: its network and mount namespace, as an inode, or as a negative errno where it could not be read."""

    pid: int
    net: int
    mnt: int


class TableRow(NamedTuple):
    """A thread or descriptor of a process (`number` -1: the process as a whole) and its namespace or -errno."""

    pid: int
    number: int
    net: int


class TapRow(NamedTuple):
    """A descriptor that serves a tun, tap or macvtap link called `name` (`fd` -1: a process that could not be looked at).

    `net` is the namespace of a tun link (negative: -errno), `ifindex` and `mac` tell a macvtap one. `vhost`: no link, but
    the process has /dev/vhost-net open.
    """

    pid: int
    fd: int
    net: int = 0
    ifindex: int = 0
    mac: str = ""
    name: str = ""
    vhost: bool = False


class NameRow(msgspec.Struct, frozen=True, gc=False):
    """An entry of /run/netns: a symlink to that namespace (0: to none, negative: -errno), or no symlink (None)."""

    inode: int | None
    path: str


class MountRow(msgspec.Struct, frozen=True, gc=False):
    """A network namespace mounted at `path`."""

    inode: int
    path: str


def namespace(word: str) -> int | None:
    """`net:[4026531840]` -> the inode; `!13` -> -13; None for anything else."""
    refused = _ERRNO.fullmatch(word)
    if refused:
        return -int(refused[1])
    match = _NS.fullmatch(word)
    return int(match[1]) if match else None


def _words(answer: bytes, count: int) -> Iterator[list[str]]:
    for line in answer.decode("ascii", "replace").split("\n"):
        words = line.split(" ")
        if len(words) == count and is_decimal(words[0]) and len(words[1]) <= LONGEST:
            yield words


def processes(answer: bytes) -> Iterator[ProcessRow]:
    """Rows of the question `processes`."""
    for pid, net, mnt in _words(answer, 3):
        inode = namespace(net)
        if inode is not None:
            yield ProcessRow(int(pid), inode, namespace(mnt) or 0)


def table(answer: bytes) -> Iterator[TableRow]:
    """Rows of the questions `threads`, `fds` and `sockets`."""
    for pid, number, net in _words(answer, 3):
        inode = namespace(net)
        if inode is not None and (is_decimal(number) or number == "-"):
            yield TableRow(int(pid), -1 if number == "-" else int(number), inode)


def taps(answer: bytes) -> Iterator[TapRow]:
    """Rows of the question `taps`."""
    for line in answer.split(b"\n"):
        words = line.split(b" ", 4)
        if len(words) != 5:
            continue
        pid, fd, where, mac = (word.decode("ascii", "replace") for word in words[:4])
        if not (is_decimal(pid) and (is_decimal(fd) or fd == "-")):
            continue
        row = TapRow(int(pid), -1 if fd == "-" else int(fd), name=os.fsdecode(words[4]))
        if where == "vhost":
            yield row._replace(vhost=True)
        elif where.startswith("tap:") and is_decimal(where[4:], 6):
            yield row._replace(ifindex=int(where[4:]), mac=mac)
        elif len(where) <= LONGEST and (net := namespace(where)):
            yield row._replace(net=net)


def links(answer: bytes) -> dict[str, str]:
    """Rows `NAME TARGET` of the question `pci`."""
    words = (line.split(" ") for line in answer.decode("utf-8", "surrogateescape").split("\n"))
    return {row[0]: row[1] for row in words if len(row) == 2}


def inodes(answer: bytes) -> frozenset[int]:
    """The numbers of the question `socket-inodes`."""
    return frozenset(int(line) for line in answer.split() if is_decimal(line, LONGEST))


def listeners(answer: bytes, protocol: str) -> Iterator[Listener]:
    """Each line of /proc/net/tcp, udp ... that listens: state 0A (TCP), or 07 with no other side (UDP)."""
    wanted = b"0A" if protocol == "tcp" else b"07"
    for line in answer.split(b"\n"):
        words = line.split()
        if len(words) > 9 and words[3] == wanted and words[2].endswith(b":0000"):
            address, _, port = words[1].rpartition(b":")
            family = FAMILIES.get(len(address))
            try:
                # each word of an address is printed as a number of this machine's
                raw = struct.pack("=4I", *(int(address[at : at + 8] or b"0", 16) for at in (0, 8, 16, 24)))
                text = ip(raw if family == 6 else raw[:4])
                one = Listener(protocol, family or 0, text, int(port, 16), inode=int(words[9]))
            except (ValueError, struct.error):
                continue
            if family is not None:
                yield one


def socket_holders(answer: bytes) -> dict[int, int]:
    """The process that has each socket open, by inode (of several the first), of the question `socket-holders`."""
    found: dict[int, int] = {}
    for line in answer.split(b"\n"):
        pid, _, inode = line.partition(b" ")
        if is_decimal(pid) and is_decimal(inode, LONGEST):
            found[int(inode)] = min(int(pid), found.get(int(inode), int(pid)))
    return found


def udp_sockets(answer: bytes) -> Iterator[tuple[int, int]]:
    """(local port, inode) of each line of /proc/net/udp or udp6."""
    for line in answer.split(b"\n"):
        words = line.split()
        if len(words) > 9 and words[0].endswith(b":") and is_decimal(words[9], LONGEST):
            _, _, port = words[1].rpartition(b":")
            try:
                yield int(port, 16), int(words[9])
            except ValueError:
                continue


def names(answer: bytes) -> Iterator[NameRow]:
    """Rows of the question `names`."""
    for refused, inode, path in _NAME.findall(os.fsdecode(answer)):
        number = int(inode) if inode else None
        yield NameRow(-number if number and refused else number, _unescape(path))


@lru_cache(maxsize=4)
def mounts(answer: bytes) -> tuple[MountRow, ...]:
    """Network namespaces among the lines of a mountinfo: the root field of an nsfs mount is `net:[INODE]`."""
    return tuple(MountRow(int(inode), _unescape(path)) for inode, path in _MOUNT.findall(os.fsdecode(answer)))


def _unescape(path: str) -> str:
    if "\\" not in path:
        return path
    return os.fsdecode(_OCTAL.sub(lambda match: bytes([int(match[1], 8) & 0xFF]), os.fsencode(path)))


_TRIE = re.compile(r"^(Main|Local):$.*?^\tPrefixes: +(\d{1,10})$", re.MULTILINE | re.DOTALL | re.ASCII)


def prefixes(data: bytes) -> dict[str, int]:
    """/proc/net/fib_triestat: how many routes the IPv4 tables `Main` and `Local` hold (fib_trie.c: fib_triestat_seq_show).

    Where they are one, each is told with all that both hold. A table that is not there is missing.
    """
    return {name: int(count) for name, count in _TRIE.findall(data.decode("ascii", "replace"))}
