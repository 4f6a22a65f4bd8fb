"""`nswire assert`: files of expectations, judged in the blog post's network, live and recorded; JUnit for CI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.check.expect import TABLE, block, read
from nswire.errors import ExpectationsError
from nswire.lab.openstack_demo import blog
from nswire.show.documents import DOCUMENTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DHCP, TAP = "ns-39d60faa-aa", "tap39d60faa-aa"
INSIDE = "qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1"


class Said(NamedTuple):
    """What a run said."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*args: str, stdin: str = "") -> Said:
    done = subprocess.run(
        [sys.executable, "-m", "nswire", *args],
        capture_output=True,
        text=True,
        check=False,
        input=stdin,
        env={**os.environ, "PYTHONUTF8": "1"},
    )
    assert "Traceback" not in done.stderr
    return Said(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def post(private_host: None) -> Iterator[None]:
    """The network of the blog post, whose router translates nothing."""
    del private_host
    with blog():
        yield


def shell(command: str) -> None:
    subprocess.run(["sh", "-ec", command], check=True, capture_output=True)


def judged(text: str, *options: str) -> dict[str, Any]:
    """What came of the only expectation of a file."""
    (result,) = run("assert", "-", "-j", *options, stdin=text).json["results"]
    found: dict[str, Any] = result
    return found


# -- files -------------------------------------------------------------------------------------------------------


MALFORMED = (
    ("x", "Expected '='"),
    ("\x00", "Invalid statement"),
    ("", "it expects nothing"),
    ("[[pth]]\n", "'pth' is no kind"),
    ("[path]\nfrom = 'a'\n", "list of tables"),
    ("path = [1]\n", "is no table"),
    ("path = 3\n", "list of tables"),
    ("[[path]]\nfrm = 'a'\n", "no key 'frm'"),
    ("[[path]]\nfrom = 1\n", "from is to be a text"),
    ("[[path]]\nfrom = 'a'\ndport = 'http'\n", "dport is to be a number"),
    ("[[path]]\nfrom = 'a'\ndport = true\n", "dport is to be a number"),
    ("[[path]]\nfrom = 'a'\ndport = 70000\n", "dport cannot be 70000"),
    ("[[path]]\nfrom = 'a'\nsize = -1\n", "size cannot be -1"),
    ("[[path]]\nfrom = 'a'\nfamily = 5\n", "family cannot be 5"),
    ("[[path]]\nfrom = 'a'\nvia = [1]\n", "via cannot be [1]"),
    ("[[path]]\nfrom = 'a'\nexpect = 'deliverd'\n", "cannot be 'deliverd'"),
    ("[[path]]\ndport = 5\n", "does not say from"),
    ("[[peer]]\n", "does not say of and is"),
    ("[[no_finding]]\n", "does not say rule"),
)


@pytest.mark.parametrize(("text", "why"), MALFORMED)
def test_what_is_no_file_of_expectations(text: str, why: str) -> None:
    with pytest.raises(ExpectationsError) as error:
        read(text.encode())
    assert why in str(error.value)


def test_a_file_that_is_no_text() -> None:
    with pytest.raises(ExpectationsError):
        read(b"\xff")


def test_too_deep_or_too_many() -> None:
    with pytest.raises(ExpectationsError, match="deep"):
        read(b"a = " + b"[" * 100_000)
    with pytest.raises(ExpectationsError, match="10001"):
        read(b"[[peer]]\nof='a'\nis='b'\n" * 10_001)


@given(st.text(), st.lists(st.text()))
def test_what_is_written_can_be_read(word: str, words: list[str]) -> None:
    """Whatever a name is made of: it comes back as it was."""
    said = {"from": word, "via": words, "dport": 5}
    (one,) = read(block("path", said).encode())
    assert (one.kind, one.number, one.given) == ("path", 1, said)


def test_a_name_that_is_no_text() -> None:
    with pytest.raises(UnicodeEncodeError):
        block("peer", {"of": "\udcff", "is": "a"})


def test_each_kind_says_what_it_is() -> None:
    for name, kind in TABLE.items():
        assert kind.name == name
        assert set(kind.required) <= set(kind.keys)


# -- judging -----------------------------------------------------------------------------------------------------


TRUE = f"""
[[path]]
from = "{DHCP}"
reply = "delivered"
via = ["{TAP}", "eth1"]
mtu_min = 1500
snat = "none"
[[peer]]
of = "{TAP}"
is = "{DHCP}"
[[peer]]
of = "{TAP}"
is = "netns:{INSIDE}"
[[peer]]
of = "brqfabc7ead-61"
is = "none"
"""


@pytest.mark.usefixtures("post")
class TestInThePost:
    """Files of expectations about the blog post's network."""

    def test_what_is_true_holds(self) -> None:
        said = run("assert", "-", stdin=TRUE)
        assert (said.status, said.err) == (0, "")
        assert said.out.splitlines()[-1] == "4 of 4 expectations hold"

    def test_from_a_recording(self, tmp_path: Path) -> None:
        file = tmp_path / "post.nswire"
        assert run("record", str(file)).status == 0
        assert run("assert", "-", "--from", str(file), stdin=TRUE).status == 0

    @pytest.mark.parametrize(
        ("says", "key", "found"),
        [
            ("expect = 'dropped'", "expect", "delivered"),
            ("reply = 'none'", "reply", "delivered"),
            ("mtu_min = 1501", "mtu_min", 1500),
            ("via = 'tap7be2c0f4-1d'", "via", None),
            ("snat = '192.0.2.7'", "snat", "none"),
            ("dnat = '192.0.2.7:80'", "dnat", "none"),
            ("code = 'route.no_route'", "code", None),
        ],
    )
    def test_what_is_not_true_fails(self, says: str, key: str, found: object) -> None:
        result = judged(f"[[path]]\nfrom = '{DHCP}'\n{says}\n")
        (row,) = [one for one in result["values"] if one["key"] == key]
        assert (result["status"], row["holds"]) == ("fails", False)
        assert found is None or row["found"] == found

    @pytest.mark.parametrize(
        ("says", "status"),
        [
            ("to = 'tcp:203.0.113.1:80'", "holds"),
            ("to = '203.0.113.1:80'", "holds"),
            ("to = '203.0.113.1:80'\ndport = 80", "holds"),
            ("to = '203.0.113.1:80'\ndport = 81", "error"),
            ("to = 'tcp:203.0.113.1:80'\nproto = 'udp'", "error"),
        ],
    )
    def test_a_destination_as_one_types_it(self, says: str, status: str) -> None:
        """Nothing listens there; two ports, or protocols, that differ are none."""
        assert judged(f"[[path]]\nfrom = '{DHCP}'\nexpect = 'refused'\n{says}\n")["status"] == status

    def test_a_source_that_it_never_gets(self) -> None:
        """Dropped before one is chosen: that is no translation."""
        text = "[[path]]\nfrom = 'netns:compute-2'\nexpect = 'dropped'\nsnat = '192.0.2.7'\n"
        (row,) = [one for one in judged(text)["values"] if one["key"] == "snat"]
        assert (row["found"], row["holds"]) == (None, False)

    def test_why_it_is_dropped(self) -> None:
        text = "[[path]]\nfrom = 'netns:compute-2'\nexpect = 'dropped'\ncode = 'route.no_route'\n"
        assert judged(text)["status"] == "holds"

    def test_a_translated_source(self) -> None:
        shell(
            "ip netns exec router nft 'table ip t { chain c { type nat hook postrouting priority 100; oifname ext0 masquerade; }; }'"
        )
        try:
            wan = json.loads(
                subprocess.check_output(["ip", "-n", "router", "-j", "-4", "addr", "show", "ext0"], text=True)
            )
            address = wan[0]["addr_info"][0]["local"]
            assert (
                judged(f"[[path]]\nfrom = '{DHCP}'\nsnat = '{address}'\nreply = 'delivered'\n")["status"]
                == "holds"
            )
            assert judged(f"[[path]]\nfrom = '{DHCP}'\nsnat = 'none'\n")["status"] == "fails"
        finally:
            shell("ip netns exec router nft delete table ip t")

    @pytest.mark.parametrize(
        "text",
        [
            "[[path]]\nfrom = 'nobody'\n",
            "[[path]]\nfrom = 'lo'\n",
            f"[[path]]\nfrom = '{DHCP}'\nproto = 'nope'\n",
            f"[[path]]\nfrom = '{DHCP}'\nto = 'fe80::1'\nsrc = '10.0.0.1'\n",
            f"[[peer]]\nof = 'netns:{INSIDE}/nope'\nis = 'none'\n",
            f"[[peer]]\nof = '{TAP}'\nis = 'nobody'\n",
        ],
    )
    def test_what_cannot_be_judged_is_no_success(self, text: str) -> None:
        said = run("assert", "-", "-j", stdin=text)
        assert said.status == 1
        (result,) = said.json["results"]
        assert result["status"] == "error"
        assert result["problems"]

    def test_json_is_what_its_schema_says(self) -> None:
        said = run("assert", "-", "--format", "json", stdin=TRUE)
        msgspec.json.decode(said.out, type=DOCUMENTS["assert"])
        assert said.json["holds"] is True

    def test_junit(self) -> None:
        text = f"""{TRUE}
[[peer]]
of = "{TAP}"
is = "none"
[[peer]]
of = "a<\\u0007"
is = "none"
"""
        said = run("assert", "-", "--format", "junit", stdin=text)
        assert said.status == 1
        (suite,) = ET.fromstring(said.out)
        counted = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
        assert counted == {"tests": "6", "failures": "1", "errors": "1", "skipped": "0"}
        assert [(case.get("classname"), [child.tag for child in case]) for case in suite][-2:] == [
            ("nswire.peer", ["failure"]),
            ("nswire.peer", ["error"]),
        ]
        assert [case.get("name") for case in suite][-1] == r"the peer of a<\x07 is none"

    def test_what_is_written_is_true(self, tmp_path: Path) -> None:
        file = tmp_path / "now.toml"
        said = run("assert", "--write", str(file))
        assert said.status == 0
        document = tomllib.loads(file.read_text())
        assert {"of": TAP, "is": DHCP} in document["peer"]
        assert {(one["from"], one.get("to")) for one in document["path"]} >= {
            (f"netns:{INSIDE}", None),
            ("netns:router", f"netns:{INSIDE}"),
        }
        assert run("assert", str(file)).status == 0

    def test_a_change_window(self, tmp_path: Path) -> None:
        """Written before, judged after a change that broke something, and after it was taken back."""
        file = tmp_path / "before.toml"
        assert run("assert", "--write", str(file), DHCP).status == 0
        shell(f"ip link set {TAP} down")
        try:
            broken = run("assert", str(file))
            assert broken.status == 1
            assert "✘ path" in broken.out
            assert "✔ peer" in broken.out
        finally:
            shell(f"ip link set {TAP} up")
        assert run("assert", str(file)).status == 0

    def test_findings(self, tmp_path: Path) -> None:
        """A rule that finds something, one that does not, one that is none, one of a link alone."""
        shell(f"ip link set {TAP} mtu 1400")
        try:
            said = run(
                "assert",
                "-",
                "-j",
                stdin="".join(
                    f"[[no_finding]]\nrule = '{rule}'\n{of}\n"
                    for rule, of in (
                        ("mtu-wire", ""),
                        ("mtu-wire", "of = 'tap7be2c0f4-1d'"),
                        ("bridge-loop", ""),
                        ("nope", ""),
                    )
                ),
            )
            assert [one["status"] for one in said.json["results"]] == ["fails", "holds", "holds", "error"]
            assert said.json["results"][0]["values"][0]["found"] == 1
            assert TAP in said.json["results"][0]["problems"][0]
        finally:
            shell(f"ip link set {TAP} mtu 1500")
        file = tmp_path / "now.toml"
        assert run("assert", "--write", str(file)).status == 0
        assert "mtu-wire" in {one["rule"] for one in tomllib.loads(file.read_text())["no_finding"]}

    def test_errors(self, tmp_path: Path) -> None:
        assert "No such file" in run("assert", str(tmp_path / "none")).err
        said = run("assert", "-", "eth1", stdin=TRUE)
        assert said.status == 2
        assert "--write" in said.err
        (tmp_path / "large").write_bytes(b"#" * (5 << 20))
        assert "longer than" in run("assert", str(tmp_path / "large")).err
        assert run("assert", "--write", str(tmp_path / "no" / "folder")).status == 2
        assert run("assert", "--write", "/dev/null").status == 2
