"""How a packet gets from here to there: step by step, with the reason for each, and a verdict.

`query` makes a question complete, `trace` answers it: through IP stacks (`ip/`), links and switches (`l2`, `devices/`) and packet
filters (`netfilter/`), one file for each step. Each of these imports only what stands further down in this list: query, trace, ip,
l2, devices, mtu, netfilter, context, values.
"""

from __future__ import annotations

from nswire.path.trace import trace
from nswire.path.values import Flow, Trace

__all__ = ["Flow", "Trace", "trace"]
