"""The verbs against the real kernel, as subprocesses, in a private host."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from nswire.lab import openstack_demo
from nswire.show.documents import DOCUMENTS

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

EVIL = b"ev\x1b[31m\xe2\x80\xaeil"
BYTES = b"by\xfftes"


class Said(NamedTuple):
    """What a run said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*args: str | bytes, **environment: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "nswire", *args],
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1", **environment},
    )
    said = Said(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert "Traceback" not in said.err
    return said


@pytest.fixture
def host(lab: Lab) -> Lab:
    """A host with a named namespace, a bridge, a link with all sorts of names, and equal names elsewhere."""
    inside, other = lab.namespace("named", "inside"), lab.namespace("named", EVIL)
    lab.pair(lab.home, "out0", inside, "in0", index=69, peer_index=68)
    lab.pair(lab.home, "out1", other, "in0", index=70, peer_index=68)
    lab.pair(lab.home, BYTES, other, b"\xe2\x80\xaex", index=71)
    writer = lab.rtnl(lab.home)
    writer.bridge("br0", index=67, up=True)
    lab.undo_link(67)
    writer.set("out0", master="br0")
    writer.altname("out0", "the other name", "日本🎉")
    lab.rtnl(inside).address(68, "10.10.100.2/24")
    lab.release()
    return lab


@pytest.mark.usefixtures("lab")
def test_the_blog_both_ways_live_and_recorded(tmp_path: Path) -> None:
    """The puzzle that this project was started for, with its trap."""
    file = str(tmp_path / "blog.nswire")
    with contextlib.closing(openstack_demo.blog()):
        truth = {
            openstack_demo.INNER: ("self", openstack_demo.OUTER),
            openstack_demo.OUTER: (openstack_demo.NAMESPACE, openstack_demo.INNER),
            openstack_demo.TRAP_INNER: (openstack_demo.TRAP_HOST, openstack_demo.TRAP_OUTER),
            openstack_demo.TRAP_OUTER: (openstack_demo.TRAP_NAMESPACE, openstack_demo.TRAP_INNER),
        }
        for asked, (label, name) in truth.items():
            (result,) = run("peer", "-j", asked).json["results"]
            peer = result["peer"]
            assert (peer["netns"]["label"], peer["ifname"], result["evidence"]) == (label, name, "proved")
        assert run("record", file).status == 0
        everything = [
            ["peer"],
            ["ls"],
            ["netns"],
            ["show", openstack_demo.INNER, "router"],
            ["peer", openstack_demo.OUTER, "router"],
        ]
        live = [run(*words).out for words in everything]
    recorded = [run(*words, "--from", file).out for words in everything]
    for one, other in zip(live, recorded, strict=True):
        assert _settled(one) == _settled(other)


def _settled(text: str) -> list[str]:
    """Without the processes, which come and go between two runs."""
    return [line for line in text.splitlines() if "pid " not in line]


@pytest.mark.usefixtures("host")
def test_answers_are_0_and_no_is_1() -> None:
    assert run("peer", "out0").status == 0
    assert run("peer").status == 0
    assert run("peer", "br0").status == 1
    assert run("peer", "out0", "br0").status == 1
    assert run("peer", "netns:inside").status == 0


@pytest.mark.usefixtures("host")
def test_unknown_is_2_with_near_names_and_the_others_are_answered() -> None:
    said = run("peer", "out9", "out0", "-j")
    assert said.status == 2
    assert [result["query"] for result in said.json["results"]] == ["out0"]
    assert said.err.splitlines()[0].startswith("nswire peer: out9: no such link; did you mean out")


@pytest.mark.usefixtures("host")
def test_ambiguous_is_2_with_a_handle_for_each() -> None:
    said = run("peer", "in0")
    assert (said.status, said.out) == (2, "")
    offered = [line.split("  ")[1] for line in said.err.splitlines()[1:]]
    assert len(offered) == 2
    for handle in offered:
        assert run("peer", handle.strip("'")).status == 0
    assert run("ls", "in0").status == 0


@pytest.mark.usefixtures("host")
def test_all_candidates_are_in_json_and_ten_in_text(lab: Lab) -> None:
    """A host of containers has an eth0 in each: a screen of them helps nobody, and a program wants all."""
    inside = [lab.namespace("named", f"many{number}") for number in range(11)]
    for number, ns in enumerate(inside):
        lab.pair(lab.home, f"up{number}", ns, "in0")
    said = run("peer", "in0")
    assert said.status == 2
    told = said.err.splitlines()
    assert len(told) == 12
    assert told[0].endswith("in0: ambiguous: 13 matches; use one of:")
    assert told[-1] == "  and 3 more; nswire ls in0 lists them"
    said = run("peer", "-j", "in0")
    assert said.status == 2
    assert (said.json["results"], len(said.json["handles"][0]["others"])) == ([], 13)


@pytest.mark.parametrize("verb", ["peer", "show"])
def test_a_bare_name_is_that_of_the_own_namespace_and_says_what_else_has_it(lab: Lab, verb: str) -> None:
    """As `ip` has it; what is only elsewhere, and twice, stays an error (above)."""
    one, two = lab.namespace("named", "one"), lab.namespace("named", "two")
    lab.pair(lab.home, "eth0", one, "eth0")
    lab.pair(one, "x", two, "eth0")
    lab.release()
    said = run(verb, "eth0")
    assert said.status == 0
    assert said.err == (
        f"nswire {verb}: eth0: taken as self/eth0, in the own namespace; 2 more links have that name: nswire ls eth0\n"
    )
    document = run(verb, "-j", "eth0").json
    assert document["handles"] == [
        {"query": "eth0", "chosen": "self/eth0", "others": ["one/eth0", "two/eth0"]}
    ]
    (told,) = document["results" if verb == "peer" else "links"]
    assert told["link"]["netns"]["home"]
    assert run(verb, "-j", "one/eth0").err == ""


@pytest.mark.usefixtures("host")
def test_ls_with_globs_filters_columns_and_order() -> None:
    def names(*words: str) -> list[str]:
        return [link["ifname"] for link in run("ls", "-j", *words).json["links"]]

    assert set(names("out*")) == {"out0", "out1"}
    assert names("kind:bridge") == ["br0"]
    assert names("out*", "inside/in0", "netns:self") == ["out0", "out1"]
    assert names("inside/*", "kind:veth") == ["in0"]
    assert names("out*", "--sort", "-ifindex") == ["out1", "out0"]
    said = run("ls", "kind:bridge", "--columns", "link,kind,mtu")
    assert said.out == "LINK      KIND    MTU\nself/br0  bridge  1500\n"
    assert run("ls", "br0", "-br").out.split()[:2] == ["LINK", "STATE"]
    assert "lo" not in [line.split()[1] for line in run("ls").out.splitlines()[:-1]]
    assert "lo" in [line.split()[1] for line in run("ls", "-a").out.splitlines()]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("words", "status", "told"),
    [
        (["kind:nonsense"], 1, "nswire ls: no link fits all of that"),
        (["nonsense*"], 1, "nswire ls: no link fits all of that"),
        (["netns:nonsense"], 2, "nswire ls: netns:nonsense: no such namespace"),
        (["--columns", "nonsense"], 2, "there is no column 'nonsense'"),
        (["--sort", "nonsense"], 2, "there is no column 'nonsense'"),
        (["-br", "--columns", "mtu"], 2, "-br has columns of its own"),
    ],
)
def test_ls_says_what_does_not_fit(words: list[str], status: int, told: str) -> None:
    said = run("ls", *words)
    assert (said.status, said.out) == (status, "")
    assert told in said.err


