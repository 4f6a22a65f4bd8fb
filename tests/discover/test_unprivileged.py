"""Without root: what a plain user may see is seen, and what is missing is said, with what would show it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nswire
from nswire.host.live import Live
from nswire.host.replay import Recorded

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

LOOK = """
import ctypes, json, os, struct, sys
import nswire, nswire.discover, nswire.host.live, nswire.sources
if sys.argv[1:]:  # not even in root's group, which sees every process
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
# capset with nothing: only now, since the checkout may lie where only root's capabilities lead
assert ctypes.CDLL(None).capset(struct.pack("=Ii", 0x20080522, 0), bytes(24)) == 0
topology = nswire.scan()
print(json.dumps({
    "links": {link.ifname: [link.peer and link.peer.ifname, link.loose and [
        link.loose.state, link.loose.ifindex, link.loose.nsid, link.loose.ns]] for link in topology},
    "namespaces": [[n.label, n.readable] for n in topology.namespaces.values()],
    "gaps": [[gap.where, gap.what, gap.why, gap.hint] for gap in topology.gaps],
}))
"""


def as_nobody(*words: str) -> Any:
    """What somebody without any capability is told, by the same code in a process of theirs.

    Still uid 0; to the kernel's networks that is all the same.
    """
    done = subprocess.run([sys.executable, "-c", LOOK, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_own_namespace_and_what_the_kernel_lets_on(lab: Lab) -> None:
    """The peer's index, and its namespace by name where one has one; not its name, which root would add."""
    named, lone = lab.namespace("named", "secret"), lab.namespace("process")
    lab.pair(lab.home, "tap-a", named, "ns-a", index=70, peer_index=68)
    lab.pair(lab.home, "tap-b", lone, "ns-b", index=71, peer_index=69)
    lab.pair(lab.home, "one", lab.home, "two", index=72, peer_index=73)
    lab.release()
    said = as_nobody()
    assert said["links"]["one"] == ["two", None]
    peer, (state, index, nsid, ns) = said["links"]["tap-a"]
    assert (peer, state, index, ns) == (None, "not permitted", 68, named.inode)
    assert nsid >= 0
    peer, (state, index, _, ns) = said["links"]["tap-b"]
    assert (peer, state, index, ns) == (None, "not permitted", 69, None)
    assert ["secret", False] in said["namespaces"]
    hints = " ".join(hint for *_, hint in said["gaps"])
    for capability in ("CAP_SYS_ADMIN", "CAP_NET_ADMIN"):
        assert capability in hints, said["gaps"]
    unreadable = any("process" in where for where, *_ in said["gaps"])  # not so on every kernel, to uid 0
    assert ("CAP_SYS_PTRACE" in hints) == unreadable


def test_nobody_can_still_look_at_a_machine_with_nothing(lab: Lab) -> None:
    """No namespaces, no pairs: an answer, and no complaint beyond the processes that cannot be read."""
    lab.release()
    said = as_nobody()
    # in a guest of tests/vm there are NICs
    present = [folder.name for folder in Path("/sys/class/net").iterdir() if folder.is_dir()]
    assert said["links"] == {name: [None, None] for name in present}
    assert all("processes" in where for where, *_ in said["gaps"])


def test_processes_that_proc_hides_are_a_gap() -> None:
    """With hidepid, /proc does not even list the others: silence that must not pass for emptiness."""
    about = {"home": 1, "pid": 2, "uid": 1000, "hidepid": "invisible"}
    answers = {"host/about": json.dumps(about).encode(), "host/processes": b""}
    assert any(gap.why == "hidepid=invisible" for gap in nswire.scan(Recorded.fake(answers)).gaps)
    answers["host/processes"] = b"1 net:[1] mnt:[1]"
    assert not any("hidepid" in gap.why for gap in nswire.scan(Recorded.fake(answers)).gaps)


def test_hidepid_is_read_from_the_mount(lab: Lab) -> None:
    """The option as this kernel writes it."""
    lab.release()
    assert Live()._hidepid() == ""
    subprocess.run(["mount", "-o", "remount,hidepid=2", "/proc"], check=True)
    try:
        assert Live()._hidepid() in ("2", "invisible")
        whys = {why for _, _, why, _ in as_nobody("no group")["gaps"]}
        assert whys & {"hidepid=2", "hidepid=invisible"}  # only who does not see the first process has to ask
        assert not any("hidepid" in gap.why for gap in nswire.scan().gaps)
    finally:
        subprocess.run(["mount", "-o", "remount,hidepid=0", "/proc"], check=True)
