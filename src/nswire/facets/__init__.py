"""What RTM_GETLINK does not tell of a link: who serves a tap, which switch a port is on, where tc sends packets ...

Rules of the room:

* One file a facet, one row here. No facet knows of another.
* A facet asks through `Asking` alone, decodes with `codec`, and yields wires, details and gaps.
* It is asked late, about single links (or, if it is `wide`, once), when somebody wants to know.
"""

from nswire.facets import taps
from nswire.facets.facet import Asking, Detail, Facet

__all__ = ["TABLE", "Asking", "Detail", "Facet"]

TABLE: tuple[Facet, ...] = (taps.FACET,)
