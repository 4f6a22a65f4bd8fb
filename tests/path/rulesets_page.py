"""The part of docs/accuracy.md that tells of random rulesets, from what tests/path/rulesets_proof.py found."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

Run = dict[str, Any]
Case = dict[str, Any]
HEAD = """\
## Rulesets

A grammar makes rulesets: matches, operators, statements, sets, maps, NAT, hooks, families, priorities and chains of nft, the matches and targets of
iptables and ip6tables (by nf_tables and legacy), of ebtables, arptables and ipset, as their manuals and their own tests list them, combined at random.
They are loaded in one laboratory of two hosts with two routers between them (so that an answer may come another way), and of three hosts around a bridge that routes as well.
Each ruleset is made for one packet: a *subject*, a rule that most probably takes it, among others that probably do not. Packets are UDP, TCP and ICMP by real sockets, IPv4 and IPv6, also to own addresses and the loopback.
Of every six rulesets the one is taken whose forms have decided least until then, so that rare forms come up more often than chance would have it, and with them what cannot be known.

* **right**: the fate is as it was told: who gets the packet, from which address and port, to which; or nobody
* **unknown**: nswire said that it does not know, also where several ways are possible whose fates differ
* **wrong**: anything else, also an exception. It was sent again, after a longer wait, and then shrunk to the smallest ruleset
* **unsteady**: wrong, but not when it was sent again
* **answers**: the same four numbers of the way back, where the way there was right and the packet arrived
* **decided**: without the subject, with the rest loaded again and the packet sent again, its fate is another one

"""


def verdict(case: Case, by: str = "forward") -> str:
    """What came of a case."""
    if case["once"] and case[by] is False:
        return "unsteady"
    return {True: "right", None: "unknown", False: "wrong", "": ""}[case[by]]


COLUMNS = ("right", "unknown", "wrong", "unsteady")


def counted(cases: Iterable[Case], by: str = "forward") -> list[str]:
    """How many of each."""
    counts = Counter(verdict(case, by) for case in cases)
    return [str(counts[column]) for column in COLUMNS]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else ""


def lines(
    runs: Sequence[Run], table: Callable[[tuple[str, ...], list[tuple[object, ...]]], list[str]]
) -> list[str]:
    """The whole part."""
    if not runs:
        return []
    cases = [case for run in runs for case in run["cases"]]
    tried, refused = Counter[str](), Counter[str]()
    for run in runs:
        tried.update(run["tried"])
        refused.update(run["refused"])
    found = [HEAD, "### By kernel\n"]
    found += table(
        ("kernel", "seed", "rulesets", "packets", *COLUMNS, "answers", "decided by a rule"),
        [
            (
                run["kernel"],
                f"`{run['seed']}`",
                run["rulesets"],
                len(run["cases"]),
                *counted(run["cases"]),
                " / ".join(counted(run["cases"], "answer")),
                _share(sum(case["decided"] for case in run["cases"]), len(run["cases"])),
            )
            for run in sorted(runs, key=lambda run: -len(run["cases"]))
        ],
    )
    found.append(
        "\nEach seed was drawn when its run began. A ruleset of which the tool refuses the subject is not counted.\n"
    )
    found.append("### By family of the subject\n")
    found += table(("family", "packets", *COLUMNS, "answers", "decided"), [
        (family, len(mine), *counted(mine), " / ".join(counted(mine, "answer")), sum(case["decided"] for case in mine))
        for family in sorted({_family(case) for case in cases})
        if (mine := [case for case in cases if _family(case) == family])
    ])  # fmt: skip
    found.append("\n### By the way that the packet was to take\n")
    found += table(("way", "packets", *COLUMNS, "answers"), [
        (course, len(mine), *counted(mine), " / ".join(counted(mine, "answer")))
        for course in sorted({case["course"] for case in cases})
        if (mine := [case for case in cases if case["course"] == course])
    ])  # fmt: skip
    found.append("\n### By form\n")
    found.append(
        "Of the rules with that form: how many were tried, and how many of these the tool or the kernel refused. Of the packets whose subject has it: how many it decided, and how many were told.\n"
    )
    for title, belongs in GROUPS:
        rows = sorted({form for form in tried if belongs(form)})
        if rows:
            found.append(f"\n#### {title}\n")
            found += table(("form", "tried", "refused", "packets", "decided", *COLUMNS), [
                (f"`{form}`", tried[form], _share(refused[form], tried[form]) if refused[form] else "0", len(mine), sum(case["decided"] for case in mine), *counted(mine))
                for form in rows
                for mine in [[case for case in cases if form in case["forms"]]]
            ])  # fmt: skip
    wrong = [case for case in cases if "wrong" in (verdict(case), verdict(case, "answer"))]
    if wrong:
        found.append("\n### What was told wrong, in the smallest ruleset\n")
        for case in wrong:
            _, said, was = case["wrong"] or ("", case["said"], case["was"])
            found += [
                "```",
                *case["smallest"],
                f"packet: {case['probe']}",
                f"said: {said}",
                f"is: {was}",
                "```",
                "",
            ]
    unknown = Counter(reason for case in cases for reason in case["reasons"])
    if unknown:
        found.append("\n### What was not known, by its code\n")
        found += table(
            ("code", "packets"), [(f"`{reason}`", count) for reason, count in unknown.most_common(60)]
        )
    return found


def undecided(runs: Sequence[Run]) -> list[str]:
    """Forms that some packet met and that never decided."""
    cases = [case for run in runs for case in run["cases"]]
    met = {form for case in cases for form in case["forms"] if " lacking " not in f" {form}"}
    decided = {form for case in cases if case["decided"] for form in case["forms"]}
    return sorted(met - decided)


def _family(case: Case) -> str:
    words = str(case["family"]).split()
    return " ".join(words[:2]) if words[:1] == ["nft"] else words[0] if words else "none"


def _starts(*prefixes: str) -> Callable[[str], bool]:
    return lambda form: form.startswith(prefixes)


GROUPS: tuple[tuple[str, Callable[[str], bool]], ...] = (
    ("nft: what is matched", _starts("match ")),
    ("nft: operators, sets and maps", _starts("operator ", "set", "concatenation", "catch-all", "verdict map", "value ")),
    ("nft: what is done", _starts("effect ", "statement ")),
    ("nft: translation", _starts("nat ")),
    ("nft: hooks, types, priorities, policies, tables", _starts("hook ", "type ", "priority ", "policy ", "table ")),
    ("nft: what no packet here has", _starts("lacking ")),
    ("iptables", lambda form: form.startswith("iptables ") and "lacking" not in form),
    ("ip6tables", lambda form: form.startswith("ip6tables ") and "lacking" not in form),
    ("iptables and ip6tables: what no packet here has", lambda form: form.startswith(("iptables lacking", "ip6tables lacking"))),
    ("iptables and ip6tables: tables and chains", _starts("iptables-", "ip6tables-")),
    ("ipset, ebtables, arptables, br_netfilter", _starts("ipset ", "ebtables ", "arptables", "br_netfilter")),
)  # fmt: skip
