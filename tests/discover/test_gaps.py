"""Gaps are values: a code, a subject, why with a code of its own, an errno, and what would permit it. Texts are made of these alone."""

from __future__ import annotations

import json
from errno import EACCES, EMFILE, ENOENT, EPERM, ESTALE, EXDEV
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire import sources
from nswire.errors import MalformedReply, NetlinkError
from nswire.host.failures import INSIDE, OF_THE_HOST, malformed, refusal
from nswire.host.replay import Recorded
from nswire.model.facts import Facts, View
from nswire.model.gaps import ENTER, HOST, Unseen, counted, netns, silent
from nswire.show import jsonout
from nswire.show.to_documents_reasons import gaps as documents

if TYPE_CHECKING:
    from nswire.model.gaps import Gap
    from nswire.model.reasons import Cause

ROW = Unseen("test.links", "the links of {name}", ENTER, "ask again")
ME = {"home": 1, "pid": 2, "uid": 1000, "mnt": "mnt:[1]"}


def document(gap: Gap) -> dict[str, object]:
    """A gap as it stands in JSON."""
    made: dict[str, object] = json.loads(jsonout.dumps(next(documents([gap]))))
    return made


def test_a_refusal_says_what_would_permit_it() -> None:
    """Only where that was the matter: EPERM and EACCES; else the hint of the reason, else that of the row."""
    refused = ROW(counted(2, "namespace", "namespaces"), *refusal(EPERM), name="web")
    assert document(refused) == {
        "where": "2 namespaces",
        "what": "the links of web",
        "why": "Operation not permitted",
        "hint": "it takes root (CAP_SYS_ADMIN)",
        "code": "test.links",
        "subject": {"count": 2, "name": "web"},
        "reason": {
            "code": "scan.refused",
            "text": "Operation not permitted",
            "values": {"error": "Operation not permitted"},
            "drop_reason": None,
        },
        "errno": "EPERM",
        "requires": ["CAP_SYS_ADMIN"],
    }
    assert ROW(HOST, *refusal(EACCES), name="web").requires == ("CAP_SYS_ADMIN",)
    full = ROW(HOST, *refusal(EMFILE), name="web")
    assert (full.requires, full.hint) == ((), "raise the limit of open files (ulimit -n)")
    assert ROW(HOST, *refusal(ENOENT), name="web").hint == "ask again"


@pytest.mark.parametrize(
    ("why", "code", "errno"),
    [
        (refusal(ENOENT), "scan.refused", ENOENT),
        (refusal(ENOENT, INSIDE), "scan.vanished", ENOENT),
        (refusal(ESTALE, INSIDE), "scan.other_namespace", ESTALE),
        (refusal(ESTALE), "scan.refused", ESTALE),
        (refusal(EXDEV, OF_THE_HOST), "scan.other_pids", EXDEV),
        (refusal(EXDEV, INSIDE), "scan.refused", EXDEV),
        (refusal(-1), "scan.malformed", 0),
        (malformed(NetlinkError(EPERM)), "scan.refused", EPERM),
        (malformed(MalformedReply("cut off")), "scan.malformed_so", 0),
    ],
)
def test_an_errno_means_what_it_means_there(why: tuple[Cause, int], code: str, errno: int) -> None:
    """What is gone from a namespace has vanished; what was never there is merely not there."""
    assert (why[0].code, why[1]) == (code, errno)


def test_a_gap_takes_the_values_of_its_sentence_and_no_others() -> None:
    """So that no sentence shows a brace."""
    with pytest.raises(KeyError, match="name"):
        ROW(HOST, *refusal(EPERM))


def test_a_namespace_is_named_by_what_it_is_known_by() -> None:
    """Its inode; a hidden one has none, but the id that betrays it."""
    facts = Facts(1)
    facts.hidden[-1] = View(1, 5)
    assert netns(facts, 4026532178).pairs == (("netns", 4026532178),)
    assert netns(facts, -1).pairs == (("nsid", 5), ("of", 1))


def test_who_did_not_answer_is_named() -> None:
    """By its pid; those that were not asked any more by none."""
    row = Unseen("test.silent", "who it is")
    assert (silent(row, 7).subject, silent(row, 7).cause.code) == ({"pid": 7}, "scan.silent")
    assert (silent(row, 0).subject, silent(row, 0).cause.code) == ({}, "scan.silent_too_many")


def test_what_a_recording_lacks_is_told_by_codes() -> None:
    """Nothing but who it is was recorded: every source says so, and nobody has to read its words."""
    found = nswire.scan(Recorded.fake({"host/about": json.dumps(ME).encode()}), sources.ALL).gaps
    assert {gap.code for gap in found} == {
        "host.names",
        "host.mounts",
        "host.processes",
        "host.threads",
        "host.descriptors",
        "host.sockets",
        "netns.links",
    }
    assert {gap.cause.code for gap in found} == {"scan.not_recorded"}
