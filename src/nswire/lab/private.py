"""A private host: a process with its own network, mounts, processes and host name, root or not.

All that is built in it is gone when its last process ends. Needs no program but this interpreter.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import pickle
import signal
import sys
import traceback
from typing import TYPE_CHECKING, NoReturn, ParamSpec, TypeVar

from . import syscalls
from .rtnl import Rtnl

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
T = TypeVar("T")

# What each knob says about a refusal, and what an administrator can do.
_KNOBS = (
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        "1",
        "AppArmor forbids: run this as root, or `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`",
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        "0",
        "user namespaces are for root only here: run this as root, or `sudo sysctl kernel.unprivileged_userns_clone=1`",
    ),
    (
        "/proc/sys/user/max_user_namespaces",
        "0",
        "user namespaces are switched off: `sysctl user.max_user_namespaces`",
    ),
    (
        "/proc/sys/user/max_net_namespaces",
        "0",
        "network namespaces are switched off: `sysctl user.max_net_namespaces`",
    ),
)
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


class PrivateHostError(OSError):
    """The kernel does not let this process make a private host; the text ends with what would help."""


class ChildError(Exception):
    """A function called in a private host raised; the text is its traceback there."""


def enter_private_host(*, user: bool, keep_proc: bool = False) -> list[str]:
    """Make a private host and go on in it: returns in a *child* process, which is its process 1.

    The calling process waits for the child and ends with the child's exit status (128 + N for signal N); the child dies
    with it. So call this first in a fresh process with a single thread; buffers of sys.stdout and sys.stderr are flushed.

    `user=True` makes a user namespace as well, with the caller as root in it: the way without being root.
    `keep_proc` leaves /proc as it is (the outer processes stay visible).

    In the host: /proc is its own, /run and /run/netns are empty, /sys shows its own network, `lo` is up.

    Returns what the kernel refused of that (["mount proc: Operation not permitted"]), for lesser hosts in containers.
    Raises PrivateHostError when the namespaces themselves are refused.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    _unshare(user=user)
    child = os.fork()
    if child:
        _wait_and_exit(child)
    syscalls.die_with_parent(signal.SIGKILL)
    # Process 1 gets only the signals that it handles.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    return _furnish(keep_proc=keep_proc)


def call_in_private_host(function: Callable[..., T], *arguments: object, user: bool | None = None) -> T:
    """Call a function in a private host of its own and return what it returns (it must pickle).

    `user` as in `enter_private_host`; by default a user namespace is made unless the caller is root.
    The caller stays as it is. stdout and stderr are shared. Raises ChildError when the function raised or its process
    ended otherwise. The caller should have a single thread, since this forks.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.close(reading)
        _answer(writing, function, arguments, user=os.geteuid() != 0 if user is None else user)
    os.close(writing)
    with open(reading, "rb") as answers:
        answer = answers.read()
    _, status = os.waitpid(child, 0)
    if not answer:
        raise ChildError(f"the private host ended with exit status {os.waitstatus_to_exitcode(status)}")
    succeeded, value = pickle.loads(answer)  # noqa: S301 (from our own child)
    if not succeeded:
        raise ChildError(value)
    result: T = value
    return result


def in_private_host(function: Callable[P, T]) -> Callable[P, T]:
    """Let each call of a function happen in a private host of its own (decorator for tests)."""

    @functools.wraps(function)
    def called(*arguments: P.args, **keywords: P.kwargs) -> T:
        return call_in_private_host(functools.partial(function, *arguments, **keywords))

    return called


def _answer(
    writing: int, function: Callable[..., object], arguments: tuple[object, ...], *, user: bool
) -> NoReturn:
    """The child of `call_in_private_host`. os._exit: the caller's exit handlers are not ours."""
    status = 1
    try:
        enter_private_host(user=user)
        result = (True, function(*arguments))
        status = 0
    except BaseException:  # noqa: BLE001 (all of them are told to the caller)
        result = (False, traceback.format_exc())
    try:
        with open(writing, "wb") as answers:
            try:
                answers.write(pickle.dumps(result))
            except Exception:  # noqa: BLE001 (whatever the value's own pickling raises)
                answers.write(pickle.dumps((False, traceback.format_exc())))
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _unshare(*, user: bool) -> None:
    kinds = syscalls.CLONE_NEWNET | syscalls.CLONE_NEWNS | syscalls.CLONE_NEWPID | syscalls.CLONE_NEWUTS
    uid, gid = os.geteuid(), os.getegid()
    try:
        syscalls.unshare(kinds | (syscalls.CLONE_NEWUSER if user else 0))
        if user:
            _write("/proc/self/setgroups", "deny")
            _write("/proc/self/uid_map", f"0 {uid} 1")
            _write("/proc/self/gid_map", f"0 {gid} 1")
        _keep_mounts_inside()
    except OSError as error:
        raise PrivateHostError(
            error.errno, f"cannot make a private host: {error.strerror}; {_hint(user=user)}"
        ) from error


