"""A recording gives the same answer as the machine, and a bad one a clear error, whatever is wrong with it."""

from __future__ import annotations

import json
import os
import random
import stat
import subprocess
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import nswire
from nswire.discover.record import record
from nswire.errors import RecordingError
from nswire.host import replay
from nswire.host.live import Live
from nswire.host.replay import Recorded
from nswire.lab.rand import random_lab
from nswire.sources import ALL

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nswire.model.topology import Topology

MANIFEST = {"schema": "nswire/recording", "version": 1, "byteorder": "little", "refused": {}}


def said(topology: Topology) -> dict[str, object]:
    """Everything that a topology says, but for when it was made."""
    return {
        "links": [(link.end, link.fact, link.addresses, link.wire, link.loose) for link in topology],
        "namespaces": dict(topology.namespaces),
        "gaps": topology.gaps,
        "gateways": {ns: topology.gateways(ns) for ns in topology.namespaces},
    }


def make(path: Path, members: dict[str, bytes], manifest: object = MANIFEST) -> Path:
    """A zip with these members."""
    with zipfile.ZipFile(path, "w") as archive:
        if manifest is not None:
            archive.writestr("manifest.json", manifest if isinstance(manifest, str) else json.dumps(manifest))
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.usefixtures("lab")
def test_the_same_answer_as_live(tmp_path: Path, rounds: Callable[[int], int]) -> None:
    """Hidden chains included: `peer` and `netns` say from the file what they said of the machine."""
    for seed in range(rounds(20)):
        with random_lab(random.Random(seed), tag=seed) as lab:
            file = tmp_path / f"{seed}.nsw"
            record(Live(), file)  # before any other look: looking makes the kernel give ids to namespaces
            live, everything = nswire.scan(), nswire.scan(sources=ALL)
            hidden = len(lab.reachable() - lab.findable())
            # what was asked when: a later scan finds ids that an earlier one made the kernel assign, so only the
            # conclusions are compared
            for now, sources in ((live, None), (everything, ALL)):
                again = nswire.scan(Recorded.open(file), sources)
                assert pairs(again) == pairs(now)
                assert len(pairs(again)) == sum(bool(link.peer) for link in again), "no link is there twice"
                mine = (link for link in again if link.fact.address.startswith(f"02:bb:{seed:02x}:"))
                assert len({link.end.ns for link in mine if link.netns.hidden}) <= hidden
                assert {n.key: n.names for n in again.namespaces.values() if n.inode} == {
                    n.key: n.names for n in now.namespaces.values() if n.inode
                }


def pairs(topology: Topology) -> set[tuple[str, str]]:
    """The pairs, by MAC."""
    return {(link.fact.address, link.peer.fact.address) for link in topology if link.peer}


@pytest.mark.usefixtures("lab")
def test_a_replay_is_deterministic(tmp_path: Path) -> None:
    """The same file, the same answer, to the last gap."""
    with random_lab(random.Random(7)) as _:
        file = tmp_path / "one.nsw"
        record(Live(), file)
    assert said(nswire.load(file)) == said(nswire.load(file))
    assert nswire.load(file).taken.source == str(file)


