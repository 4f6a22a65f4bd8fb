"""All errors that nswire itself raises out of its Python API, one tree.

    NswireError
      LookupFailed (LookupError)
        LinkNotFound       no link is called so
        AmbiguousLink      several are; `candidates` are all of them
        RuleNotFound       `nswire.check`: no rule is called so
      RecordingError (ValueError)
                           the file is no recording, or a damaged one, or one from a newer nswire
      PathQueryError (ValueError)
                           no path can begin or end there; `hint` says what would help, `subject` what it is about
      ExpectationsError (ValueError)
                           the file is none of expectations (`nswire assert`); `hint` says what would be right
      MalformedReply (ValueError)
                           what should be a kernel's answer is none
      HostError (OSError)  the machine, or the recording, does not even say who it is
      NetlinkError (OSError)
                           the kernel answered with an error; `errno` is set

Each of them is a builtin error as well, so `except OSError` and the like work as ever; files that cannot be opened or written raise
OSError itself, and parameters that are none ValueError. What a machine refuses is no error but a gap of the answer
(`Topology.gaps`), once it has said who it is. Exceptions that are not in this tree are for control flow and never leave nswire.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not from typing: `import nswire` costs nothing

if TYPE_CHECKING:
    from nswire.model.topology import Link


class NswireError(Exception):
    """Any error of nswire's own."""


class LookupFailed(NswireError, LookupError):
    """What was asked for is not there, or not alone."""


class LinkNotFound(LookupFailed):
    """No link is called so. `name` is what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"no link is called {name}")
        self.name = name


class AmbiguousLink(LookupFailed):
    """Several links are called so: `candidates` are all of them, in the order of the topology. `name` is what was asked for."""

    def __init__(self, name: str, candidates: tuple[Link, ...]) -> None:
        names = ", ".join(f"{link.netns.label}/{link.ifname}" for link in candidates)
        super().__init__(f"{len(candidates)} links are called {name}: {names}")
        self.name = name
        self.candidates = candidates


class RuleNotFound(LookupFailed):
    """No rule of `nswire.check` is called so. `name` is what was asked for."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no rule")
        self.name = name


class RecordingError(NswireError, ValueError):
    """That file is no recording, or a damaged one, or one from a newer nswire; the message says which."""


class PathQueryError(NswireError, ValueError):
    """No path can begin or end there; the message says why, `hint` what would help, `subject` the word that it is about."""

    def __init__(self, message: str, hint: str = "", subject: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.subject = subject

    def of(self, subject: str) -> PathQueryError:
        """The same, of that word."""
        return PathQueryError(str(self), self.hint, subject)


class ExpectationsError(NswireError, ValueError):
    """The file is no file of expectations; the message says where and why, `hint` what would be right."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


class MalformedReply(NswireError, ValueError):
    """What should be a kernel's answer is none."""


class HostError(NswireError, OSError):
    """The machine, or the recording, does not even say who it is. `errno` is set."""


class NetlinkError(NswireError, OSError):
    """The kernel answered with an error, in NLMSG_ERROR or in the payload of NLMSG_DONE. `errno` is set."""

    def __init__(self, code: int) -> None:
        super().__init__(code, "the kernel refused")
