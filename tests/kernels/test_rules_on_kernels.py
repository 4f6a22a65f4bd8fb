"""Rules of `nswire check` about what few kernels have: VLANs of bridges, bonds ..."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from check_lab import Labs, Variant, cases, hold

if TYPE_CHECKING:
    from pathlib import Path

    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip", "bridge")

ALL = [(labs, variant) for labs, variant in cases() if variant.vm or labs.vm]


@pytest.mark.parametrize(
    ("labs", "variant"), ALL, ids=[f"{labs.rule}: {variant.name}" for labs, variant in ALL]
)
def test_a_rule_on_a_kernel_that_has_it(lab: Lab, labs: Labs, variant: Variant, tmp_path: Path) -> None:
    """As tests/check/test_rules.py; skipped where the kernel lacks the kind."""
    hold(lab, labs, variant, tmp_path)
