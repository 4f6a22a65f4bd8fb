"""The keeper's own process: forks one small child per namespace to be held.

A request is one packet: the words, and as ancillary data the namespace's descriptor. The answer is one packet: "ok PID TID",
"gone", or "error ERRNO TEXT". The end of the packets (the laboratory ended, in whatever way) ends the keeper and,
through PR_SET_PDEATHSIG, its children. No descriptor of a namespace stays behind in the keeper itself.
"""

from __future__ import annotations

import _socket
import _thread
import contextlib
import errno
import os

from . import syscalls

# typing and signal would take 10 ms of a start that every laboratory waits for.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_NETLINK_ROUTE = 0
_SIGKILL = 9


def main(arguments: list[str]) -> None:
    """Serve the socket whose descriptor is the first argument, until it ends."""
    control = _socket.socket(fileno=int(arguments[0]))
    children: set[int] = set()
    while True:
        request, ancillary, _, _ = control.recvmsg(65536, _socket.CMSG_SPACE(4))
        if not request:
            break
        words = request.split(b"\0")
        netns = int.from_bytes(ancillary[0][2][:4], "little") if ancillary else -1
        if words[0] == b"end":
            pid = int(words[1])
            _end(pid)
            children.discard(pid)
            control.send(b"gone")
            continue
        answer, pid = _start(control, netns, words)
        os.close(netns)
        if answer.startswith(b"ok"):
            children.add(pid)
        control.send(answer)
    for pid in children:
        _end(pid)


def _end(pid: int) -> None:
    os.kill(pid, _SIGKILL)
    os.waitpid(pid, 0)


def _start(control: _socket.socket, netns: int, words: list[bytes]) -> tuple[bytes, int]:
    """Fork a holder and wait until it holds."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            syscalls.die_with_parent(_SIGKILL)
            os.close(reading)
            control.close()
            HOLDERS[words[0].decode()](netns, words[1:], lambda tid: _ready(writing, tid))
        except OSError as error:
            os.write(writing, f"error\0{error.errno}\0{error.strerror}".encode(errors="replace"))
        finally:
            os._exit(1)
    os.close(writing)
    answer = os.read(reading, 4096)
    os.close(reading)
    if not answer.startswith(b"ok"):
        os.waitpid(pid, 0)
        return answer or f"error\0{errno.ECHILD}\0the holder ended".encode(), pid
    return answer, pid


def _ready(writing: int, tid: int) -> None:
    os.write(writing, f"ok\0{os.getpid()}\0{tid}".encode())
    os.close(writing)
    _wait_forever()


def _wait_forever() -> None:
    lock = _thread.allocate_lock()
    lock.acquire()
    lock.acquire()


def _process(netns: int, _words: list[bytes], ready: Callable[[int], None]) -> None:
    """A process lives in it."""
    syscalls.setns(netns, syscalls.CLONE_NEWNET)
    os.close(netns)
    ready(os.getpid())


def _thread_only(netns: int, _words: list[bytes], ready: Callable[[int], None]) -> None:
    """A thread lives in it, the process' main thread elsewhere."""
    told, telling = os.pipe()

    def live() -> None:
        try:
            syscalls.setns(netns, syscalls.CLONE_NEWNET)
        except OSError as error:
            os.write(telling, f"-{error.errno}".encode())
            return
        os.write(telling, str(_thread.get_native_id()).encode())
        _wait_forever()

    _thread.start_new_thread(live, ())
    tid = int(os.read(told, 64))
    if tid < 0:
        raise OSError(-tid, os.strerror(-tid))
    for fd in (told, telling, netns):
        os.close(fd)
    ready(tid)


def _descriptor(_netns: int, _words: list[bytes], ready: Callable[[int], None]) -> None:
    """A descriptor is open."""
    ready(os.getpid())


def _socket_only(netns: int, words: list[bytes], ready: Callable[[int], None]) -> None:
    """A socket that was opened in it is left; the word says "netlink" or "udp"."""
    with syscalls.inside(netns):
        if words[0] == b"udp":
            kept = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
        else:
            kept = _socket.socket(_socket.AF_NETLINK, _socket.SOCK_RAW, _NETLINK_ROUTE)
    os.close(netns)
    ready(os.getpid())
    kept.close()


def _in_flight(netns: int, _words: list[bytes], ready: Callable[[int], None]) -> None:
    """Its descriptor waits in the queue of a unix socket and is open nowhere."""
    receiving, sending = _socket.socketpair(_socket.AF_UNIX, _socket.SOCK_STREAM)
    sending.sendmsg([b"x"], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, netns.to_bytes(4, "little"))])
    os.close(netns)
    ready(os.getpid())
    receiving.close()


def _mounted_elsewhere(netns: int, words: list[bytes], ready: Callable[[int], None]) -> None:
    """It is mounted (the word says where) in this child's own mount namespace; the child itself stays outside of it."""
    syscalls.unshare(syscalls.CLONE_NEWNS)
    syscalls.mount("none", "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)
    # The copies that a new mount namespace begins with would keep other namespaces alive.
    for path in reversed(syscalls.nsfs_mounts()):
        with contextlib.suppress(OSError):
            syscalls.umount(path)
    folder, _, leaf = words[0].rpartition(b"/")
    syscalls.mount("tmpfs", folder, "tmpfs")
    target = folder + b"/" + leaf
    os.close(os.open(target, os.O_CREAT | os.O_EXCL, 0o444))
    syscalls.mount(f"/proc/self/fd/{netns}", target, None, syscalls.MS_BIND)
    os.close(netns)
    ready(os.getpid())


HOLDERS: dict[str, Callable[[int, list[bytes], Callable[[int], None]], None]] = {
    "process": _process,
    "thread": _thread_only,
    "descriptor": _descriptor,
    "socket": _socket_only,
    "in-flight": _in_flight,
    "mounted-elsewhere": _mounted_elsewhere,
}
