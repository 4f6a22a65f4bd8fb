"""The programs that alone read a firewall in full: `nft`, `iptables-save` and their like. The standard library alone.

They are started by the thread that is in the namespace, so that they are in it, too, and only where there is something to read:
each takes ten milliseconds, and asking for a firewall makes a kernel without one load its modules.
"""

from __future__ import annotations

import contextlib
import errno
import math
import os
import resource
import select
import shutil
import signal
import socket
import struct
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from nswire.host.budget import ANSWER

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.host.budget import Budget

FOLDERS = "/usr/sbin:/sbin:/usr/bin:/bin"  # nothing that is elsewhere is started as root
SECONDS = 20  # of wall clock in any case: a firewall with 100 000 elements takes two
MEMORY = 512 << 20  # bytes of address space; nft takes 250 MB for 50 000 rules
OFTEN = 0.05  # seconds between two looks at what it took
CPUCLOCK_SCHED = 2
PIECE = 1 << 20
NETLINK_NETFILTER = 12
NFT_MSG_GETGEN = 10 << 8 | 16
NLM_F_REQUEST = 1
NFT_MSG_GETTABLE = 10 << 8 | 1  # NFNL_SUBSYS_NFTABLES, include/uapi/linux/netfilter/nf_tables.h
NLM_F_REQUEST_DUMP = 0x301
HEADER = 20  # of an empty dump: one NLMSG_DONE

_request = struct.Struct("=IHHIIBBH")


def run(name: str, *arguments: str, budget: Budget | None = None) -> bytes:
    """What a program prints. OSError: it is not installed (ENOPKG), fails, takes too long (ETIMEDOUT), prints too much (EFBIG).

    It is in a session of its own, so that it ends with all that it may have started. What it takes depends on what a container
    has made, so there it gets a share of processor time, and of memory (`budget`; None: at home).
    """
    path = shutil.which(name, path=FOLDERS)
    if path is None:
        raise OSError(errno.ENOPKG, f"{name} is not installed")
    share = SECONDS if budget is None else budget.share()
    with subprocess.Popen(
        [path, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={"PATH": FOLDERS, "LC_ALL": "C"},
        start_new_session=True,
    ) as process:
        took = 0.0
        try:
            _limit(process.pid, share, None if budget is None else MEMORY)
            printed, took = _printed(process, time.monotonic() + SECONDS, share)
        except OSError as error:
            took = share
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise OSError(error.errno, f"{name}: {error.strerror}") from None
        finally:
            if budget is not None:
                budget.ran(took)
    if process.returncode:
        slow = process.returncode == -signal.SIGXCPU
        raise OSError(errno.ETIMEDOUT if slow else errno.EIO, f"{name} failed")
    return printed


def _limit(pid: int, seconds: float, memory: int | None) -> None:
    """What the kernel itself sees to, should we be kept from it."""
    with contextlib.suppress(OSError):  # it may have ended by now
        most = math.ceil(seconds)
        resource.prlimit(pid, resource.RLIMIT_CPU, (most, most))
        if memory is not None:
            resource.prlimit(pid, resource.RLIMIT_AS, (memory, memory))


def _printed(process: subprocess.Popen[bytes], until: float, share: float) -> tuple[bytes, float]:
    """All that it prints, until it ends, and the processor time that it took. OSError: ETIMEDOUT, EFBIG."""
    if process.stdout is None:
        raise OSError(errno.EIO, "no output")
    parts: list[bytes] = []
    size = 0
    took = 0.0
    while True:
        took = max(took, _seconds(process.pid))
        left = until - time.monotonic()
        if left <= 0 or took > share:
            raise OSError(errno.ETIMEDOUT, "it took too long")
        if not select.select([process.stdout], (), (), min(left, OFTEN))[0]:
            continue
        part = os.read(process.stdout.fileno(), PIECE)
        if not part:
            break
        parts.append(part)
        size += len(part)
        if size > ANSWER:
            raise OSError(errno.EFBIG, "it prints too much")
    try:
        process.wait(max(until - time.monotonic(), 0))
    except subprocess.TimeoutExpired:
        raise OSError(errno.ETIMEDOUT, "it took too long") from None
    return b"".join(parts), took


def _seconds(pid: int) -> float:
    """Processor time that a child took until now; 0 if it is gone. The number of its clock: linux/posix-timers_types.h."""
    try:
        return time.clock_gettime(~pid << 3 | CPUCLOCK_SCHED)
    except OSError:
        return 0.0


def nftables(
    sysfs: str, converse: Callable[[socket.socket, bytes], bytes], budget: Budget | None = None
) -> bytes:
    """The ruleset as `nft -j` lists it; empty if there is none, which a kernel without nf_tables is not even asked."""
    if not has("nf_tables", sysfs):
        return b""
    with _netfilter() as sock:
        size = _request.size
        tables = converse(sock, _request.pack(size, NFT_MSG_GETTABLE, NLM_F_REQUEST_DUMP, 1, 0, 0, 0, 0))
    return run("nft", "-j", "list", "ruleset", budget=budget) if len(tables) > HEADER else b""


def legacy(proc: str, names: str, program: str, *arguments: str, budget: Budget | None = None) -> bytes:
    """The tables of the old iptables or arptables, as a program prints them; empty if none is in use."""
    try:
        used = Path(f"{proc}/thread-self/net/{names}").read_bytes()
    except FileNotFoundError:
        return b""
    return run(program, *arguments, budget=budget) if used else b""


def ebtables(sysfs: str, table: str, budget: Budget | None = None) -> bytes:
    """A table of the old ebtables, as it lists it; empty if no namespace has it: to ask for it would load its module."""
    if not os.path.exists(f"{sysfs}/module/ebtable_{table}"):
        return b""
    return run("ebtables-legacy", "-t", table, "-L", "--Lmac2", budget=budget)


def generation(sysfs: str, converse: Callable[[socket.socket, bytes], bytes]) -> bytes:
    """NFT_MSG_GETGEN: a number that each change of nf_tables' rules makes another; empty on a kernel without nf_tables."""
    if not has("nf_tables", sysfs):
        return b""
    with _netfilter() as sock:
        return converse(sock, _request.pack(_request.size, NFT_MSG_GETGEN, NLM_F_REQUEST, 1, 0, 0, 0, 0))


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
