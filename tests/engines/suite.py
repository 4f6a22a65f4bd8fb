"""Start each engine in a private host of its own, and write docs/engines.md: python -m engines.suite [ENGINE ...]

Without ENGINE all of them. The page says what a run found out, and nothing else: with ENGINE only their rows are written.
What this kernel lacks is run in a VM (tests/vm), if there is one.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import page
from .rows import ROWS

if TYPE_CHECKING:
    from .page import Results
    from .truth import Row

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "engines.md"
KERNEL = "6.1"  # of the VMs, for what this machine's own kernel lacks
PATIENCE = "3"  # seconds for what is given 0.3 elsewhere: a guest is translated
MADE = "tests/owners/test_made.py"


def run(row: Row, results: Path, *, guest: bool = False) -> int:
    """One engine, in each of its states. Returns pytest's exit status; what was found out is added to that file."""
    environment = {**os.environ, "NSWIRE_ENGINES": row.slug, "NSWIRE_ENGINE_RESULTS": str(results)}
    if guest:
        environment |= {"NSWIRE_PATIENCE": PATIENCE, "PYTHONPATH": str(ROOT / "src")}
    vm = ("tests/vm/run", "--out", str(results.parent), KERNEL) if guest else ()
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", "tests/engines")
    return subprocess.run(
        (*vm, "tools/private-host", *pytest), cwd=ROOT, env=environment, check=False
    ).returncode


def made(results: Path) -> int:
    """What is made by hand, for engines that cannot run here."""
    environment = {**os.environ, "NSWIRE_ENGINE_RESULTS": str(results), "PYTHONPATH": str(ROOT / "tests")}
    pytest = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "engines.made", MADE)
    return subprocess.run(("tools/private-host", *pytest), cwd=ROOT, env=environment, check=False).returncode


def has_guest() -> bool:
    """True if the VM is ready, or can be made so."""
    if not shutil.which("qemu-system-x86_64"):
        return False
    return not subprocess.run(("tests/vm/prepare", KERNEL), cwd=ROOT, check=False).returncode


def main(wanted: list[str]) -> int:
    """Run them one after the other: none of them is to be slow because of another one."""
    unknown = set(wanted) - {row.slug for row in ROWS}
    if unknown:
        sys.exit(
            f"suite: no engine {', '.join(sorted(unknown))}; there are {' '.join(row.slug for row in ROWS)}"
        )
    rows = [row for row in ROWS if not wanted or row.slug in wanted]
    guest = any(row.lacks() for row in rows) and has_guest()
    failed = []
    with tempfile.TemporaryDirectory(prefix="nswire-engines-") as folder:
        results, by_hand = Path(folder, "results.json"), Path(folder, "made.json")
        for row in rows:
            print(f"engines: {row.name}", flush=True)  # noqa: T201 (a program)
            in_guest = guest and bool(row.lacks())
            if run(row, results, guest=in_guest):
                failed.append(row.slug)
            if in_guest:
                _note(results, row, f"Linux {KERNEL} in a VM")
        if not wanted:
            if made(by_hand):
                failed.append(MADE)
            PAGE.write_text(page.text([row.name for row in rows], _read(results), _read(by_hand), machine()))
        else:
            PAGE.write_text(page.updated(PAGE.read_text(), [row.name for row in rows], _read(results)))
    if failed:
        print(f"engines: failed: {' '.join(failed)}")  # noqa: T201 (a program)
    return 1 if failed else 0


def machine() -> str:
    """What this ran on: Debian 12, Linux 6.18."""
    release = platform.freedesktop_os_release()
    kernel = ".".join(platform.release().split(".")[:2])
    return f"{release['NAME'].split()[0]} {release.get('VERSION_ID', '')}, Linux {kernel}"


def _note(results: Path, row: Row, where: str) -> None:
    found = _read(results)
    if row.name in found:
        found[row.name]["engine"]["where"] = where
        results.write_text(json.dumps(found))


def _read(results: Path) -> Results:
    found: Results = json.loads(results.read_text()) if results.exists() else {}
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
