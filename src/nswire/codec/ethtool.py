"""ethtool's statistics: ETHTOOL_GSTRINGS and ETHTOOL_GSTATS, as `Live` returns them, one after the other.

The answer is a u32 count, that many names of 32 bytes, and that many u64 values.
"""

from __future__ import annotations

import struct

NAME = 32


def peer_ifindex(answer: bytes) -> int | None:
    """The statistic by which old kernels tell the ifindex of a veth's other end, wherever in the list it stands."""
    if len(answer) < 4:
        return None
    (count,) = struct.unpack_from("=I", answer)
    if len(answer) != 4 + count * (NAME + 8):
        return None
    for number in range(count):
        at = 4 + number * NAME
        if answer[at : at + NAME].split(b"\0", 1)[0] == b"peer_ifindex":
            value: int = struct.unpack_from("=Q", answer, 4 + count * NAME + number * 8)[0]
            return value
    return None
