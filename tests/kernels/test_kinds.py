"""Every kind of link that this kernel makes, at home, moved, and moved to a trap: its wires, and what it says of itself.

On the other kernels in VMs (`make test-kernels`); their recordings are replayed by `test_kernel_recordings.py` anywhere.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import kinds_bad
import kinds_lab
import kinds_mixed
import kinds_nics
import nswire
from kinds_cases import CASES, NAMES
from kinds_checks import Checks, made_by
from kinds_golden import golden_of
from kinds_truth import NEIGHBOURS, series_of
from nswire.facets import TABLE as FACETS
from nswire.kinds import TABLE as KINDS

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

pytestmark = pytest.mark.needs("ip")
SPECIAL = (*kinds_bad.CASES_HERE, kinds_mixed.MIXED, NEIGHBOURS)


@pytest.fixture(scope="module")
def checks(lasting_lab: Lab) -> Checks:
    """The laboratory, what iproute2 says of it, and what nswire says."""
    site = kinds_lab.build(lasting_lab)
    shown = site.shown()
    topology = nswire.scan()
    return Checks(topology, site.truth, shown, frozenset(facet.name for facet in FACETS), site.shown())


@pytest.mark.parametrize("case", [*NAMES, *SPECIAL])
def test_each_kind(checks: Checks, case: str) -> None:
    """Wires, details and way up, of all links of a case."""
    if case in checks.truth.refused:
        pytest.skip(f"this kernel refuses it: {checks.truth.refused[case]}")
    assert checks.of(case)
    checks.all_of(case)


def test_there_is_nothing_else(checks: Checks) -> None:
    """What was deleted with its lower link is not shown any more, and no link twice."""
    checks.nothing_else()


def test_no_kind_is_lost_in_silence(checks: Checks) -> None:
    """A kind that is skipped above because it cannot be made must be one that this kernel never made."""
    if "NSWIRE_VM" not in os.environ:
        pytest.skip("which kinds a kernel has is known of Debian's alone, in tests/vm")
    golden = golden_of(series_of(os.uname().release))
    if golden is None:
        pytest.skip(f"there is no recording of {os.uname().release}: make recordings")
    lacking = checks.truth.refused.keys() & {kinds_nics.FUNCTION}  # qemu's, not the kernel's
    assert checks.truth.refused.keys() - lacking == golden.truth.refused.keys()
    assert made_by(checks.truth) == {made for made in made_by(golden.truth) if made[0] not in lacking}


def test_each_kind_that_nswire_knows_has_a_case() -> None:
    """A row of the table that nobody tries is a guess."""
    assert {kind.name for kind in KINDS} <= {case.kind for case in CASES}


def test_each_kind_that_this_kernel_can_load_has_a_case() -> None:
    """The kernel's own list of kinds: the aliases of its modules, built-in ones included."""
    folder = Path("/lib/modules") / os.uname().release
    files = [
        file for name in ("modules.alias", "modules.builtin.modinfo") if (file := folder / name).exists()
    ]
    if not files:
        pytest.skip(f"there is no {folder}: modules of this kernel are not here")
    found = {
        kind
        for file in files
        for kind in re.findall(r"rtnl-link-([\w-]+)", file.read_bytes().decode(errors="replace"))
    }
    assert found
    assert found - NOT_HERE <= {case.kind for case in CASES}


NOT_HERE: frozenset[str] = frozenset()
"""Kinds that no laboratory makes, not even to see them refused."""