@pytest.mark.usefixtures("host")
def test_what_listens_and_what_does_not() -> None:
    """A port that nothing listens on is answered with who lists those that something does."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        (told,) = run("ls", "--listening", "-j", "self").json["listening"]
        assert (told["protocol"], told["address"], told["port"]) == ("tcp", "127.0.0.1", port)
        assert told["pid"] == os.getpid()
        assert f"tcp 127.0.0.1:{port}" in run("ls", "--listening").out
        assert run("ls", "--listening", "inside").status == 1
    said = run("peer", f"tcp:{port}")
    assert said.status == 2
    assert said.err.splitlines()[1].startswith("  nswire ls --listening lists all ports")


@pytest.mark.usefixtures("host")
def test_handles_of_every_family() -> None:
    mac = run("ls", "-j", "in0").json["links"][0]["address"]
    handles = ["out0", "the other name", "日本🎉", "self/out0", "self/69", "69", "out0@if68"]
    for handle in handles:
        assert run("ls", "-j", handle).json["links"][0]["ifname"] == "out0", handle
    for handle in (
        "10.10.100.2",
        "10.10.100.2/24",
        mac.upper().replace(":", "-"),
        "inside/in0",
        "/run/netns/inside/68",
    ):
        assert run("ls", "-j", handle).json["links"][0]["ifname"] == "in0", handle
    for handle in ("inside", "netns:inside", "/run/netns/inside"):
        assert [link["ifname"] for link in run("ls", "-j", handle).json["links"]] == ["in0"], handle
    inode = run("netns", "-j", "inside").json["namespaces"][0]["inode"]
    for handle in (str(inode), f"net:[{inode}]", "inside/in0"):
        assert run("netns", "-j", handle).json["namespaces"][0]["names"] == ["inside"], handle
    assert run("netns", "-j", f"pid:{os.getpid()}").json["namespaces"][0]["home"]
    assert run("show", b"by\xfftes").status == 0


def test_strict_is_3_where_something_was_not_seen(lab: Lab) -> None:
    """A namespace whose only descriptor is on its way between two processes: nobody can say who holds it."""
    hidden = lab.namespace("in-flight")
    lab.pair(lab.home, "out0", hidden, "in0")
    lab.release()
    said = run("peer", "out0")
    assert said.status == 0
    assert "nsid:" in said.out
    assert "not seen:" in said.out
    assert run("peer", "--strict", "out0").status == 3
    label = run("peer", "-j", "out0").json["results"][0]["peer"]["netns"]
    assert (label["inode"], label["hidden"]) == (None, True)
    assert run("peer", f"{label['label']}/in0").status == 0


@pytest.mark.usefixtures("host")
def test_strict_is_0_where_all_was_seen() -> None:
    assert run("peer", "--strict", "out0").status == 0


@pytest.mark.usefixtures("host")
def test_options_stand_before_or_after_the_handles() -> None:
    def answer(*args: str) -> Any:
        document = run(*args).json  # what changes by itself (states, addresses) is left out
        results = [
            (one["query"], one["link"]["ifindex"], one["peer"]["ifindex"]) for one in document["results"]
        ]
        return document.keys(), results

    assert answer("peer", "-j", "out0") == answer("peer", "out0", "-j")


@pytest.mark.usefixtures("host")
def test_colours_only_where_they_are_wanted() -> None:
    assert "\x1b" not in run("peer", "out0").out
    assert "\x1b[36m" in run("peer", "out0", "--color=always", NO_COLOR="1").out
    assert "\x1b" not in run("peer", "out0", "--color=never").out


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("set_", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)]
)
def test_colours_on_a_terminal(set_: dict[str, str], coloured: bool) -> None:  # noqa: FBT001
    mine, its = os.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "nswire", "peer", "out0"],
        stdout=its,
        env={**os.environ, "TERM": "xterm", "NSWIRE_PAGER": "", **set_},
    )
    os.close(its)
    text = b""
    with contextlib.suppress(OSError):  # EIO: the other side is closed
        while part := os.read(mine, 4096):
            text += part
    os.close(mine)
    assert done.wait() == 0
    assert (b"\x1b[" in text) == coloured


VERBS = [
    ["peer"],
    ["peer", "69", "70", "71"],
    ["ls"],
    ["netns"],
    ["show", "self", "out0", "71", "67", "netns:inside"],
]


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb[:2]))
def test_hostile_names_do_nothing_to_a_terminal_and_are_exact_in_json(verb: list[str]) -> None:
    for args in ([], ["--how"], ["-j"], ["-j", "--how"]):
        said = run(*verb, *args)
        assert said.status in (0, 1), said.err
        assert all(line.isprintable() for line in (said.out + said.err).splitlines())
    document = run(*verb, "-j").json
    assert os.fsdecode(EVIL) in _strings(document)
    if verb[0] != "netns":
        assert os.fsdecode(BYTES) in _strings(document)
        assert os.fsencode(next(text for text in _strings(document) if text.startswith("by"))) == BYTES


def _strings(value: object) -> set[str]:
    if isinstance(value, str):
        return {value}
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {text for one in inner for text in _strings(one)}


@pytest.mark.usefixtures("host")
@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: "-".join(verb[:2]))
def test_documents_are_what_their_schemas_say(verb: list[str]) -> None:
    text = run(*verb, "-j", "--how").out
    raw = msgspec.json.decode(text.replace("\\udcff", "?"))
    decoded = msgspec.json.decode(text.replace("\\udcff", "?"), type=DOCUMENTS[verb[0]], strict=True)
    assert msgspec.json.decode(msgspec.json.encode(decoded)) == raw


@pytest.mark.needs("ip")
@pytest.mark.usefixtures("host")
def test_how_tells_the_truth() -> None:
    """Each command that it prints works here, and says what it is said to say."""
    told = run("peer", "inside/in0", "out1", "-j", "--how").json["how"]
    for command in told:
        if "ethtool" in command:
            continue  # may not be installed
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (0, b""), command
    assert any(command.startswith("ip -n inside -d link show dev in0") for command in told)


@pytest.mark.usefixtures("host")
def test_a_bridge_tells_its_ports_and_where_they_lead() -> None:
    said = run("peer", "br0")
    assert (said.status, said.err) == (1, "")
    assert "port  out0  veth" in said.out
    assert "peer inside/in0" in said.out
    (result,) = run("peer", "-j", "br0").json["results"]
    (port,) = result["port_links"]
    assert (port["link"]["ifname"], port["peer"]["netns"]["label"]) == ("out0", "inside")


@pytest.mark.needs("ip")
@pytest.mark.usefixtures("host")
@pytest.mark.parametrize(
    ("down", "asked", "code"),
    [("link set out0 down", "out0", "l2.down"), ("link set out0 down", "inside/in0", "l2.peer_down")],
)
def test_a_link_that_carries_nothing_says_why_and_its_fix_works(down: str, asked: str, code: str) -> None:
    """The command is run as it is told, and then the link carries."""
    subprocess.run(["ip", "-n", "inside", "link", "set", "in0", "up"], check=True)
    subprocess.run(["ip", *down.split()], check=True)
    (result,) = run("peer", "-j", asked).json["results"]
    assert result["inactive"]["reason"]["code"] == code
    assert f"fix: {result['inactive']['fix']}" in run("peer", asked).out
    subprocess.run(["bash", "-c", result["inactive"]["fix"]], check=True)
    (result,) = run("peer", "-j", asked).json["results"]
    assert "inactive" not in result
    assert "carries nothing" not in run("peer", asked).out


@pytest.mark.usefixtures("host")
def test_link_local_addresses_are_told_to_those_who_ask() -> None:
    subprocess.run(["ip", "address", "add", "fe80::1234/64", "dev", "br0", "nodad"], check=True)
    assert "fe80::1234" not in run("peer", "br0").out
    assert "fe80::1234/64" in run("peer", "-a", "br0").out
    assert "fe80::1234/64" in run("peer", "-j", "br0").out


@pytest.mark.usefixtures("host")
def test_a_closed_pipe_ends_it_quietly() -> None:
    """`nswire ls | head` must not end in a traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "nswire", "ls"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.usefixtures("host")
