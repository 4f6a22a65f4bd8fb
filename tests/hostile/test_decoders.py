"""Each decoder, given bytes that are nearly right: it raises what its callers expect, and nothing else."""

from __future__ import annotations

import os
import random
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from mutants import WORDS, _bytes, answers

from nswire.codec import host_info, process, procfs
from nswire.codec.checked import UNREADABLE
from nswire.codec.netlink import address, bridge, link, neighbour, nexthop, nsid, route, rule, tc
from nswire.errors import NetlinkError

if TYPE_CHECKING:
    from collections.abc import Callable

RECORDINGS = Path(__file__).resolve().parents[1] / "recordings"
SECONDS = 0.5 * int(os.environ.get("NSWIRE_HOSTILE", "1"))
# by the begin of a member's name, behind the namespace where there is one
DECODERS: dict[str, Callable[[bytes], object]] = {
    "links": lambda answer: link.Decoder().decode(answer),
    "addresses": address.decode,
    "routes": route.routes,
    "nsids": nsid.decode,
    "nsid-of": nsid.decode_one,
    "vlans": bridge.vlans,
    "filters": tc.decode,
    "rules": rule.decode,
    "neighbours": neighbour.decode,
    "nexthops": nexthop.decode,
    "about": host_info.decode,
    "process": process.decode,
    "processes": lambda answer: list(procfs.processes(answer)),
    "fds": lambda answer: list(procfs.table(answer)),
    "taps": lambda answer: list(procfs.taps(answer)),
    "mountinfo": procfs.mounts,
    "names": lambda answer: list(procfs.names(answer)),
    "udp": lambda answer: list(procfs.udp_sockets(answer)),
    "tcp": lambda answer: list(procfs.listeners(answer, "tcp")),
}
STRICT = {"processes", "fds", "taps", "mountinfo", "names", "udp", "tcp", "process"}
"""Those that skip what they cannot read, and never raise."""


@pytest.mark.parametrize("name", DECODERS)
def test_a_decoder_is_given_nonsense(name: str) -> None:
    """Sound answers of real kernels, with some bytes changed; where there are none, words that hurt."""
    seed = random.randrange(1 << 30)
    chance = random.Random(seed)
    sound = [
        content
        for member, content in answers(RECORDINGS / "6.12.nsw").items()
        if name in member.split("/")[1:4] and content
    ] or [b"".join(WORDS)]
    decode = partial(DECODERS[name])
    expected: tuple[type[Exception], ...] = () if name in STRICT else (NetlinkError, *UNREADABLE)
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        answer = _bytes(chance.choice(sound), chance)
        try:
            decode(answer)
        except expected:
            continue
        except Exception as error:
            raise AssertionError(f"seed {seed}: {name}({answer[:200]!r})") from error
