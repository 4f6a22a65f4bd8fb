"""Why something could not be read: what an errno, or an answer that makes no sense, means. The only place that knows."""

from __future__ import annotations

from errno import (
    E2BIG,
    EAGAIN,
    EFBIG,
    EMFILE,
    ENFILE,
    ENODATA,
    ENODEV,
    ENOENT,
    ENXIO,
    ESRCH,
    ESTALE,
    ETIME,
    EXDEV,
)
from os import strerror
from typing import TYPE_CHECKING

from nswire.codec.checked import errno as checked_errno
from nswire.errors import NetlinkError
from nswire.model.gaps import VANISHED
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nswire.model.reasons import Cause

REFUSED = Reason("scan.refused", "{error}")
TOO_MANY_FILES = Reason("scan.open_files", "{error}", hint="raise the limit of open files (ulimit -n)")
OTHER_NAMESPACE = Reason("scan.other_namespace", "that way leads to another namespace now")
TOO_BIG = Reason("scan.too_big", "there is more of it than is read (64 MiB an answer, 96 MiB a namespace)")
TOO_LONG = Reason("scan.too_long", "it takes more than three seconds of processor time")
MAY_HANG = Reason("scan.may_hang", "the way there leads through a file system that may never answer")
OTHER_PIDS = Reason(
    "scan.other_pids",
    "/proc is that of another pid namespace, whose pids mean nothing here",
    hint="mount -t proc proc /proc",
)
TOO_MANY = Reason(
    "scan.too_many_descriptors",
    "more descriptors than are looked at: 65 536 of a process, ten seconds in all",
)
NOT_RECORDED = Reason("scan.not_recorded", "the recording does not have them")
MALFORMED = Reason("scan.malformed", "the answer makes no sense")
MALFORMED_SO = Reason("scan.malformed_so", "{problem}")

ANYWHERE = {
    ENODATA: NOT_RECORDED,  # see host.replay
    EMFILE: TOO_MANY_FILES,
    ENFILE: TOO_MANY_FILES,
}
OF_THE_HOST = {**ANYWHERE, EXDEV: OTHER_PIDS}  # see host.live
DESCRIPTORS = {**ANYWHERE, E2BIG: TOO_MANY}  # see host.descriptors
GONE = frozenset({ENOENT, ESRCH, ENODEV, ENXIO})  # what is not there any more is refused with these
INSIDE = {
    **ANYWHERE,
    **dict.fromkeys(GONE, VANISHED),
    ESTALE: OTHER_NAMESPACE,
    EFBIG: TOO_BIG,  # see host.budget
    ETIME: TOO_LONG,
    EAGAIN: MAY_HANG,  # see syscalls.open_path_in_root
}
WITH_ERROR = (REFUSED, TOO_MANY_FILES)


def refusal(errno: int, meanings: Mapping[int, Reason] = ANYWHERE) -> tuple[Cause, int]:
    """Why something was refused, and the errno; below 1: what was answered makes no sense.

    `meanings`: what errnos mean there; INSIDE: of a question in a namespace that was there before.
    """
    if errno <= 0:
        return MALFORMED(), 0
    reason = meanings.get(errno, REFUSED)
    cause = reason(error=strerror(checked_errno(errno))) if reason in WITH_ERROR else reason()
    return cause, errno


def malformed(error: Exception) -> tuple[Cause, int]:
    """Why an answer could not be read: the kernel's error in it, or what is wrong with it."""
    if isinstance(error, NetlinkError) and error.errno:
        return refusal(error.errno, {})
    return MALFORMED_SO(problem=str(error)), 0
