"""`nswire path`: in the blog post's network, live and recorded; what it asks for, and what it refuses."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import pytest

from nswire.lab.openstack_demo import blog
from nswire.show.documents import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DHCP = "ns-39d60faa-aa"
INSIDE = "qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1"

pytestmark = pytest.mark.usefixtures("post")


class Said(NamedTuple):
    """What a run said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*args: str) -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "nswire", "path", *args],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert "Traceback" not in done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


def shell(command: str) -> None:
    subprocess.run(["sh", "-ec", command], check=True, capture_output=True)


@pytest.fixture(scope="module")
def post(private_host: None) -> Iterator[None]:
    """The network of the blog post."""
    del private_host
    with blog():
        yield


def test_the_way_out() -> None:
    said = run(DHCP)
    assert (said.status, said.err) == (0, "")
    lines = [line for line in said.out.splitlines() if line]
    assert lines[:2] == [
        "✔ icmp 10.10.100.2 -> 1.1.1.1: delivered in outside",
        "1.1.1.1 stands for the internet",
    ]
    assert [line for line in lines if line in (INSIDE, "self", "router", "outside")] == [
        INSIDE,
        "self",
        "router",
        "outside",
    ]
    assert "  route      default via 10.10.100.1 dev ns-39d60faa-aa" in lines
    assert "  out        ns-39d60faa-aa" in lines
    assert "  in         tap39d60faa-aa" in lines
    assert lines[-3:] == [
        "✔ delivered: 1.1.1.1 is an address of outside",
        "path MTU 1500",
        "reply takes the same path",
    ]


def test_a_step_that_is_folded_has_its_type_once() -> None:
    """On a terminal of 80 columns, where `neighbour` needs two lines."""
    master, slave = os.openpty()
    with os.fdopen(master, "rb", buffering=0) as shown:
        subprocess.run(["stty", "cols", "80"], stdin=slave, check=True)
        command = [sys.executable, "-m", "nswire", "path", "--no-reply", DHCP]
        environment = {**os.environ, "NSWIRE_PAGER": "", "NO_COLOR": "1", "PYTHONUTF8": "1"}
        environment.pop("COLUMNS", None)
        subprocess.run(command, stdout=slave, env=environment, check=True)
        os.close(slave)
        text = b""
        with contextlib.suppress(OSError):  # EIO: nobody has the other side open any more
            while part := shown.read(4096):
                text += part
    lines = text.decode().splitlines()
    steps = [line for line in run(DHCP, "--no-reply").out.splitlines() if line.startswith("  neighbour ")]
    assert [line.startswith("  neighbour ") for line in lines].count(True) == len(steps)
    assert len(lines) > len(run(DHCP, "--no-reply").out.splitlines())
    assert any(line.startswith(" " * 15) for line in lines)
    assert max(map(len, lines)) <= 80


def test_hops_are_one_chain() -> None:
    """With what NAT makes of the packet where it does."""
    assert f"{INSIDE} {DHCP} → self tap39d60faa-aa … eth1 → router int0 … ext0" in run(DHCP, "--hops").out
    assert " → outside wan0" in run(DHCP, "--hops").out


@pytest.mark.needs("nft")
def test_the_chain_has_nat_in_it() -> None:
    shell(
        "ip netns exec router nft 'table ip nat { chain p { type nat hook postrouting priority 100;"
        " oif ext0 snat to 203.0.113.77; }; }'; ip -n router address add 203.0.113.77/32 dev ext0"
    )
    try:
        out = run(DHCP, "--hops").out
    finally:
        shell(
            "ip netns exec router nft delete table ip nat; ip -n router address del 203.0.113.77/32 dev ext0"
        )
    assert "router int0 … ext0 [SNAT 203.0.113.77] → outside wan0" in out


def test_json_is_what_its_schema_says() -> None:
    said = run("-j", DHCP)
    document = said.json
    msgspec.convert(document, DOCUMENTS["path"])
    assert document["schema"] == "nswire/path"
    assert document["fate"] == "delivered"
    assert document["start"]["label"] == INSIDE
    assert document["flow"] == {
        "proto": 1,
        "src": "10.10.100.2",
        "dst": "1.1.1.1",
        "sport": None,
        "dport": None,
    }
    assert [hop["netns"]["label"] for hop in document["hops"]] == [INSIDE, "self", "router", "outside"]
    assert document["reply"]["fate"] == "delivered"
    assert document["mtu"]["bytes"] == 1500
    assert all(step["evidence"] for hop in document["hops"] for step in hop["steps"])


def test_from_any_handle_to_any_handle() -> None:
    for handle in (f"netns:{INSIDE}", "tap39d60faa-aa", "10.10.100.2", f"{INSIDE}/{DHCP}"):
        assert run("-j", handle).json["start"]["label"] == INSIDE, handle
    there = run("-j", DHCP, "router/int0").json
    assert there["flow"]["dst"] == "10.10.100.1"
    assert (there["fate"], there["hops"][-1]["netns"]["label"]) == ("delivered", "router")


