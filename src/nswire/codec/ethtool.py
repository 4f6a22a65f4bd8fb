"""ethtool: statistics, driver and settings of a link (include/uapi/linux/ethtool.h)."""

from __future__ import annotations

import struct

NAME = 32
DUPLEX = {0: "half", 1: "full"}
SPEED_UNKNOWN = 0xFFFFFFFF

_drvinfo = struct.Struct("=4x32s32s32s32s")
_settings = struct.Struct("=4xIB6xb")  # speed, duplex, link_mode_masks_nwords


def driver(answer: bytes) -> dict[str, str]:
    """`driver`, `version`, `firmware-version` and `bus-info`, as `ethtool -i` calls them, without those that are not told."""
    if len(answer) < _drvinfo.size:
        return {}
    names = ("driver", "version", "firmware-version", "bus-info")
    words = (word.split(b"\0", 1)[0].decode("utf-8", "replace") for word in _drvinfo.unpack_from(answer))
    return {name: word for name, word in zip(names, words, strict=True) if word not in ("", "N/A")}


def settings(answer: bytes) -> dict[str, int | str]:
    """`speed` in Mb/s and `duplex`, if they are known: a link that is down knows none.

    A negative number of words says how many there should have been room for, and all the rest is zeros, which is no "half".
    """
    if len(answer) < _settings.size:
        return {}
    speed, duplex, words = _settings.unpack_from(answer)
    if words < 0:
        return {}
    found: dict[str, int | str] = {} if speed in (0, SPEED_UNKNOWN) else {"speed": speed}
    return found | ({"duplex": DUPLEX[duplex]} if duplex in DUPLEX else {})


def peer_ifindex(answer: bytes) -> int | None:
    """The statistic by which old kernels tell the ifindex of a veth's other end, wherever in the list it stands.

    The answer is a u32 count, that many names of 32 bytes, and that many u64 values.
    """
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
