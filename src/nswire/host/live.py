"""This host, asked directly: procfs here, the insides of namespaces by `visitor`. Raw bytes out; standard library alone.

Rules of the room: only read; every descriptor opened here is closed here; what cannot be read is in the answer.
"""

from __future__ import annotations

import errno
import json
import os
import re
import sys
import threading
import time
from itertools import islice
from typing import TYPE_CHECKING

from nswire.host import syscalls
from nswire.host.budget import Budget
from nswire.host.netns_worker import Visitor, is_ours
from nswire.host.ovs_client import OpenVSwitch
from nswire.host.proc import Proc, link_text
from nswire.host.state_files import Files
from nswire.host.system import Answer, Errand, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.host.apart import Apart
    from nswire.host.foreign import Foreign

NETNS_DIRS = ("/run/netns", "/run/docker/netns")
TOGETHER = 32  # namespaces visited before their answers are handed over
INITIAL_ONLY = (
    "/proc/sys/net/core/netdev_max_backlog"  # net_core_table: registered in the initial namespace only
)


# A namespace of a process or thread, as `ip netns attach` and the users of Docker link to it.
OF_PROCESS = re.compile(rb"/proc/\d+(?:/task/\d+)?/ns/net")
_NET = re.compile(rb"net:\[(\d+)\]")
NOTHING = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESRCH, errno.ESTALE)
# Folders in which nobody but root mounts, links or makes folders; a user may do all three in his own.
OURS = ("etc/", "run/", "var/lib/", "var/log/", "var/run/", "var/snap/")
NOT_OURS = ("run/user/", "var/run/user/")


ANOTHER_PROC = (
    "this process is not in it, since it is that of another pid namespace: mount -t proc proc /proc"
)
BY_PID = ("sockets", "taps")  # questions that copy descriptors


def _shown(proc: str) -> int:
    """Our pid as that /proc has it, which may be that of another pid namespace."""
    try:
        return int(os.readlink(f"{proc}/thread-self").partition("/")[0])
    except (OSError, ValueError):
        return os.getpid()


def _cpus() -> int:
    """One more than the highest number of a processor that this machine may have; 0: not told."""
    try:
        with open("/sys/devices/system/cpu/possible", encoding="ascii") as file:
            return int(file.read().strip().replace("-", ",").split(",")[-1]) + 1
    except (OSError, ValueError):
        return 0


def _as_in_mountinfo(path: bytes) -> bytes:
    """A path with the characters escaped that mountinfo escapes (show_mountinfo: blank, tab, newline, backslash)."""
    return _MANGLED.sub(lambda match: b"\\%03o" % match[0][0], path)


_MANGLED = re.compile(rb"[\\ \t\n]")