@pytest.mark.parametrize("word", ["127.0.0.1", "127.8.8.8", "::1"])
def test_what_everybody_has_is_here(word: str) -> None:
    """127.0.0.1 is an address of every namespace: whoever types it means his own."""
    shell("ip link set lo up")
    told = run(word, word, "-j", "--proto", "udp", "--dport", "9").json
    assert (told["fate"], told["flow"]["src"]) == ("refused", word)


def test_dropped_is_1_with_what_would_mend_it() -> None:
    shell("ip netns exec router sysctl -qw net.ipv4.ip_forward=0")
    try:
        said = run(DHCP)
        document = run("-j", DHCP)
    finally:
        shell("ip netns exec router sysctl -qw net.ipv4.ip_forward=1")
    assert said.status == document.status == 1
    *_, verdict, mend = said.out.splitlines()
    assert (
        verdict
        == "✘ dropped in router: net.ipv4.ip_forward=0 in router: it forwards nothing that comes in there"
    )
    assert mend == "`ip netns exec router sysctl -w net.ipv4.ip_forward=1` would forward"
    assert document.json["mend"]["command"] == "ip netns exec router sysctl -w net.ipv4.ip_forward=1"
    assert document.json["reply"] is None


@pytest.mark.needs("nft")
def test_unknown_is_3_where_that_is_wanted() -> None:
    table = (
        "table ip unsure { chain c { type filter hook forward priority 0; numgen random mod 2 0 drop; }; }"
    )
    shell(f"ip netns exec router nft '{table}'")
    try:
        said, strict = run(DHCP), run("--strict", DHCP)
    finally:
        shell("ip netns exec router nft delete table ip unsure")
    assert (said.status, strict.status) == (0, 3)
    assert "it depends: delivered if the rule `numgen random mod 2 0 drop` does not take it" in said.out


def test_the_packet_as_it_is_asked_for() -> None:
    document = run(
        "-j", DHCP, "203.0.113.1", "--proto", "udp", "--sport", "5000", "--dport", "53", "--no-reply"
    ).json
    assert document["flow"] == {
        "proto": 17,
        "src": "10.10.100.2",
        "dst": "203.0.113.1",
        "sport": 5000,
        "dport": 53,
    }
    assert document["reply"] is None
    assert run("-j", DHCP, "203.0.113.1", "--dport", "80").json["flow"]["proto"] == 6
    assert run(DHCP, "--size", "1501").status == 1


def test_refused_is_1_and_where_nothing_listens() -> None:
    """It arrives, and is answered with a reset: for whoever asks that is no."""
    said, document = run(DHCP, "tcp:10.10.100.1:81"), run("-j", DHCP, "10.10.100.1:81")
    assert (said.status, document.status) == (1, 1)
    lines = said.out.splitlines()
    assert lines[0].startswith("✘ tcp 10.10.100.2 -> 10.10.100.1:81: refused in router")
    assert (
        "✘ refused: 10.10.100.1 is an address of router; nothing listens on 10.10.100.1:81 (a reset)" in lines
    )
    assert document.json["fate"] == "refused"
    assert document.json["reason"]["code"] == "local.nobody_listens"


def test_an_address_that_nobody_here_has_is_where_to() -> None:
    """From here; the source that the kernel chooses is told. One that a link has stands for that link."""
    shell("ip address add 10.10.100.50/24 dev brqfabc7ead-61")
    try:
        out, told = run("10.10.100.77").out, run("-j", "10.10.100.1:81").json
        assert run("-j", "udp:10.10.100.1:53").json["flow"]["proto"] == 17
        assert out.splitlines()[0].startswith(
            ("✘ icmp 10.10.100.50 -> 10.10.100.77: ", "? icmp 10.10.100.50")
        )
        assert run("-j", "10.10.100.2").json["start"]["label"] == INSIDE
    finally:
        shell("ip address del 10.10.100.50/24 dev brqfabc7ead-61")
    assert (told["start"]["label"], told["flow"]["src"], told["flow"]["dport"]) == (
        "self",
        "10.10.100.50",
        81,
    )


def test_a_port_behind_whom_it_is_for() -> None:
    """As people write it; a handle with a colon in it stays one, and two ports are one too many."""
    for receiver, dst in (
        ("10.10.100.1:53", "10.10.100.1"),
        ("router/int0:53", "10.10.100.1"),
        ("203.0.113.1:53", "203.0.113.1"),
    ):
        flow = run("-j", DHCP, receiver, "--proto", "udp", "--no-reply").json["flow"]
        assert (flow["dst"], flow["proto"], flow["dport"]) == (dst, 17, 53)
    said = run(DHCP, "10.10.100.1:53", "--dport", "80")
    assert (said.status, "it names port 53, and --dport is 80" in said.err) == (2, True)
    said = run(DHCP, "tcp:10.10.100.1:53", "--proto", "udp")
    assert (said.status, "it names tcp, and --proto is udp" in said.err) == (2, True)
    assert run(DHCP, "10.10.100.1:99999").status == 2


