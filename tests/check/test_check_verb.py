"""`nswire check` as it is typed: its exit status, its document, hostile names, a user without rights."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
from check_lab import half_up_host

import nswire
from nswire.check import Rule
from nswire.check.rules import TABLE, half_up
from nswire.cli import check, entry
from nswire.model.gaps import Unseen
from nswire.model.reasons import Reason
from nswire.show.documents import CheckDocument

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Finding
    from nswire.check.network import Network
    from nswire.lab.lab import Lab

HIDES, CAUSE = (
    Unseen("test.hides", "its\x1b[31m tables"),
    Reason("test.seen", "not seen", hint="it takes root"),
)


@pytest.fixture(scope="module")
def recording(lasting_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> str:
    return half_up_host(lasting_lab, tmp_path_factory.mktemp("check") / "recording")


def said(capsys: pytest.CaptureFixture[str], *args: str) -> tuple[int, str]:
    status = entry._run(["check", *args])
    captured = capsys.readouterr()
    assert all(line.isprintable() for line in (captured.out + captured.err).splitlines())
    return status, captured.out or captured.err


def test_what_it_prints(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    """By rule; those that are alike once; a command that a shell may be given."""
    status, out = said(capsys, "--from", recording, "--rule", "half-up")
    lines = out.splitlines()
    assert status == 1
    assert lines[0] == "warning  half-up: One end of a wire is up, and the other one is not"
    assert "    and 2 like this: down1, down2" in lines
    assert lines[-1] == "3 warnings by 1 rule"
    assert "ip link set dev 'do'\"'\"'wn;$(x)' up` would set it up" in out


def test_its_document(recording: str, capsys: pytest.CaptureFixture[str]) -> None:
    status, out = said(capsys, "--from", recording, "-j")
    document = msgspec.json.decode(out, type=CheckDocument, strict=True)
    assert status == 1
    assert document.rules == tuple(rule.id for rule in TABLE)
    found = [one for one in document.findings if one.rule == "half-up"]
    assert {one.code for one in found} == {"half-up.down"}
    assert found[1].subjects == ("down1", "up1")
    assert found[1].values == {"down": "ev\x1b[31m\u202eil/down1", "up": "self/up1"}
    assert [(one.subject, one.name, one.value) for one in found[1].facts] == [
        ("down1", "UP", False),
        ("up1", "LOWER_UP", False),
    ]
    assert found[1].confidence == "proved"
    assert found[1].fix is not None
    assert "would set it up" in found[1].fix.effect
    topology = nswire.load(recording)
    assert all(len(nswire.find(topology, word)) == 1 for one in found for word in one.subjects)
    assert (
        list(json.loads(out))
        == "schema version taken looks rules findings suppressed skipped failed gaps".split()
    )


@pytest.mark.parametrize(
    ("args", "status"),
    [
        ((), 1),
        (("--fail-on", "error"), 0),
        (("--fail-on", "never"), 0),
        (("--severity", "error"), 0),
        (("--rule", "mtu-wire"), 0),
        (("down1",), 1),
        (("lo",), 0),
        (("no-such",), 2),
        (("--rule", "no-such"), 2),
        (("--explain", "half-upp"), 2),
        (("--list",), 0),
        (("--explain", "half-up"), 0),
    ],
)
def test_exit_status(
    recording: str, capsys: pytest.CaptureFixture[str], args: tuple[str, ...], status: int
) -> None:
    rule = () if "--rule" in args else ("--rule", "half-up")
    assert said(capsys, "--from", recording, *rule, *args)[0] == status


def test_the_list_of_rules(capsys: pytest.CaptureFixture[str]) -> None:
    """A line each: its id, how bad it is, what it finds."""
    from nswire.check.rules import TABLE

    _, out = said(capsys, "--list")
    words = [line.split(maxsplit=2) for line in out.splitlines()]
    assert words == [[rule.id, rule.severity, rule.title] for rule in TABLE]


def test_what_was_not_judged_is_3_if_strict(
    recording: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1 wins over 3, and a rule that broke is 2."""

    def blind(network: Network) -> Iterator[Finding]:
        network.gap(network.topology.home, HIDES, CAUSE())
        return iter(())

    def broken(_: Network) -> Iterator[Finding]:
        raise RuntimeError("\x1b[31m")

    rows = [Rule("blind", "error", blind)]
    monkeypatch.setattr(check, "_named", lambda _: tuple(rows))
    assert said(capsys, "--from", recording)[0] == 0
    status, out = said(capsys, "--from", recording, "--strict")
    assert status == 3
    assert "skipped: blind: self: its\\x1b[31m tables: not seen (it takes root)" in out
    assert "nothing found by 1 rule; 1 rule could not be judged everywhere" in out
    rows.append(Rule("broken", "error", broken))
    status, out = said(capsys, "--from", recording, "--strict")
    assert status == 2
    assert "failed: broken: RuntimeError: \\x1b[31m (this is a fault of nswire: report it)" in out
    rows.append(half_up.RULE)
    assert said(capsys, "--from", recording, "--strict")[0] == 1


def test_a_live_finding_is_looked_at_again(
    lab: Lab, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is set up meanwhile, as by an engine that starts a container, is not told; what stays down is."""
    here = lab.home
    lab.pair(here, "up0", here, "down0", up=False)
    lab.rtnl(here).set("up0", up=True)
    monkeypatch.setattr("nswire.cli.common.time.sleep", lambda _: None)
    assert said(capsys, "--rule", "half-up", "up0")[0] == 1
    monkeypatch.setattr("nswire.cli.common.time.sleep", lambda _: lab.rtnl(here).set("down0", up=True))
    assert said(capsys, "--rule", "half-up", "up0")[0] == 0


def test_an_earlier_look_is_one_of_the_same_host(
    recording: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A recording that is no older, or another host's, is refused: differences of counters would say nothing."""
    assert said(capsys, "--from", recording, "--since", recording)[0] == 2
    later = str(tmp_path / "later")
    nswire.record(later)
    assert said(capsys, "--from", later, "--since", recording)[0] == 1
    assert said(capsys, "--from", recording, "--since", later)[0] == 2
    other = Path(__file__).parents[1] / "recordings" / "6.1.nsw"
    assert said(capsys, "--from", later, "--since", str(other))[0] == 2
