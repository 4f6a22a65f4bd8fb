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
from typing import TYPE_CHECKING

from nswire.host import jsonrpc, syscalls
from nswire.host.system import Answer, Errand, Refusal
from nswire.host.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

NETNS_DIRS = ("/run/netns", "/run/docker/netns")
INITIAL_ONLY = (
    "/proc/sys/net/core/netdev_max_backlog"  # net_core_table: registered in the initial namespace only
)


# What is asked of Open vSwitch's database: table -> columns, all of which it has had for many years.
OVSDB = {
    "Bridge": ["_uuid", "name", "datapath_type", "ports"],
    "Port": ["_uuid", "name", "interfaces", "tag", "trunks", "vlan_mode", "other_config", "external_ids"],
    "Interface": ["_uuid", "name", "type", "options", "external_ids", "mac_in_use", "ofport", "error"],
}
SECRET_OPTIONS = ("psk", "private_key", "certificate")


def _as_in_mountinfo(path: bytes) -> bytes:
    """A path with the characters escaped that mountinfo escapes (show_mountinfo: blank, tab, newline, backslash)."""
    return _MANGLED.sub(lambda match: b"\\%03o" % match[0][0], path)


_NSFS = re.compile(rb"^.* - nsfs .*$", re.MULTILINE)
_MANGLED = re.compile(rb"[\\ \t\n]")


def _without_secrets(row: dict[str, object]) -> dict[str, object]:
    """A row of the database without the options of a tunnel that are nobody's business."""
    match row.get("options"):
        case ["map", [*pairs]]:
            public = [
                pair
                for pair in pairs
                if isinstance(pair, list) and pair[:1] != [] and pair[0] not in SECRET_OPTIONS
            ]
            return row | {"options": ["map", public]}
    return row


_GONE = (f"!{errno.ENOENT}", f"!{errno.ESRCH}")


