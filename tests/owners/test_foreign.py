"""Whatever stands in the files of others: an answer, claims about namespaces that there are, gaps, and never a traceback."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nswire import owners
from nswire.codec import process as codec
from nswire.handles import find
from nswire.host.state_files import Files
from nswire.host.system import Refusal
from nswire.model.facts import Facts
from nswire.model.gaps import Gap
from nswire.model.values import Holder, Owner, Published
from nswire.owners.engine import is_in, place
from nswire.owners.units import unit

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path

    from nswire.host.system import Answer, Question
    from nswire.model.values import End, Value, Wire
    from tests.owners.conftest import Host

HOME, NS = 4026531840, 4026532001
ID = "ab" * 32
WORDS = st.sampled_from(
    [
        "", "/", "web", ID, f"/run/netns/{ID[:8]}", "/var/run/netns/web", "sandbox", "container", "8080", "-1", "9" * 400, "\ud800",
        "\x1b[2J", "network", "80/tcp", "127.0.0.1", "lxc", "100", "4194305",
    ]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | WORDS
    | st.text()
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(), inner, max_size=3),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [
        f"/run/containerd/io.containerd.runtime.v2.task/k8s.io/{ID}/config.json", f"/run/x/overlay-containers/{ID}/userdata/pidfile",
        "/a/b/c/d/e", "/", "", "/var/lib/neutron/dhcp/fabc7ead-6132-4920-af57-2ad5e199e1c1", "/x/shop_web_uid",
    ]
)  # fmt: skip


@st.composite
def answers(draw: st.DrawFn, name: str) -> Answer:
    """What a machine might say to that question: nearly right, or anything."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=40)) if draw(st.booleans()) else Refusal(13, "read")
    if name.startswith("cgroups"):
        paths = st.sampled_from(
            ["/", f"/docker/{ID}", f"/kubepods/pod{ID[:32]}/{ID}", "/lxc.payload.x", "/a.service", "//..//"]
        )
        rows = st.tuples(
            st.integers(0, 10**12), st.sampled_from([f"net:[{NS}]", f"net:[{HOME}]", "!13", "x"]), paths
        )
        return "\n".join(
            f"{pid} {net} {path}" for pid, net, path in draw(st.lists(rows, max_size=4))
        ).encode()
    if name.startswith("process/"):
        said = {
            "pid": draw(st.integers()), "comm": draw(st.sampled_from(["conmon", "bwrap", "sh", "qemu", "lxc-start"])),
            "cmdline": draw(st.lists(WORDS, max_size=6)), "net": f"net:[{NS}]", "ppid": draw(st.integers(0, 5)), "cgroup": f"/docker/{ID}",
        }  # fmt: skip
        return json.dumps(said | draw(st.dictionaries(WORDS, LEAVES, max_size=1))).encode()
    keys = (
        name.partition("|")[2].split("&")
        if name.startswith(("json", "settings"))
        else ["", "text", "pid", "dev"]
    )
    document = st.dictionaries(st.sampled_from(keys) | WORDS, VALUES, max_size=6)
    said = draw(
        st.dictionaries(
            PATHS, document | VALUES | st.just({"!": 13}) | st.lists(document, max_size=3), max_size=3
        )
    )
    return json.dumps(said, ensure_ascii=False).encode("utf-8", "replace")


class Anything:
    """A machine whose files and processes are arbitrary."""

    def __init__(self, data: st.DataObject) -> None:
        self.facts = Facts(HOME)
        self.facts.links = {HOME: {}, NS: {}}
        self.facts.holders = {NS: [Holder("mount", path="/run/netns/web"), Holder("process", 100)]}
        self._data = data
        self._said: dict[str, Answer] = {}

    def host(self, name: str) -> Answer:
        if name not in self._said:
            self._said[name] = self._data.draw(answers(name), label=name)
        return self._said[name]

    def query(self, asks: Mapping[int, tuple[Question, ...]]) -> dict[int, list[Answer]]:
        del asks
        return {}

    def netns_by_nsid(self, ns: int, nsid: int) -> int | None:
        del ns, nsid
        return None

    def wires(self, end: End, relations: Collection[str]) -> tuple[Wire, ...]:
        del end, relations
        return ()

    def details(self, end: End, *only: str) -> Mapping[str, Mapping[str, Value]]:
        del end, only
        return {}


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_any_files_give_claims_about_what_there_is(data: st.DataObject) -> None:
    asking = Anything(data)
    for said in (*owners.known(asking), *owners.of_each(asking, NS)):
        if isinstance(said, Gap):
            assert said.why
            continue
        assert said.ns is None or isinstance(said.ns, int)
        msgspec.json.decode(msgspec.json.encode(said.owner).replace(b"\\ud800", b"?"), type=Owner)
        assert all(isinstance(value, int | str) for _, value in said.owner.data)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("how", ["json", "settings", "xml", "word"])
def test_any_file_gives_an_answer_with_the_wanted_keys_only(tmp_path: Path, how: str, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    questions = Files(str(tmp_path)).questions
    said: dict[str, Any] = msgspec.json.decode(questions[how]("*|web&a/b&container"))
    (one,) = said.values()
    if how == "json":
        assert isinstance(one, dict | list)
        for document in one if isinstance(one, list) else (one,):
            assert set(document) <= {"web", "a/b", "container", "!"}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    names=st.lists(
        st.binary(min_size=1, max_size=20).filter(lambda n: not {0, 47} & set(n) and n not in (b".", b".."))
    )
)
def test_files_may_be_called_anything(tmp_path_factory: pytest.TempPathFactory, names: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("x")
    for name in names:
        with open(os.fsencode(folder) + b"/" + name, "wb") as file:
            file.write(b"1")
    said = msgspec.json.decode(Files(str(folder)).questions["word"]("*"))
    assert set(said.values()) <= {"1"}
    assert bool(said) == bool(names)


@given(st.text())
def test_any_path_of_a_control_group(path: str) -> None:
    found = place(path)
    assert found is None or found.id in path
    assert isinstance(is_in(path, "x"), bool)
    assert unit(path) is None or unit(path).name in path  # type: ignore[union-attr]


@given(st.binary())
def test_any_table_of_control_groups(answer: bytes) -> None:
    assert all(row.pid >= 0 and (row.ns or 1) > 0 for row in codec.cgroups(answer))
    codec.decode(answer)


@given(st.text())
def test_any_handle(text: str) -> None:
    """Nothing that is typed makes the comparison with owners fail."""
    from nswire.handles.table import OWNERS

    for owner in (
        Owner("container", "web", ID, "docker", 1, (("guest_macs", 5),), (Published("", 1, 2, "tcp"),)),
        Owner("port", "39d60faa-aa", "39d60faa-aa", "neutron"),
        Owner("vm", "", "", "", None, (("guest_macs", "zz"),)),
    ):
        for family in OWNERS:
            family.fits(owner, text)


def test_find_survives_a_host_full_of_nonsense(host: Host) -> None:
    for path in (
        f"var/lib/docker/containers/{ID}/config.v2.json", "var/lib/containers/storage/overlay-containers/containers.json",
        "run/containerd/io.containerd.runtime.v2.task/x/y/config.json", "var/lib/cni/results/x", "run/systemd/machines/x",
        "run/libvirt/qemu/x.xml", "etc/docker/daemon.json", "etc/containers/storage.conf",
    ):  # fmt: skip
        host.file(path, b"\xff\x00[")
    host.process(100, "sh", ns=NS)
    assert [match.owner for match in find(host.topology(), "web")] == []
    assert len(host.gaps()) >= 5