class Live:
    """The machine nswire runs on, seen from the namespaces of the calling process."""

    def __init__(
        self,
        proc: str = "/proc",
        netns_dirs: tuple[str, ...] = NETNS_DIRS,
        sysfs: str = "/sys",
        ovs_dir: str = "/run/openvswitch",
        root: str = "/",
        *,
        foreign: type[Foreign] | None = None,
    ) -> None:
        """Where all of that is; a test brings its own, and its own way to touch what is somebody else's (`foreign`)."""
        self._proc = proc
        self._sysfs = sysfs
        self._netns_dirs = netns_dirs
        try:
            own = os.stat(f"{proc}/thread-self/ns/net")
        except FileNotFoundError:
            raise OSError(errno.ENOENT, ANOTHER_PROC, proc) from None
        self._home = own.st_ino
        self._nsfs = own.st_dev
        self._pid = _shown(proc)
        self._root = root
        self._foreign = foreign
        self._apart: Apart | None = None
        self._budget = Budget()
        # Calls that take a pid take that of our own pid namespace: they would mean another process than /proc does.
        self._numbered_otherwise = self._pid != os.getpid()
        self._questions: dict[str, Callable[[str], bytes]] = {
            "about": self._about,
            "names": self._names,
            "pci": self._pci,
            "program": lambda number: syscalls.program(int(number)),
            "netfilter-links": lambda _: syscalls.netfilter_links(),
            **Proc(proc, self._home, self._pid, self._touching).questions,
            **{verb: self._of_files(verb, ask) for verb, ask in Files(root).questions.items()},
            **OpenVSwitch(ovs_dir).questions,
        }

    def _touching(self) -> Apart:
        """Who touches what is somebody else's: loaded when there is something to touch, which is not often."""
        if self._apart is None:
            from nswire.host.apart import Apart
            from nswire.host.foreign import Foreign

            made = self._foreign or Foreign
            self._apart = Apart(self._proc, self._root, self._nsfs, self._pid, made)
        return self._apart

    # -- the whole host ------------------------------------------------------------------------------------------

    def host(self, name: str) -> Answer:
        """Answer a question about the whole host; the texts are described where each is made."""
        verb, _, argument = name.partition("/")
        if self._numbered_otherwise and verb in BY_PID:
            return Refusal(errno.EXDEV, "read")
        try:
            return self._questions[verb](argument)
        except OSError as error:
            return Refusal(error.errno or errno.EIO, "read")
        except ValueError:  # a pid file without a pid, half a line of /proc
            return Refusal(errno.EBADMSG, "read")

    def _about(self, _: str) -> bytes:
        """JSON: when, which kernel, with which capabilities, which namespace is home, is it the initial one."""
        self._budget.again()  # every look begins with this question
        status = self._text("thread-self/status").decode(errors="replace")
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        try:
            initial: bool | None = (
                os.path.exists(INITIAL_ONLY) if os.path.isdir("/proc/sys/net/core") else None
            )
        except OSError:
            initial = None
        about = {
            "time": time.time(),
            "zone": time.localtime().tm_gmtoff,
            "cpus": _cpus(),
            "kernel": os.uname().release,
            "machine": os.uname().machine,
            "byteorder": sys.byteorder,
            # a container chooses its own, and may choose bytes that are no UTF-8
            "hostname": os.fsencode(os.uname().nodename).decode("utf-8", "backslashreplace"),
            "capabilities": fields.get("CapEff", "0"),
            "uid": os.geteuid(),
            "home": self._home,
            "initial": initial,
            "pid": self._pid,
            "mnt": link_text(f"{self._proc}/thread-self/ns/mnt"),
            "hidepid": "" if os.path.exists(f"{self._proc}/1") else self._hidepid(),
        }
        return json.dumps(about).encode()

    def _hidepid(self) -> str:
        """The option of the /proc mount, as its last line in mountinfo has it: `hidepid=2`, `hidepid=invisible` ..."""
        found = ""
        for line in self._text("thread-self/mountinfo").split(b"\n"):
            mount, proc, options = line.partition(b" - proc ")
            if proc and mount.split(b" ")[4] == os.fsencode(self._proc):
                words = options.decode(errors="replace").split(",")
                found = next((word for word in words if word.startswith("hidepid=")), "")
        return found.removeprefix("hidepid=")

    def _names(self, _: str) -> bytes:
        """Lines `INODE PATH` of the entries of /run/netns and its like, paths escaped as in mountinfo.

        A symlink (a habit of Docker users) by the namespace behind it, 0 if there is none, `!ERRNO` if that may not be
        seen; `-` for all that are no symlinks: they are mounts, or left over.
        """
        lines = []
        for directory in self._netns_dirs:
            try:
                with os.scandir(os.fsencode(directory)) as entries:
                    for entry in entries:
                        behind = self._behind(entry.path) if entry.is_symlink() else b"-"
                        lines.append(b"%s %s" % (behind, _as_in_mountinfo(entry.path)))
            except OSError:
                continue
        return b"\n".join(sorted(lines))

    def _behind(self, path: bytes) -> bytes:
        """The inode of the network namespace behind a symlink; 0 if there is none, `!ERRNO` if it is not shown.

        Where it leads is looked up by a process of its own, unless it is said to be a process's namespace (a link of the
        kernel's, whose text is no path): it might lead anywhere.
        """
        try:
            target = os.readlink(path)
            if not OF_PROCESS.fullmatch(target):
                return self._touching().ask("behind", os.fsdecode(path))
            found = _NET.fullmatch(os.readlink(target))
            return found[1] if found else b"0"
        except OSError as error:
            return b"0" if error.errno in NOTHING else b"!%d" % (error.errno or errno.EIO)

    def _of_files(self, verb: str, ask: Callable[[str], bytes]) -> Callable[[str], bytes]:
        """A question about files: those that lie where others may mount and link are read by a process of its own."""

        def answer(argument: str) -> bytes:
            place = f"{argument.lstrip('/')}/"
            ours = verb in ("http", "user") or (place.startswith(OURS) and not place.startswith(NOT_OURS))
            return ask(argument) if ours else self._touching().ask("files", verb, argument)

        return answer

    def _pci(self, address: str) -> bytes:
        """Lines `NAME TARGET` of the links in a PCI device's folder that tell its driver, physical and virtual functions.

        The devices in /sys/bus are the machine's, whatever namespace /sys was mounted in; those in /sys/class/net are not.
        """
        if not address.strip(".").replace(":", "").replace(".", "").isalnum():
            raise OSError(errno.ENOENT, "that is no PCI address")
        folder = f"{self._sysfs}/bus/pci/devices/{address}"
        names = [
            name for name in os.listdir(folder) if name in ("driver", "physfn") or name.startswith("virtfn")
        ]
        return "\n".join(
            f"{name} {os.path.basename(os.readlink(f'{folder}/{name}'))}" for name in names
        ).encode()

    def _text(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:
            return file.read()

    # -- inside namespaces ---------------------------------------------------------------------------------------

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Run the errands in a thread of its own, which ends in whatever namespace it came to last.

        setns is per thread, so the caller never moves, and there is no way back that could fail.
        """
        left = iter(errands)
        first = list(islice(left, TOGETHER))
        if not first:
            return
        for errand in first:
            ways = errand.door.ways
            if ways and not any(is_ours(way, self._pid) for way in ways):
                self._touching().ready()  # while there is no other thread: a copy is made in a fraction of the time
                break
        failures: list[BaseException] = []
        stop = threading.Event()

        def work() -> None:
            visitor = Visitor(
                self._proc, self._sysfs, self._home, self._pid, apart=self._touching, budget=self._budget
            )
            try:
                # A few at a time: what asks and what reads the answers displace each other from the caches.
                some = first
                while some and not stop.is_set():
                    answered = [(errand, visitor.run(errand)) for errand in some if not stop.is_set()]
                    for errand, answers in answered:
                        deliver(errand, answers)
                    some = list(islice(left, TOGETHER))
            except BaseException as failure:  # noqa: BLE001 (handed to the caller's thread)
                failures.append(failure)
            finally:
                visitor.close()

        worker = threading.Thread(target=work, name="nswire-visitor", daemon=True)
        try:
            worker.start()
        except RuntimeError:  # pthread_create: RLIMIT_NPROC, pids.max
            raise OSError(errno.EAGAIN, "no thread may be started") from None
        try:
            worker.join()
        finally:
            stop.set()
            worker.join()
        if failures:
            raise failures[0]
