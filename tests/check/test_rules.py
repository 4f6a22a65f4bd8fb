"""Every rule fires where it should and is silent where it should not, on the real kernel, live and by a recording."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from check_lab import Labs, Variant, cases, every, hold

from nswire.check.rules import TABLE
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from nswire.check import Rule
    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "bridge", "nft")

ROOT = Path(__file__).parents[2]
SECTIONS = ("## Why it is bad", "## When it is not", "## Example", "## Fix", "## Source")
ALL = [(labs, variant) for labs, variant in cases() if not variant.vm and not labs.vm]


@pytest.mark.parametrize(
    ("labs", "variant"), ALL, ids=[f"{labs.rule}: {variant.name}" for labs, variant in ALL]
)
def test_a_rule_on_the_real_kernel(lab: Lab, labs: Labs, variant: Variant, tmp_path: Path) -> None:
    """It says what the variant says, live and by a recording; and its command mends what it has found."""
    hold(lab, labs, variant, tmp_path)


@pytest.mark.parametrize("rule", TABLE, ids=[rule.id for rule in TABLE])
def test_a_rule_has_laboratories(rule: Rule) -> None:
    """It is shown to fire with each of its codes, and to be silent at least once."""
    assert rule.id in every(), f"tests/check/labs/{rule.id.replace('-', '_')}.py is missing"
    variants = every()[rule.id].variants
    assert {variant.code for variant in variants} == {*rule_codes(rule), ""}


@pytest.mark.parametrize("rule", TABLE, ids=[rule.id for rule in TABLE])
def test_a_rule_has_a_page(rule: Rule) -> None:
    """All sections, and nothing that is looked for in other rules goes to one that there is not."""
    at = [rule.page.find(section) for section in SECTIONS]
    assert at == sorted(at)
    assert -1 not in at
    assert rule.title
    assert set(rule.under) <= {one.id for one in TABLE}


def rule_codes(rule: Rule) -> set[str]:
    """The codes of the reasons in its file; all begin with its id."""
    module = sys.modules[rule.find.__module__]
    found = {one.code for one in vars(module).values() if isinstance(one, Reason)}
    assert all(code.startswith(f"{rule.id}.") for code in found), found
    return found


def test_no_two_rules_have_one_id() -> None:
    ids = [rule.id for rule in TABLE]
    assert sorted(set(ids)) == sorted(ids)
    assert set(every()) == set(ids)


def test_the_pages_are_those_of_the_rules() -> None:
    """docs/rules/ is made by `tools/rules`."""
    assert subprocess.run([sys.executable, ROOT / "tools" / "rules", "--check"], check=False).returncode == 0