def test_from_a_recording(tmp_path: Path) -> None:
    file = str(tmp_path / "host.nsw")
    subprocess.run([sys.executable, "-m", "nswire", "record", file], check=True, capture_output=True)
    said = run("--from", file, "-j", DHCP)
    assert said.status == 0
    live = run("-j", DHCP).json
    there = [(hop["netns"]["label"], hop["link"] and hop["link"]["ifname"]) for hop in said.json["hops"]]
    assert there == [(hop["netns"]["label"], hop["link"] and hop["link"]["ifname"]) for hop in live["hops"]]


def test_on_the_picture(tmp_path: Path) -> None:
    """The caption is the verdict, and the wires are numbered in the order in which they are passed."""

    def drawn(*args: str) -> Said:
        done = subprocess.run(
            [sys.executable, "-m", "nswire", "map", "--path", *args],
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr
        return Said(done.returncode, done.stdout, done.stderr)

    said = drawn(DHCP, "out")
    assert (said.status, said.err) == (0, "")
    assert said.out.startswith("icmp 10.10.100.2 -> 1.1.1.1: delivered: 1.1.1.1 is an address of outside\n")
    assert "━" in said.out
    assert "compute-2" not in said.out
    file = tmp_path / "way.svg"
    assert drawn(DHCP, "out", "-o", str(file)).status == 0
    assert "delivered" in file.read_text()
    said = drawn(DHCP, "203.0.113.1", "--dport", "53", "--sport", "5000", "--proto", "udp", "--uid", "1000")
    assert said.out.startswith("udp 10.10.100.2:5000 -> 203.0.113.1:53: "), said
    assert drawn(DHCP, "out", "--mark", "seven").err.startswith("nswire map: --mark seven: that is no number")
    alone = subprocess.run(
        [sys.executable, "-m", "nswire", "map", "--dport", "53"], capture_output=True, text=True, check=False
    )
    assert (alone.returncode, alone.stdout) == (2, "")
    assert "--path FROM TO" in alone.stderr
    refused = drawn(DHCP, "nonsense")
    assert (refused.status, refused.out) == (2, "")


def test_how_it_could_be_done_by_hand() -> None:
    out = run("--how", DHCP).out
    assert f"ip -n {INSIDE} route get 1.1.1.1" in out
    for command in (
        f"ip -n {INSIDE} -d link show dev {DHCP}",
        "bridge fdb show",
        "ip -n router neigh",
        "ip netns exec outside ss -lntup",
    ):
        assert f"  {command}\n" in out


@pytest.mark.needs("ip")
def test_the_commands_of_how_work() -> None:
    """Each is run as it is told; a program that is not installed is no fault of ours."""
    for command in run("-j", "--how", DHCP).json["how"]:
        done = subprocess.run(["bash", "-c", command], capture_output=True, check=False)
        assert done.returncode in (0, 127) or b"No such file" in done.stderr, command


@pytest.mark.needs("nft")
def test_what_would_let_it_pass_names_the_rule_by_its_handle() -> None:
    """A rule that is inserted there as it is told lets the packet pass."""
    shell(
        "ip netns exec router nft 'table ip wall { chain f { type filter hook forward priority 0;"
        " ip protocol icmp drop; }; }'"
    )
    try:
        mend = run("-j", DHCP).json["mend"]
        found = re.search(
            r"an accept rule inserted before handle (\d+) would let such packets pass", mend["effect"]
        )
        assert found is not None
        listed = subprocess.run(["bash", "-c", mend["command"]], capture_output=True, text=True, check=True)
        assert f"drop # handle {found[1]}\n" in listed.stdout
        shell(f"ip netns exec router nft insert rule ip wall f handle {found[1]} ip protocol icmp accept")
        assert run(DHCP).status == 0
    finally:
        shell("ip netns exec router nft delete table ip wall")


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ([], "Missing argument"),
        (["nonsense-handle"], "nonsense-handle"),
        ([DHCP, "nonsense-handle"], "nonsense-handle"),
        ([DHCP, "--proto", "carrier-pigeon"], "there is no such protocol"),
        ([DHCP, "--dport", "70000"], "70000"),
        ([DHCP, "--mark", "blue"], "that is no number"),
        ([DHCP, "::1", "--src", "10.0.0.1"], "one is IPv4, the other IPv6"),
        ([DHCP, "--size", "1"], "1"),
    ],
)
def test_what_makes_no_sense_is_2(args: list[str], says: str) -> None:
    said = run(*args)
    assert (said.status, said.out) == (2, "")
    assert says in said.err
    assert said.err.startswith("nswire path: ")
