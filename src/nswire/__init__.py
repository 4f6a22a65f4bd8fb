"""nswire: what is at the other end of this interface, in whatever network namespace it is.

    >>> import nswire
    >>> topology = nswire.scan()
    >>> topology.link("ns-39d60faa-aa").peer
    <Link host/tap39d60faa-aa veth 69>

`scan` looks at this machine, `load` at a recording of another one; both give a `Topology`. Everything is read, and
nothing is changed, except that the kernel numbers namespaces when somebody asks for them (see docs/limits.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from nswire.host.system import System
    from nswire.model.topology import Topology

__all__ = ["__version__", "load", "scan"]


def scan(system: System | None = None, sources: Iterable[str] | None = None) -> Topology:
    """Look at a machine once; this one, unless another `System` is given.

    `sources` are the names of the namespace sources that are asked in any case (`nswire.sources.TABLE`; default: the
    cheap ones). Raises OSError if the machine does not even say who it is; what else fails is in `Topology.gaps`.
    """
    from nswire.discover import scan as look
    from nswire.host.live import Live
    from nswire.sources import EAGER

    return look(system or Live(), EAGER if sources is None else tuple(sources))


def load(file: str | Path) -> Topology:
    """What a recording says, by the same way as `scan`. Raises `nswire.host.recorded.BadRecording`, OSError."""
    from nswire.host.recorded import Recorded

    return scan(Recorded.open(file))