def test_handles_are_completed_and_hostile_ones_are_not_offered() -> None:
    said = run(_NSWIRE_COMPLETE="bash_complete", COMP_WORDS="nswire peer ", COMP_CWORD="2")
    offered = {line.partition(",")[2] for line in said.out.splitlines()}
    assert {"out0", "out1", "br0", "inside", "self"} <= offered
    assert all(name.isascii() and name.isprintable() for name in offered)
    said = run(_NSWIRE_COMPLETE="bash_complete", COMP_WORDS="nswire peer inside/", COMP_CWORD="2")
    assert "plain,inside/in0" in said.out.splitlines()


@pytest.mark.usefixtures("host")
def test_a_stream_that_is_no_utf8_is_no_failure() -> None:
    said = run("ls", PYTHONIOENCODING="latin-1", PYTHONUTF8="0")
    assert said.status == 0


@pytest.mark.usefixtures("lab")
def test_the_demo() -> None:
    said = run("demo")
    assert said.status == 0, said.err
    assert said.out.count("$ nswire peer ") == 3
    assert f"$ nswire path {openstack_demo.INNER}\n" in said.out
    assert "delivered: 1.1.1.1 is an address of outside" in said.out
    assert f"self/{openstack_demo.OUTER}" in said.out
    assert f"{openstack_demo.TRAP_HOST}/{openstack_demo.TRAP_OUTER}" in said.out
    assert not os.path.exists(f"/run/netns/{openstack_demo.NAMESPACE}")
