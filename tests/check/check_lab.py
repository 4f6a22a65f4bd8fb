"""Laboratories of rules: networks on the real kernel in which a rule fires, and others, different in one fact, in which it must not."""

from __future__ import annotations

import importlib.util
import itertools
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import nswire
from nswire.check.rules import named
from nswire.lab.lab import wait_until
from nswire.show.text_path import commanded
from nswire.show.to_documents_check import handle

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check import Found, Report, Rule
    from nswire.lab.lab import Lab
    from nswire.model.topology import Topology

FOLDER = Path(__file__).parent / "labs"
HIDDEN = "?"
SETTLED = ("UP", "UNKNOWN")
LACKING = (
    "not supported",
    "Unknown device type",
    "No such file or directory",
)  # what a kernel says of what it does not know
NO_DAD = "echo 0 > /proc/sys/net/ipv6/conf/{}/accept_dad"


class Variant(NamedTuple):
    """What is done to the base of a lab, and the code that is found then (empty: the rule must be silent).

    `mends`: after the command that the finding names, it is found no more. `subject`: the handle of what is to be mended
    first. `confidence` is that of the finding. `vm`: few kernels have what it takes, so it is run by tests/kernels.
    """

    name: str
    lines: str
    code: str = ""
    subject: str = ""
    mends: bool = True
    confidence: str = "proved"
    vm: bool = False


class Labs(NamedTuple):
    """The laboratories of a rule. A line is `NAMESPACE COMMAND`, or `NAMESPACE & COMMAND` of what goes on; `home` is where the lab was built from, and what
    begins with `?` is held by a descriptor on its way alone, so that nobody can see who holds it.

    A variant is built as `base` and its own lines. `dad`: duplicate address detection is left on. `vm`: that of all variants.
    """

    rule: str
    base: str
    variants: tuple[Variant, ...]
    dad: bool = False
    vm: bool = False


def every() -> dict[str, Labs]:
    """All that there are, by rule: a file in `labs/` each."""
    found = {}
    for file in sorted(FOLDER.glob("*.py")):
        spec = importlib.util.spec_from_file_location(f"check_labs_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found[module.LABS.rule] = module.LABS
    return found


def cases() -> Iterator[tuple[Labs, Variant]]:
    """Every variant of every lab."""
    for labs in every().values():
        for variant in labs.variants:
            yield labs, variant


class Built:
    """A variant, built. Skipped, with what the kernel says, where it lacks the kind."""

    def __init__(self, lab: Lab, labs: Labs, variant: Variant) -> None:
        self._lab = lab
        self._dad = labs.dad
        self._spaces = {"home": lab.home}
        found = named(labs.rule)
        assert found is not None
        self.rule: Rule = found
        self.run(labs.base + variant.lines)
        for name, space in self._spaces.items():
            if name.startswith(HIDDEN):
                space.release()

    def run(self, lines: str) -> None:
        """Run commands, each in the namespace that its line begins with, which is made when it is first named."""
        pairs = [line.strip().partition(" ")[::2] for line in lines.splitlines() if line.strip()]
        for _, command in pairs:
            words = command.split()
            for before, word in itertools.pairwise(words):
                if before == "netns":
                    self._space(word)
        together: list[tuple[str, list[str]]] = []
        for name, command in pairs:
            if not together or together[-1][0] != name:
                together.append((name, []))
            together[-1][1].append(command)
        for name, commands in together:
            lasting = [command.removeprefix("& ") for command in commands if command.startswith("& ")]
            self._sh(name, "\n".join(command for command in commands if not command.startswith("& ")))
            for command in lasting:
                self._start(name, command)

    def _start(self, name: str, command: str) -> None:
        """A program that stays in the namespace until the lab ends."""
        with self._spaces[name].entered():
            process = subprocess.Popen(command.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

        def end() -> None:
            process.terminate()
            process.wait()

        self._lab.undo(end)

    def _space(self, name: str) -> None:
        if name not in self._spaces:
            hidden = name.startswith(HIDDEN)
            self._spaces[name] = (
                self._lab.namespace("in-flight") if hidden else self._lab.namespace("named", name)
            )
            if not self._dad:
                self._sh(name, "\n".join(NO_DAD.format(one) for one in ("all", "default")))

    def _sh(self, name: str, script: str) -> None:
        self._space(name)
        for known, space in self._spaces.items():
            if known.startswith(HIDDEN):
                script = script.replace(known, f"/proc/{os.getpid()}/fd/{space.fd}")
        with self._spaces[name].entered():
            done = subprocess.run(["sh", "-ec", script], check=False, capture_output=True, text=True)
        if done.returncode and any(word in done.stderr for word in LACKING):
            pytest.skip(f"not on this kernel: {done.stderr.strip()}")
        assert not done.returncode, (script, done.stderr)

    def report(self, topology: Topology | None = None) -> Report:
        """What the rule says of it."""
        return nswire.findings(topology or nswire.scan(), self.rule.id)


def settled() -> None:
    """Wait until whatever has a carrier is up: the kernel tells that a little later (linkwatch)."""
    wait_until(lambda: all(link.operstate in SETTLED for link in nswire.scan() if "LOWER_UP" in link.flags))


def told(report: Report) -> list[tuple[str, str, str]]:
    """What was found, to be compared: code, severity and sentence of each."""
    assert not report.failed, report.failed
    return sorted((one.finding.cause.code, one.severity, one.finding.cause.text) for one in report.found)


def codes(report: Report) -> set[str]:
    """The codes of what was found."""
    assert not report.failed, report.failed
    return {one.finding.cause.code for one in report.found}


def first(report: Report, code: str) -> Found:
    """What was found with that code."""
    return next(one for one in report.found if one.finding.cause.code == code)


def hold(lab: Lab, labs: Labs, variant: Variant, tmp_path: Path) -> None:
    """What a variant promises, live and by a recording; and the command of what was found mends it."""
    built = Built(lab, labs, variant)
    settled()
    expected = {variant.code} - {""}
    report = built.report()
    assert codes(report) == expected, told(report)
    if not variant.code:
        return
    if variant is next(one for one in labs.variants if one.code == variant.code):
        nswire.record(tmp_path / "recording")
        assert told(built.report(nswire.load(tmp_path / "recording"))) == told(report)
    found = first(report, variant.code)
    assert found.finding.confidence == variant.confidence
    assert not variant.subject or handle(report.topology, found.finding.subjects[0]) == variant.subject
    assert found.finding.facts, "a finding shows what it is made of"
    mend = found.finding.mend
    if mend is not None and mend.words and variant.mends:
        command = commanded(report.topology, mend)
        subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True)
        wait_until(lambda: variant.code not in codes(built.report()))


EVIL, NAME = b"ev\x1b[31m\xe2\x80\xaeil", b"do'wn;$(x)"


def half_up_host(lab: Lab, file: Path) -> str:
    """A recording of a host with wires of which one end is down, one of them with hostile names, in a hostile namespace."""
    ns = lab.namespace("named", EVIL)
    for name, peer in ((b"up\x1b]0;x", NAME), (b"up1", b"down1"), (b"up2", b"down2")):
        lab.pair(lab.home, name, ns, peer, up=False)
        lab.rtnl(lab.home).set(lab.pairs[-1][0].ifindex, up=True)
    nswire.record(file)
    return str(file)
