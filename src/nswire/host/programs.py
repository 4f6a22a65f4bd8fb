"""The programs that alone read a firewall in full: `nft` and `iptables-save`. The standard library alone.

They are started by the thread that is in the namespace, so that they are in it, too, and only where there is something to read:
each takes ten milliseconds, and asking for a firewall makes a kernel without one load its modules.
"""

from __future__ import annotations

import errno
import os
import shutil
import socket
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"  # nothing that is elsewhere is started as root
SECONDS = 20  # a firewall with 100 000 elements takes two
NETLINK_NETFILTER = 12
NFT_MSG_GETTABLE = 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, include/uapi/linux/netfilter/nf_tables.h
NLM_F_REQUEST_DUMP = 0x301
HEADER = 20  # of an empty dump: one NLMSG_DONE

_request = struct.Struct("=IHHIIBBH")


def run(name: str, *arguments: str) -> bytes:
    """What a program prints. OSError: it is not installed (ENOPKG), fails, or takes too long."""
    path = shutil.which(name, path=FOLDERS)
    if path is None:
        raise OSError(errno.ENOPKG, f"{name} is not installed")
    try:
        done = subprocess.run(
            [path, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": FOLDERS, "LC_ALL": "C"},
            timeout=SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(errno.ETIMEDOUT, f"{name} took too long") from None
    if done.returncode:
        raise OSError(errno.EIO, f"{name} failed")
    return done.stdout


def nftables(sysfs: str, converse: Callable[[socket.socket, bytes], bytes]) -> bytes:
    """The ruleset as `nft -j` lists it; empty if there is none, which a kernel without nf_tables is not even asked."""
    if not has("nf_tables", sysfs):
        return b""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER) as sock:
        size = _request.size
        tables = converse(sock, _request.pack(size, NFT_MSG_GETTABLE, NLM_F_REQUEST_DUMP, 1, 0, 0, 0, 0))
    return run("nft", "-j", "list", "ruleset") if len(tables) > HEADER else b""


def legacy(proc: str, program: str, names: str) -> bytes:
    """The tables of the old iptables, as its save program prints them; empty if none is in use."""
    try:
        used = Path(f"{proc}/thread-self/net/{names}").read_bytes()
    except FileNotFoundError:
        return b""
    return run(program) if used else b""


def has(module: str, sysfs: str) -> bool:
    """Whether asking would not make the kernel load that module: it is loaded, built in, or there are none to load."""
    if os.path.exists(f"{sysfs}/module/{module}"):
        return True
    folder = Path("/lib/modules", os.uname().release)
    try:
        return f"/{module}.ko".encode() in (folder / "modules.builtin").read_bytes()
    except OSError:
        return not folder.is_dir()
