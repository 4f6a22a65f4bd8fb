"""Kernels that say less: what they leave out is stripped from what this one says."""

from __future__ import annotations

import struct
from errno import ENOPROTOOPT, EOPNOTSUPP
from typing import TYPE_CHECKING

import nswire
from nswire.codec.netlink.framing import attributes, messages
from nswire.host.live import Live
from nswire.host.replay import Recorded, Recorder
from nswire.host.system import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from nswire.host.system import Answer, Errand
    from nswire.lab.lab import Lab

IFLA_LINK, IFLA_LINK_NETNSID = 5, 37
RTM_NEWLINK = 16


def strip(answer: bytes, unwanted: set[int]) -> bytes:
    """The answer without these attributes of its links."""
    done = b""
    single = answer and not struct.unpack_from("=IHHII", answer)[2] & 2
    for kind, start, end in messages(answer):
        body = answer[start : start + 16]
        for name, at, stop in attributes(answer, start + 16, end):
            if name not in unwanted:
                body += answer[at - 4 : at + ((stop - at + 3) & ~3)]
        length, _, flags, seq, pid = struct.unpack_from("=IHHII", answer, start - 16)
        assert kind == RTM_NEWLINK or length
        done += struct.pack("=IHHII", 16 + len(body), kind, flags, seq, pid) + body
    return done if single else done + struct.pack("=IHHIIi", 20, 3, 2, 0, 0, 0)


class Older:
    """This host, as a kernel without link nsids (before 4.0), or without IFLA_LINK of veth too, would show it."""

    def __init__(self, unwanted: set[int]) -> None:
        self.live = Live()
        self.host = self.live.host
        self.unwanted = unwanted

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Ask, and take away."""

        def older(errand: Errand, answers: list[Answer]) -> None:
            changed: list[Answer] = []
            for question, answer in zip(errand.questions, answers, strict=True):
                word = question.name.partition("/")[0]
                if word == "cookie":
                    changed.append(Refusal(ENOPROTOOPT, "ask"))
                elif word in ("nsids", "nsid-of"):
                    changed.append(Refusal(EOPNOTSUPP, "ask"))
                elif word.startswith("link") and isinstance(answer, bytes):
                    changed.append(strip(answer, self.unwanted))
                else:
                    changed.append(answer)
            deliver(errand, changed)

        self.live.visit(errands, older)


def build(lab: Lab) -> None:
    """Two pairs that one could take for each other, and one that nothing could be mistaken for."""
    a, b, c = (lab.namespace("named", name) for name in "abc")
    lab.pair(lab.home, "tap-a", a, "ns-a", index=69, peer_index=68)
    lab.pair(c, "tap-b", b, "ns-b", index=69, peer_index=68)
    lab.pair(lab.home, "tap-c", c, "ns-c", index=80, peer_index=81)
    lab.release()


def test_without_nsids_equal_indexes_are_ambiguous(lab: Lab) -> None:
    """68 and 69 twice: the first that fits would be wrong every other time, so all are named."""
    build(lab)
    topology = nswire.scan(Older({IFLA_LINK_NETNSID}))
    for name, fits in (("tap-a", {"ns-a", "ns-b"}), ("ns-b", {"tap-a", "tap-b"})):
        link = topology.link(name)
        assert link.peer is None
        assert link.loose is not None
        assert link.loose.state == "ambiguous"
        found = [topology.get(end) for end in link.loose.candidates]
        assert {one.ifname for one in found if one} == fits
    link = topology.link("tap-c")
    assert link.wire is not None
    assert link.wire.evidence == "mutual"
    assert link.peer == topology.link("ns-c")


def test_without_ifla_link_ethtool_is_asked(lab: Lab) -> None:
    """Before Linux 4.1 a veth had no IFLA_LINK: the driver's peer_ifindex says as much, and no more."""
    build(lab)
    topology = nswire.scan(Older({IFLA_LINK, IFLA_LINK_NETNSID}))
    assert topology.link("tap-c").peer == topology.link("ns-c")
    wire = topology.link("tap-c").wire
    assert wire is not None
    assert wire.evidence == "mutual"
    loose = topology.link("ns-a").loose
    assert loose is not None
    assert loose.state == "ambiguous"


def test_within_one_namespace_pairs_are_still_proved(lab: Lab) -> None:
    """No nsid anywhere may also mean that no pair crosses a border: then nothing is in doubt."""
    lab.pair(lab.home, "one", lab.home, "two")
    topology = nswire.scan()
    wire = topology.link("one").wire
    assert wire is not None
    assert wire.evidence == "proved"
    assert topology.link("two").peer == topology.link("one")


def test_a_recording_of_such_a_kernel_says_the_same(lab: Lab) -> None:
    """Offline analysis is the same analysis."""
    build(lab)
    recorder = Recorder(Older({IFLA_LINK_NETNSID}))
    live = nswire.scan(recorder)
    again = nswire.scan(
        Recorded.fake(
            {name: answer for name, answer in recorder.answers.items() if isinstance(answer, bytes)},
            {
                name: (answer.errno, answer.doing)
                for name, answer in recorder.answers.items()
                if isinstance(answer, Refusal)
            },
        )
    )
    assert again.wires == live.wires
    assert again.loose == live.loose
