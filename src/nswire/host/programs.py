"""The programs that alone read a firewall in full: `nft`, `iptables-save` and their like. The standard library alone.

They are started by the thread that is in the namespace, so that they are in it, too, and only where there is something to read:
each takes ten milliseconds, and asking for a firewall makes a kernel without one load its modules.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"  # nothing that is elsewhere is started as root
SECONDS = 20  # a firewall with 100 000 elements takes two
LARGEST = 64 << 20  # bytes: a recording holds no more of one answer, and 100 000 rules are a fifth of that
PIECE = 1 << 20
NETLINK_NETFILTER = 12
NFT_MSG_GETTABLE = 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, include/uapi/linux/netfilter/nf_tables.h
NLM_F_REQUEST_DUMP = 0x301
HEADER = 20  # of an empty dump: one NLMSG_DONE

_request = struct.Struct("=IHHIIBBH")


def run(name: str, *arguments: str) -> bytes:
    """What a program prints. OSError: it is not installed (ENOPKG), fails, takes too long, or prints more than anybody reads.

    It is in a session of its own, so that it ends with all that it may have started.
    """
    path = shutil.which(name, path=FOLDERS)
    if path is None:
        raise OSError(errno.ENOPKG, f"{name} is not installed")
    with subprocess.Popen(
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": FOLDERS, "LC_ALL": "C"},
        start_new_session=True,
    ) as process:
        try:
            printed = _printed(process, time.monotonic() + SECONDS)
        except OSError as error:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise OSError(error.errno, f"{name}: {error.strerror}") from None
    if process.returncode:
        raise OSError(errno.EIO, f"{name} failed")
    return printed


def _printed(process: subprocess.Popen[bytes], until: float) -> bytes:
    """All that it prints, until it ends. OSError: ETIMEDOUT, EFBIG."""
    if process.stdout is None:
        raise OSError(errno.EIO, "no output")
    parts, size = [], 0
    while True:
        left = until - time.monotonic()
        if left <= 0 or not select.select([process.stdout], (), (), left)[0]:
            raise OSError(errno.ETIMEDOUT, "it took too long")
        part = os.read(process.stdout.fileno(), PIECE)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > LARGEST:
            raise OSError(errno.EFBIG, "it prints too much")
    try:
        process.wait(max(until - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise OSError(errno.ETIMEDOUT, "it took too long") from None
    return b"".join(parts)


def nftables(sysfs: str, converse: Callable[[socket.socket, bytes], bytes]) -> bytes:
    """The ruleset as `nft -j` lists it; empty if there is none, which a kernel without nf_tables is not even asked."""
    if not has("nf_tables", sysfs):
        return b""
    with _netfilter() as sock:
        size = _request.size
        tables = converse(sock, _request.pack(size, NFT_MSG_GETTABLE, NLM_F_REQUEST_DUMP, 1, 0, 0, 0, 0))
    return run("nft", "-j", "list", "ruleset") if len(tables) > HEADER else b""


def legacy(proc: str, names: str, program: str, *arguments: str) -> bytes:
    """The tables of the old iptables or arptables, as a program prints them; empty if none is in use."""
    try:
        used = Path(f"{proc}/thread-self/net/{names}").read_bytes()
    except FileNotFoundError:
        return b""
    return run(program, *arguments) if used else b""


def ebtables(sysfs: str, table: str) -> bytes:
    """A table of the old ebtables, as it lists it; empty if no namespace has it: to ask for it would load its module."""
    if not os.path.exists(f"{sysfs}/module/ebtable_{table}"):
        return b""
    return run("ebtables-legacy", "-t", table, "-L", "--Lmac2")


def ipset(sysfs: str, request: bytes, converse: Callable[[socket.socket, bytes], bytes]) -> bytes:
    """The sets of ipset, as the kernel itself tells them; empty if it has none."""
    if not has("ip_set", sysfs):
        return b""
    with _netfilter() as sock:
        return converse(sock, request)


def _netfilter() -> socket.socket:
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)


def has(module: str, sysfs: str) -> bool:
    """Whether asking would not make the kernel load that module: it is loaded, built in, or there are none to load."""
    if os.path.exists(f"{sysfs}/module/{module}"):
        return True
    folder = Path("/lib/modules", os.uname().release)
    try:
        return f"/{module}.ko".encode() in (folder / "modules.builtin").read_bytes()
    except OSError:
        return not folder.is_dir()
