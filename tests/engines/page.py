"""docs/engines.md, from what a run of the suite found out."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Results = dict[str, dict[str, dict[str, str]]]
"""Engine, then `engine` (version, where, not run) or a state, then what was asked: the answer. Of what is made: passed, failed."""

LESS = "right, less what only they know"
TOLD = 6  # paths that are wrong
STATES = ("up", "hung", "stopped")
HEAD = """# Engines

Whose a link is, and which links somebody has, with the engine up, hung and stopped.
This page is written by `make test-engines`, which starts each engine for real, and holds nswire's answers against the engine's own words
(`docker inspect`, `podman ps`, `ctr tasks`, CRI, QMP, `ovs-vsctl` ...) and `ip`. It is not edited by hand.

Last run of all of them: {machine}, as root. `make test-engines ENGINES="docker lxc"` runs only those, and writes only their rows.

* **up**: all its daemons answer.
* **hung**: all its daemons are stopped with SIGSTOP: their sockets accept, and nobody ever answers. A look may take 0.3 s longer than with the engine up, once.
* **stopped**: all its daemons were killed.

Both directions are asked in each state: from a handle (`container:web`, `port:39d60faa`, an id's first digits ...) to its links, and to what these are tied to; and from
the other end of each link back to whose it is. *right*: both are as the engine says, of each of its containers. *gone*: they end with the engine, and
nswire tells of none of them. *less what only they know*: of a port of Neutron nothing but what the names of its links say, which is eleven characters of its UUID; no guest's MAC,
and no bridge of Open vSwitch.

**paths**: on how many paths through its network `nswire path` says what becomes of a packet that is really sent along: whether it is delivered, to whom, under which addresses,
whether the answer finds its way back, or what drops it; each asked live and of a recording
(with Open vSwitch, of which a recording does not have what it does with a packet, live).

## Started for real

"""
MADE = """
## Made by hand

These, or these cases of them, cannot run where the tests run. The files, processes and control groups that they leave are made by hand, after their sources and documentation
(`tests/owners/test_made.py`): that nswire reads them right is tested, that they are as the real ones write them is not.

"""


def text(names: Sequence[str], results: Results, made: Results, machine: str) -> str:
    """The whole page."""
    rows = [("engine", "version", *STATES, "paths"), *(_row(name, results.get(name, {})) for name in names)]
    by_hand = [("engine", "tests"), *((name, _outcome(made[name]["made"])) for name in sorted(made))]
    return f"{HEAD.format(machine=machine)}{_table(rows)}{MADE}{_table(by_hand)}"


def _row(name: str, found: dict[str, dict[str, str]]) -> tuple[str, ...]:
    engine = found.get("engine", {})
    if "version" not in engine:
        return (name, "", f"not run: {engine.get('not run', 'it did not start')}", "", "", "")
    where = f" ({engine['where']})" if "where" in engine else ""
    states = (_cell(found.get(state, {})) for state in STATES)
    return (name + where, engine["version"], *states, _paths(found.get("paths", {})))


def updated(page: str, names: Iterable[str], results: Results) -> str:
    """The page with the rows of these engines anew."""
    started, mark, by_hand = page.partition(MADE.splitlines(keepends=True)[1])
    lines = started.splitlines(keepends=True)
    for name in names:
        row = _line(_row(name, results.get(name, {})))
        lines = [row if line.startswith((f"| {name} |", f"| {name} (Linux")) else line for line in lines]
        if row not in lines:
            lines.insert(max(at for at, line in enumerate(lines) if line.startswith("|")) + 1, row)
    return "".join((*lines, mark, by_hand))


def _paths(answers: dict[str, str]) -> str:
    """How many are right, and which are not."""
    wrong = [name for name, answer in answers.items() if answer != "right"]
    counted = f"{len(answers) - len(wrong)} of {len(answers)} right" if answers else ""
    more = f"; and {len(wrong) - TOLD} more" if len(wrong) > TOLD else ""
    return f"{counted}; not: {'; '.join(wrong[:TOLD])}{more}" if wrong else counted


def _cell(answers: dict[str, str]) -> str:
    """One word if both directions agree."""
    words = set(answers.values())
    if len(words) == 1:
        return words.pop()
    return "; ".join(f"{question}: {answer}" for question, answer in answers.items()) or "not run"


def _outcome(counted: dict[str, str]) -> str:
    return ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))


def _table(rows: Iterable[Sequence[str]]) -> str:
    head, *body = rows
    return "".join(map(_line, [head, ["---"] * len(head), *body]))


def _line(row: Sequence[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in row)} |\n"
