"""What RTM_GETLINK does not tell of a link: who serves a tap, which switch a port is on, where tc sends packets ...

Rules of the room:

* One file a facet, one row here. No facet knows of another.
* A facet asks through `Client` alone, decodes with `codec`, and yields wires, details and gaps.
* It is asked late, when somebody wants to know: about a link, a namespace, or once for the whole host.
"""

from nswire.facets import (
    attributes,
    device,
    functions,
    guests,
    ovs,
    programs,
    redirects,
    sockets,
    taps,
    team,
    vlans,
)
from nswire.facets.facet import Detail, Facet

__all__ = ["TABLE", "Client", "Detail", "Facet"]

TABLE: tuple[Facet, ...] = (
    taps.FACET,
    guests.FACET,
    sockets.FACET,
    ovs.FACET,
    redirects.FACET,
    functions.FACET,
    device.FACET,
    team.FACET,
    vlans.FACET,
    programs.FACET,
    attributes.FACET,
)
