"""What RTM_GETLINK does not tell of a link: who serves a tap, which switch a port is on, where tc sends packets ...

Rules of the room:

* One file a facet, one row here. No facet knows of another.
* A facet asks through `Client` alone, decodes with `codec`, and yields wires, details and gaps.
* It is asked late, when somebody wants to know: about a link, a namespace, or once for the whole host.
"""

from nswire.facets import (
    attributes,
    bpf,
    driver,
    guests,
    ovs,
    sriov,
    taps,
    tc_mirred,
    team,
    tunnel_sockets,
    vlans,
)
from nswire.facets.facet import Detail, Facet

__all__ = ["TABLE", "Client", "Detail", "Facet"]

TABLE: tuple[Facet, ...] = (
    taps.FACET,
    guests.FACET,
    tunnel_sockets.FACET,
    ovs.FACET,
    tc_mirred.FACET,
    sriov.FACET,
    driver.FACET,
    team.FACET,
    vlans.FACET,
    bpf.FACET,
    attributes.FACET,
)
