"""One thing done to a packet's way: what is built, what is said of a packet (live and by a recording), and what really becomes of it."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

import pytest
from path_exchanges import ICMP, ICMPV6, UDP, Spaces

from nswire.model.reasons import Cause
from nswire.path import Flow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.lab import Lab

LINE = """\
a ip link add a0 type veth peer name b0 netns b
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set lo up
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set lo up
b ip link set b0 up
"""
BRIDGE = """\
r ip link add br0 type bridge mcast_snooping 0 forward_delay 0
r ip link add pa type veth peer name a0 netns a
r ip link add pb type veth peer name b0 netns b
r ip link set pa master br0 up
r ip link set pb master br0 up
r ip link set br0 up
r true
a ip address add 10.0.0.1/24 dev a0
a ip -6 address add fd00::1/64 dev a0 nodad
a ip link set a0 up
b ip address add 10.0.0.2/24 dev b0
b ip -6 address add fd00::2/64 dev b0 nodad
b ip link set b0 up
"""
PING = Flow("10.0.0.2", "", ICMP)
PING6 = Flow("fd00::2", "", ICMPV6)
ASK = Flow("10.0.0.2", "", UDP, 0, 9000)


class Case(NamedTuple):
    """What is built, the packet, and which reason its loss has (empty: it arrives at `at`, and is answered).

    `fate`: what is said where that is not known. `one_way`: the answer is another story, as it is of what has a size.
    """

    lines: str
    code: str = ""
    flow: Flow = PING
    start: str = "a"
    size: int = 0
    at: str = "b"
    fate: str = ""
    one_way: bool = False


def codes(cause: Cause | None) -> Iterator[str]:
    """The code of a reason, and those of what led to it."""
    if cause is not None:
        yield cause.code
        for value in cause.values.values():
            if isinstance(value, Cause):
                yield from codes(value)


def build(lab: Lab, lines: str) -> Spaces:
    """Skipped, with what the kernel says, where it lacks the kind."""
    try:
        spaces = Spaces(lab, "a true\nb true\n" + lines)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"not on this kernel: {error.stderr.strip().splitlines()[-1] if error.stderr else error}")
    spaces.settled()
    return spaces


def hold(case: Case, lab: Lab, tmp_path: Path) -> None:
    """Foretold before anything is sent, since that would fill tables; then sent."""
    spaces = build(lab, case.lines)
    live = spaces.said(case.start, case.flow, size=case.size)
    by_recording = spaces.said(case.start, case.flow, size=case.size, recording=f"{tmp_path}/recording")
    one_way = case.one_way or case.size
    if case.fate != "unknown":
        real = spaces.really(case.start, case.flow, size=case.size)
        assert real.at == (() if case.code else (case.at,))
        assert one_way or bool(real.answer) == (not case.code)
    for said in (live, by_recording):
        if case.code:
            assert said.fate == (case.fate or "dropped"), said.reason
            assert case.code in set(codes(said.trace.forward.reason))
        elif one_way:
            assert (said.fate, said.at) == ("delivered", (case.at,)), said.reason
        else:
            assert (said.fate, said.answer) == ("delivered", "delivered"), said.reason
