"""Which /proc is it? That of another pid namespace has other numbers for the same processes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

NSWIRE = [sys.executable, "-m", "nswire"]


@pytest.mark.needs("unshare")
def test_a_proc_of_another_pid_namespace_is_noticed(lab: Lab) -> None:
    """Nothing is copied from processes that only have the same number here; the rest is found, ourselves left out."""
    ns = lab.namespace("process")
    assert ns.child is not None
    lab.pair(lab.home, "a0", ns, "b0")
    lab.release()
    command = ["unshare", "--pid", "--fork", *NSWIRE, "netns", "--json"]
    said = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    why = {gap["what"]: gap["why"] for gap in said["gaps"]}
    assert why["namespaces held by sockets"].startswith("/proc is that of another pid namespace")
    (theirs,) = (one for one in said["namespaces"] if one["inode"] == ns.inode)
    assert [holder["pid"] for holder in theirs["holders"]] == [ns.child.pid]
    own = json.loads(subprocess.run([*NSWIRE, "netns", "--json"], capture_output=True, check=True).stdout)
    assert not [gap for gap in own["gaps"] if "/proc is" in gap["why"]]


@pytest.mark.usefixtures("private_host")
@pytest.mark.needs("unshare", "mount")
def test_a_proc_in_which_we_are_not(tmp_path: object) -> None:
    """Then nothing can be read of ourselves: an error that says what to do."""
    script = f"mount -t proc proc {tmp_path}; exec sleep 100"
    with subprocess.Popen(["unshare", "--pid", "--fork", "--kill-child", "sh", "-c", script]) as inner:
        try:
            code = (
                "import os, sys, nswire.host.live as live\n"
                "while not os.path.exists(sys.argv[1] + '/1/stat'): pass\n"
                "live.Live(proc=sys.argv[1])"
            )
            ran = subprocess.run(
                [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False
            )
            assert "that of another pid namespace" in ran.stderr
        finally:
            inner.kill()
            subprocess.run(["umount", "-l", str(tmp_path)], check=False)