@pytest.mark.needs("unzip")
@pytest.mark.usefixtures("lab")
def test_it_is_private_and_explains_itself(tmp_path: Path) -> None:
    """It shows a whole host, so only its owner may read it; `unzip -l` tells what is what."""
    file = tmp_path / "one.nsw"
    record(Live(), file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    listing = subprocess.run(["unzip", "-l", file], capture_output=True, text=True, check=True).stdout
    assert "README.txt" in listing
    assert "host/processes" in listing
    assert sorted(os.listdir(tmp_path)) == ["one.nsw"], "no temporary file is left"


@pytest.mark.parametrize(
    ("manifest", "why"),
    [
        (None, "some other zip"),
        ("{", "damaged"),
        ("[]", "damaged"),
        ({"schema": "x", "version": 1, "byteorder": "little", "refused": {}}, "it says that it is"),
        ({"schema": "nswire/recording", "version": 2, "byteorder": "little", "refused": {}}, "newer nswire"),
        ({"schema": "nswire/recording", "version": 1, "byteorder": "big", "refused": {}}, "big-endian"),
        ({"schema": "nswire/recording", "version": 1, "byteorder": "little", "refused": {"x": 1}}, "damaged"),
    ],
)
def test_a_foreign_or_newer_one_is_refused(tmp_path: Path, manifest: object, why: str) -> None:
    """Each with the reason, so that one knows what to do."""
    file = make(tmp_path / "x.nsw", {}, manifest)
    with pytest.raises(RecordingError, match=why):
        Recorded.open(file)


def test_what_is_no_zip(tmp_path: Path) -> None:
    """An empty file, a text, a folder, nothing."""
    for content in (b"", b"hello", b"PK\x03\x04" + bytes(100)):
        file = tmp_path / "x"
        file.write_bytes(content)
        with pytest.raises(RecordingError, match="no zip"):
            Recorded.open(file)
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(OSError, match="directory"):
            Recorded.open(path)


def test_names_that_climb_out_do_nothing(tmp_path: Path) -> None:
    """Nothing is ever unpacked to disk: a member's name is only a key."""
    inside = tmp_path / "in"
    inside.mkdir()
    about = json.dumps({"home": 1, "pid": 1}).encode()
    file = make(inside / "x.nsw", {"../escaped": b"x", "/etc/escaped": b"x", "host/about": about})
    topology = nswire.load(file)
    assert topology.gaps, "nothing else was recorded"
    assert sorted(os.listdir(tmp_path)) == ["in"]
    assert not os.path.exists("/etc/escaped")


@pytest.mark.usefixtures("lab")
def test_truncated_and_flipped(tmp_path: Path, rounds: Callable[[int], int]) -> None:
    """Cut anywhere, or with any byte changed: a recording that says so, or one that still makes sense; no traceback."""
    file = tmp_path / "one.nsw"
    with random_lab(random.Random(3)) as _:
        record(Live(), file)
    whole = file.read_bytes()
    rng = random.Random(5)
    damaged = tmp_path / "damaged.nsw"
    outcomes = set()
    for _ in range(rounds(150)):
        content = bytearray(whole)
        if rng.random() < 0.3:
            del content[rng.randrange(len(content)) :]
        else:
            content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        damaged.write_bytes(content)
        try:
            nswire.load(damaged)
            outcomes.add("read")
        except (RecordingError, ValueError, OSError) as error:
            outcomes.add(type(error).__name__)
    assert "RecordingError" in outcomes


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
@pytest.mark.usefixtures("lab")
def test_garbage_inside_a_valid_recording(data: st.DataObject) -> None:
    """A valid zip may hold anything: whatever the answers are, the scan ends, with gaps instead of exceptions."""
    answers = dict(template())
    name = data.draw(st.sampled_from(sorted(answers)))
    content = bytearray(answers[name])
    how = data.draw(st.sampled_from(["cut", "flip", "noise", "missing"]))
    if how == "cut":
        del content[data.draw(st.integers(0, len(content))) :]
    elif how == "flip" and content:
        for _ in range(data.draw(st.integers(1, 8))):
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    elif how == "noise":
        content = bytearray(data.draw(st.binary(max_size=200)))
    answers[name] = bytes(content)
    if how == "missing":
        del answers[name]
    try:
        topology = nswire.scan(Recorded.fake(answers), ALL)
    except (RecordingError, ValueError, OSError):
        assert name == "host/about"
        return
    for link in topology:
        assert link.peer is None or link.peer.peer == link


_template: dict[str, bytes] = {}


def template() -> dict[str, bytes]:
    """The answers of a laboratory, made once."""
    if not _template:
        with random_lab(random.Random(11), most=4) as _:
            recorder = replay.Recorder(Live())
            nswire.scan(recorder, ALL)
        _template.update(
            {name: answer for name, answer in recorder.answers.items() if isinstance(answer, bytes)}
        )
    return _template


@pytest.mark.parametrize("what", ["fifo", "device", "symlink"])
@pytest.mark.usefixtures("lab")
def test_nothing_but_a_file_is_ever_replaced(tmp_path: Path, what: str) -> None:
    """`sudo nswire record /dev/null` must not take /dev/null away from everybody."""
    target = tmp_path / "there"
    if what == "fifo":
        os.mkfifo(target)
    elif what == "device":
        try:
            os.mknod(target, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        except PermissionError:
            pytest.skip("a user namespace may not make devices")
    else:
        os.mkfifo(tmp_path / "fifo")
        target.symlink_to(tmp_path / "fifo")
    before = target.stat()
    with pytest.raises(OSError, match="no regular file"):
        record(Live(), target)
    assert target.stat() == before


def test_a_name_that_is_no_utf8(tmp_path: Path) -> None:
    """Neither the recording's own name nor the recorded host's may keep one from reading it."""
    about = json.dumps({"home": 1, "pid": 1, "hostname": "h\\xffx"}).encode()
    file = make(tmp_path / os.fsdecode(b"r\xff.nsw"), {"host/about": about})
    assert nswire.load(file).taken.source.endswith("r\\xff.nsw")


@pytest.mark.parametrize(
    "content", [b"1 net:[1] !99999999999999", b"9" * 30 + b" net:[1] mnt:[1]", b"1 !" + b"9" * 9 + b" x"]
)
def test_numbers_that_no_kernel_writes(content: bytes) -> None:
    """Rows of a forged recording: skipped, like anything that makes no sense."""
    about = json.dumps({"home": 1, "pid": 1}).encode()
    topology = nswire.scan(Recorded.fake({"host/about": about, "host/processes": content}))
    assert set(topology.namespaces) <= {1}


def test_answers_nested_without_end() -> None:
    """JSON a hundred thousand levels deep is no machine."""
    with pytest.raises((RecordingError, ValueError)):
        nswire.scan(Recorded.fake({"host/about": b"[" * 100_000}))
