"""nswire: what is at the other end of this interface, in whatever network namespace it is.

    >>> import nswire
    >>> topology = nswire.scan()
    >>> topology.link("ns-39d60faa-aa").peer
    <Link host/tap39d60faa-aa veth 69>

`scan` looks at this machine, `load` at a recording of another one (`record` makes one); both give a `Topology`. `find`
says which links and namespaces a handle stands for: a name, ifindex, MAC, address, pid ... `findings` says what is
wrong there.

Everything is read, and nothing is changed, except that the kernel numbers namespaces when somebody asks for their
links (docs/limits.md). What could not be seen is in `Topology.gaps`. What nswire raises itself is a `NswireError`; its tree is in
`nswire.errors`. A file that cannot be opened or written raises OSError.
"""

from __future__ import annotations

from nswire.version import __version__

TYPE_CHECKING = False  # not from typing: until `start` is loaded, Ctrl-C shows a traceback

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nswire.check import Report
    from nswire.errors import (
        AmbiguousLink,
        ExpectationsError,
        HostError,
        LinkNotFound,
        LookupFailed,
        MalformedReply,
        NetlinkError,
        NswireError,
        PathQueryError,
        RecordingError,
        RuleNotFound,
    )
    from nswire.handles import Match
    from nswire.host.system import System
    from nswire.model.gaps import Gap
    from nswire.model.topology import Link, Topology
    from nswire.model.values import Address, Holder, Loose, Namespace, Wire

__all__ = [
    "Address",
    "AmbiguousLink",
    "ExpectationsError",
    "Gap",
    "Holder",
    "HostError",
    "Link",
    "LinkNotFound",
    "LookupFailed",
    "Loose",
    "MalformedReply",
    "Match",
    "Namespace",
    "NetlinkError",
    "NswireError",
    "PathQueryError",
    "RecordingError",
    "Report",
    "RuleNotFound",
    "System",
    "Topology",
    "Wire",
    "__version__",
    "find",
    "findings",
    "load",
    "record",
    "scan",
]

# Loaded when they are named: `import nswire` costs nothing.
_HOMES = {
    "model.gaps": ("Gap",),
    "model.values": ("Address", "Holder", "Loose", "Namespace", "Wire"),
    "model.topology": ("Link", "Topology"),
    "errors": (
        "AmbiguousLink",
        "HostError",
        "LinkNotFound",
        "LookupFailed",
        "ExpectationsError",
        "MalformedReply",
        "NetlinkError",
        "NswireError",
        "PathQueryError",
        "RecordingError",
        "RuleNotFound",
    ),
    "host.system": ("System",),
    "handles": ("Match",),
    "check": ("Report",),
}


def __getattr__(name: str) -> object:
    import importlib

    for home, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def scan(
    system: System | None = None, sources: Iterable[str] | None = None, *, addresses: bool = True
) -> Topology:
    """Look at a machine once; this one, unless another `System` is given.

    `sources` are the names of the namespace sources that are asked in any case (`nswire.sources.TABLE`; default: the
    cheap ones). `addresses`: read those of all links at once; otherwise only those that are wanted, when they are
    wanted, which is a third faster. Raises HostError or MalformedReply if the machine does not even say who it is.
    """
    from nswire.discover import scan as look
    from nswire.host.live import Live
    from nswire.sources import EAGER

    names = EAGER if sources is None else tuple(sources)
    return look(system or Live(), names, addresses=addresses)


def load(file: str | Path, *, max_size: int | None = None) -> Topology:
    """What a recording says, by the same way as `scan`. Raises RecordingError, MalformedReply, OSError.

    `max_size`: bytes that may come out of the file; default: 200 times its size, but at least 64 MiB, at most 2 GiB.
    """
    from nswire.host.replay import Recorded

    return scan(Recorded.open(file, max_size))


def record(file: str | Path, system: System | None = None) -> Topology:
    """Record a machine into a file that only its owner can read, and return what it says. Raises OSError."""
    from nswire.discover.record import record as write
    from nswire.host.live import Live

    return write(system or Live(), file)


def find(topology: Topology, handle: str) -> list[Match]:
    """Everything that a handle stands for, best first: `eth0`, `web/eth0`, `69`, a MAC, an address, `pid:812` ..."""
    from nswire.handles import find as look

    return look(topology, handle)


def findings(topology: Topology, *rules: str) -> Report:
    """What is wrong there, by these rules (`nswire.check.rules.TABLE`), or by all. RuleNotFound: there is none of that name.

    It is one look: what is just being built is found as well. `nswire check` looks twice.
    """
    from nswire.check import run
    from nswire.check.rules import TABLE, named
    from nswire.errors import RuleNotFound

    wanted = [named(rule) for rule in rules]
    if None in wanted:
        raise RuleNotFound(rules[wanted.index(None)])
    return run(topology, [one for one in wanted if one is not None] or TABLE)
