"""The answer to the question `about`: who the machine says that it is."""

from __future__ import annotations

from typing import Annotated

import msgspec

from nswire.codec.checked import document
from nswire.errors import MalformedReply

END_OF_TIME = 253402300799  # 9999-12-31, the last second that datetime knows


class About(msgspec.Struct, frozen=True):
    """When, which kernel, asked by whom (`capabilities` is CapEff in hex), and which namespace is home.

    `initial`: is home the initial namespace; None where that cannot be told. `mnt` is the mount namespace's link text,
    `zone`: seconds by which its clock is before UTC, as nft writes times, `cpus`: above the numbers of all processors,
    `hidepid` the mount option of /proc that hides even the first process, empty if it is shown.
    """

    home: Annotated[int, msgspec.Meta(gt=0)]
    pid: int
    time: Annotated[float, msgspec.Meta(ge=0, le=END_OF_TIME)] = 0
    kernel: str = ""
    machine: str = ""
    byteorder: str = "little"
    hostname: str = ""
    capabilities: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{1,16}$")] = "0"
    uid: int = -1
    initial: bool | None = None
    mnt: str = ""
    hidepid: str = ""
    zone: Annotated[int, msgspec.Meta(ge=-86400, le=86400)] | None = None
    cpus: Annotated[int, msgspec.Meta(ge=0, le=1 << 16)] = 0
    source: str = "live"


def decode(answer: bytes) -> About:
    """The machine, from its JSON. MalformedReply if it is none."""
    try:
        return document(answer, About)
    except ValueError as error:
        raise MalformedReply(f"the machine does not say who it is: {error}") from None