def _keep_mounts_inside() -> None:
    """Make all mounts private: else ours would show outside. Also the first thing that AppArmor's restriction refuses.

    In a chroot / is no mount point, which alone can be made private (do_change_type in fs/namespace.c: EINVAL). To enter the own
    mount namespace leaves the chroot (mntns_install), so that the real / is there for a moment.
    """
    everything = syscalls.MS_REC | syscalls.MS_PRIVATE
    try:
        syscalls.mount("none", "/", None, everything)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    else:
        return
    root, here = os.open("/", os.O_PATH | os.O_CLOEXEC), os.open(".", os.O_PATH | os.O_CLOEXEC)
    own = os.pidfd_open(os.getpid())
    try:
        syscalls.setns(own, syscalls.CLONE_NEWNS)
        syscalls.mount("none", "/", None, everything)
        os.fchdir(root)
        os.chroot(".")
        os.fchdir(here)
    finally:
        for fd in (root, here, own):
            os.close(fd)


def _write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)


def _hint(*, user: bool) -> str:
    for path, value, hint in _KNOBS:
        with contextlib.suppress(OSError), open(path) as knob:
            if knob.read().strip() == value:
                return hint
    if len(os.listdir("/proc/self/task")) > 1:
        return "the process has more than one thread, and only one with a single thread may do this"
    if any(map(os.path.exists, _CONTAINER_MARKS)) or "container" in os.environ:
        return "in a container this needs `--privileged`, or the capability SYS_ADMIN and no seccomp profile against it"
    if user:
        return "a container or a security module may forbid it; try as root"
    return "it needs root (CAP_SYS_ADMIN)" if os.geteuid() else "a container or a security module forbids it"


def _wait_and_exit(child: int) -> NoReturn:
    # A Ctrl-C reaches the child as well, which decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda number, _frame: os.kill(child, number))
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _furnish(*, keep_proc: bool) -> list[str]:
    # Copies of mounted namespaces would keep those namespaces alive after their owner unmounts them. A user namespace may
    # not undo inherited mounts (they are locked); then they stay hidden below the new /run.
    for path in reversed(syscalls.nsfs_mounts()):
        with contextlib.suppress(OSError):
            syscalls.umount(path)
    refused: list[str] = []
    if not keep_proc:
        _try(refused, "proc", "/proc")
    _try(refused, "tmpfs", "/run")
    with contextlib.suppress(OSError):
        os.makedirs("/run/netns", exist_ok=True)
        os.makedirs("/run/cgroup", exist_ok=True)
        syscalls.mount("/sys/fs/cgroup", "/run/cgroup", None, syscalls.MS_BIND | syscalls.MS_REC)
    # The old sysfs shows the links of the namespace that it was mounted in.
    _try(refused, "sysfs", "/sys")
    with contextlib.suppress(OSError):
        syscalls.mount("/run/cgroup", "/sys/fs/cgroup", None, syscalls.MS_BIND | syscalls.MS_REC)
    with Rtnl() as rtnl:
        rtnl.set("lo", up=True)
    return refused


def _try(refused: list[str], fstype: str, target: str) -> None:
    try:
        syscalls.mount(fstype, target, fstype)
    except OSError as error:
        refused.append(f"mount {fstype}: {os.strerror(error.errno or 0)}")
