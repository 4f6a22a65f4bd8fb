"""How much went over a connection: `ct original packets`, `ct bytes`, `ct avgpkt` (nft_ct_get_eval, connbytes_mt).

A packet is counted before any rule sees it, and all connections are while any rule asks (nf_ct_set_acct).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nswire.path.netfilter.compare import Known
    from nswire.path.values import Connection

COUNTED = (" packets", " bytes", " avgpkt")
WAYS = {"original": (0,), "reply": (1,)}


def known(name: str, conn: Connection) -> Known:
    """Of one direction, or of both."""
    words = name.split()
    ways = WAYS.get(words[1], (0, 1))
    packets = sum(conn.packets[way] for way in ways)
    if words[-1] == "packets":
        return packets
    total = 0
    for way in ways:
        size = conn.sizes[way]
        if size is None:
            return None
        total += size
    return total if words[-1] == "bytes" else total // packets if packets else 0