class Live:
    """The machine nswire runs on, seen from the namespaces of the calling process."""

    def __init__(
        self,
        proc: str = "/proc",
        netns_dirs: tuple[str, ...] = NETNS_DIRS,
        sysfs: str = "/sys",
        ovs_dir: str = "/run/openvswitch",
    ) -> None:
        self._proc = proc
        self._sysfs = sysfs
        self._ovs_dir = ovs_dir
        self._netns_dirs = netns_dirs
        own = os.stat(f"{proc}/thread-self/ns/net")
        self._home = own.st_ino
        self._nsfs = own.st_dev
        self._pid = os.getpid()
        self._questions: dict[str, Callable[[str], bytes]] = {
            "about": self._about,
            "processes": self._processes,
            "threads": self._threads,
            "names": self._names,
            "mountinfo": self._mountinfo,
            "root": self._root,
            "fds": self._fds,
            "sockets": self._sockets,
            "taps": self._taps,
            "socket-inodes": self._socket_inodes,
            "comm": self._comm,
            "pci": self._pci,
            "ovs": self._ovs,
            "ovsdb": self._ovsdb,
            "program": lambda number: syscalls.program(int(number)),
        }

    # -- the whole host ------------------------------------------------------------------------------------------

    def host(self, name: str) -> Answer:
        """Answer a question about the whole host; its texts are described at each private method."""
        verb, _, argument = name.partition("/")
        try:
            return self._questions[verb](argument)
        except OSError as error:
            return Refusal(error.errno or errno.EIO, "read")
        except ValueError:  # a pid file without a pid
            return Refusal(errno.EBADMSG, "read")

    def _about(self, _: str) -> bytes:
        """JSON: when, which kernel, with which capabilities, which namespace is home, is it the initial one."""
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
            "mnt": self._link_text(f"{self._proc}/thread-self/ns/mnt"),
            "hidepid": self._hidepid(),
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

    def _processes(self, _: str) -> bytes:
        """Lines `PID NET MNT`, each of the two as the kernel's link text (`net:[4026531840]`) or `!ERRNO`."""
        lines = []
        proc, own = self._proc, str(self._pid)
        for pid in os.listdir(proc):
            if not pid.isdigit() or pid == own:
                continue
            net = self._link_text(f"{proc}/{pid}/ns/net")
            if net in _GONE:
                continue
            lines.append(f"{pid} {net} {self._link_text(f'{proc}/{pid}/ns/mnt')}")
        return "\n".join(lines).encode()

    def _threads(self, _: str) -> bytes:
        """Lines `PID TID NET` of the threads that are not where their leader is (or whose leader is unreadable)."""
        lines = []
        for pid in self._pids():
            base = f"{self._proc}/{pid}/task"
            try:
                # st_nlink of task/ is 2 + the number of threads (proc_task_getattr): no listing of the lone ones
                if os.stat(base).st_nlink <= 3:
                    continue
                leader = self._link_text(f"{self._proc}/{pid}/ns/net")
                for tid in os.listdir(base):
                    net = self._link_text(f"{base}/{tid}/ns/net")
                    if net != leader and net not in _GONE:
                        lines.append(f"{pid} {tid} {net}")
            except OSError:
                continue
        return "\n".join(lines).encode()

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
        """The inode of the network namespace behind a path of ours; 0 if there is none, `!ERRNO` if it is not shown."""
        try:
            if os.stat(path).st_dev != self._nsfs:
                return b"0"
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            nothing = error.errno in (errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ESRCH)
            return b"0" if nothing else b"!%d" % (error.errno or errno.EIO)
        try:
            return b"%d" % os.fstat(fd).st_ino if syscalls.is_network_namespace(fd) else b"0"
        finally:
            os.close(fd)

    def _mountinfo(self, pid: str) -> bytes:
        """The namespace mounts (nsfs lines) of /proc/PID/mountinfo, as they are."""
        return b"\n".join(_NSFS.findall(self._text(f"{pid}/mountinfo")))

    def _root(self, pid: str) -> bytes:
        """The root folder of a process, as its link text: `/` unless it is chrooted."""
        return os.fsencode(os.readlink(f"{self._proc}/{pid}/root"))

    def _fds(self, _: str) -> bytes:
        """Lines `PID FD net:[INODE]` of the open descriptors that are network namespaces, or `PID - !ERRNO`.

        One that was opened through a mount shows that mount's path, and `/` once it is unmounted: what is left after
        `ip netns del` of a namespace that somebody has open.
        """
        lines = []
        for pid, fd, target in self._descriptors():
            if target.startswith(("net:[", "!")):
                lines.append(f"{pid} {fd} {target}")
            elif target == "/":
                inode = self._namespace_at(f"{self._proc}/{pid}/fd/{fd}")
                if inode:
                    lines.append(f"{pid} {fd} net:[{inode}]")
        return "\n".join(lines).encode()

    def _namespace_at(self, path: str) -> int:
        """The inode of the network namespace that a descriptor is; 0 if it is something else."""
        try:
            device, inode = syscalls.identity(path)
            if device != self._nsfs:
                return 0
            fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError:
            return 0
        try:
            return inode if syscalls.is_network_namespace(fd) else 0
        finally:
            os.close(fd)

    def _sockets(self, _: str) -> bytes:
        """Lines `PID FD net:[INODE]` of the sockets and tun descriptors that live elsewhere than their process.

        A descriptor is copied with pidfd_getfd, asked with SIOCGSKNS and closed at once. `PID FD !ERRNO`: refused.
        """
        lines = []
        pidfd = -1
        last = own = ""
        try:
            for pid, fd, target in self._descriptors():
                if not target.startswith(("socket:[", "/dev/net/tun")):
                    continue
                try:
                    if pid != last:
                        if pidfd >= 0:
                            os.close(pidfd)
                            pidfd = -1
                        last = pid
                        pidfd = syscalls.pidfd_open(int(pid))
                        own = self._link_text(f"{self._proc}/{pid}/ns/net")
                    if pidfd < 0:
                        continue
                    inode = self._socket_namespace(pidfd, int(fd))
                except OSError as error:
                    if error.errno not in (errno.ESRCH, errno.EBADF, errno.ENOENT, errno.ENOTTY):
                        lines.append(f"{pid} {fd} !{error.errno or errno.EIO}")
                    continue
                if inode != own:
                    lines.append(f"{pid} {fd} {inode}")
        finally:
            if pidfd >= 0:
                os.close(pidfd)
        return "\n".join(lines).encode()

    @staticmethod
    def _socket_namespace(pidfd: int, fd: int) -> str:
        nsfd = syscalls.namespace_of_socket(pidfd, fd)
        try:
            return f"net:[{os.fstat(nsfd).st_ino}]"
        finally:
            os.close(nsfd)

    def _socket_inodes(self, _: str) -> bytes:
        """The inodes of all sockets that processes have open, a line each: the others are the kernel's own."""
        inodes = {target[8:-1] for _, _, target in self._descriptors() if target.startswith("socket:[")}
        return "\n".join(sorted(inodes)).encode()

    def _taps(self, _: str) -> bytes:
        """Lines `PID FD WHERE MAC NAME` of the descriptors that serve a tun, tap or macvtap link; `PID - !ERRNO`: unreadable.

        WHERE is, for tun and tap, the namespace that the link is in now (TUNGETDEVNETNS; `!ERRNO` if that is refused), for
        macvtap `tap:N`, the ifindex in the name of its device, as the driver chose it; MAC is `-` but for macvtap. A
        line `PID FD vhost - -` tells of a process that lets the kernel do the copying (/dev/vhost-net).
        """
        lines = []
        for pid, fd, target in self._descriptors():
            try:
                if target == "/dev/net/tun":
                    name = self._tun_name(pid, fd)
                    if name:
                        where = f"net:[{syscalls.namespace_of_tun(int(pid), int(fd))}]"
                        lines.append(b"%s %s %s - %s" % (pid.encode(), fd.encode(), where.encode(), name))
                elif target.startswith("/dev/tap") and target[8:].isdigit():
                    mac, name = syscalls.macvtap(int(pid), int(fd))
                    lines.append(f"{pid} {fd} tap:{target[8:]} {mac.hex(':')} ".encode() + name)
                elif target == "/dev/vhost-net":
                    lines.append(f"{pid} {fd} vhost - -".encode())
                elif target.startswith("!"):
                    lines.append(f"{pid} {fd} {target} - -".encode())
            except OSError as error:
                if error.errno not in (errno.ESRCH, errno.EBADF, errno.ENOENT, errno.EBADFD):
                    lines.append(
                        f"{pid} {fd} !{error.errno or errno.EIO} - ".encode() + self._tun_name(pid, fd)
                    )
        return b"\n".join(lines)

    def _tun_name(self, pid: str, fd: str) -> bytes:
        """The link that a tun descriptor is attached to, by the name that it has now; empty: none."""
        try:
            text = self._text(f"{pid}/fdinfo/{fd}")
        except OSError:
            return b""
        return next((line[4:].strip() for line in text.split(b"\n") if line.startswith(b"iff:")), b"")

    def _comm(self, pid: str) -> bytes:
        """The process's name, as it calls itself."""
        return self._text(f"{pid}/comm").rstrip(b"\n")

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

    def _ovs(self, _: str) -> bytes:
        """JSON: `pid` of ovs-vswitchd, as itself sees it, and `dpif`: its `dpif/show` (the numbers of its ports)."""
        with open(f"{self._ovs_dir}/ovs-vswitchd.pid", "rb") as file:
            pid = int(file.read())
        text = jsonrpc.call(f"{self._ovs_dir}/ovs-vswitchd.{pid}.ctl", "dpif/show", [])
        return json.dumps({"pid": pid, "dpif": text}).encode()

    def _ovsdb(self, _: str) -> bytes:
        """JSON: the rows of the tables Bridge, Port and Interface of Open vSwitch's database, without keys and passwords."""
        selects = [
            {"op": "select", "table": table, "where": [], "columns": columns}
            for table, columns in OVSDB.items()
        ]
        result = jsonrpc.call(f"{self._ovs_dir}/db.sock", "transact", ["Open_vSwitch", *selects])
        tables: dict[str, list[dict[str, object]]] = {}
        for name, said in zip(OVSDB, result if isinstance(result, list) else (), strict=False):
            if not isinstance(said, dict) or not isinstance(said.get("rows"), list):
                raise OSError(errno.EPROTO, "the database refused")
            tables[name] = [_without_secrets(row) for row in said["rows"] if isinstance(row, dict)]
        return json.dumps(tables).encode()

    def _pids(self) -> Iterator[str]:
        own = str(self._pid)
        return (pid for pid in os.listdir(self._proc) if pid.isdigit() and pid != own)

    def _descriptors(self) -> Iterator[tuple[str, str, str]]:
        for pid in self._pids():
            base = f"{self._proc}/{pid}/fd"
            try:
                numbers = os.listdir(base)
                if not numbers:
                    pid, numbers = self._of_another_thread(pid)  # noqa: PLW2901
                    base = f"{self._proc}/{pid}/fd"
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ESRCH):
                    yield pid, "-", f"!{error.errno or errno.EIO}"
                continue
            for fd in numbers:
                target = self._link_text(f"{base}/{fd}")
                if not target.startswith("!"):
                    yield pid, fd, target

    def _of_another_thread(self, pid: str) -> tuple[str, list[str]]:
        """The descriptors of a process whose first thread ended are shown by the others alone: (TID, its numbers)."""
        base = f"{self._proc}/{pid}/task"
        if os.stat(base).st_nlink > 3:
            for tid in os.listdir(base):
                numbers = os.listdir(f"{base}/{tid}/fd")
                if numbers:
                    return tid, numbers
        return pid, []

    @staticmethod
    def _link_text(path: str) -> str:
        try:
            return os.readlink(path)
        except OSError as error:
            return f"!{error.errno or errno.EIO}"

    def _text(self, name: str) -> bytes:
        with open(f"{self._proc}/{name}", "rb") as file:
            return file.read()

    # -- inside namespaces ---------------------------------------------------------------------------------------

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Run the errands in a thread of its own, which ends in whatever namespace it came to last.

        setns is per thread, so the caller never moves, and there is no way back that could fail.
        """
        failures: list[BaseException] = []
        stop = threading.Event()

        def work() -> None:
            visitor = Visitor(self._proc, self._home, self._nsfs, self._pid)
            try:
                for errand in errands:
                    if stop.is_set():
                        break
                    deliver(errand, visitor.run(errand))
            except BaseException as failure:  # noqa: BLE001 (handed to the caller's thread)
                failures.append(failure)
            finally:
                visitor.close()

        worker = threading.Thread(target=work, name="nswire-visitor", daemon=True)
        worker.start()
        try:
            worker.join()
        finally:
            stop.set()
            worker.join()
        if failures:
            raise failures[0]
