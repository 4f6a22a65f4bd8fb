"""Hundreds of containers: twice as many take twice as many steps, whatever this machine's speed is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from nswire.handles import find

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from tests.owners.conftest import Host

FIRST = 4026532000
MORE = 2.1  # times as many steps for twice as many containers, at most


def populated(host: Host, count: int, ids: Callable[[int], str]) -> Host:
    """So many containers with a namespace, a link and a result of CNI each; a fifth as many rootless ones, units and VMs."""
    for seed in range(count):
        ns, pid, number = FIRST + seed, 1000 + seed, ids(seed)
        host.process(pid, "nginx", ns=ns, cgroup=f"/system.slice/docker-{number}.scope")
        host.link(ns, 2, "eth0")
        config = {"ID": number, "Name": f"/web{seed}", "State": {"Running": True, "Pid": pid}}
        host.file(f"var/lib/docker/containers/{number}/config.v2.json", config)
        path = f"/run/netns/cni-{seed:08d}"
        host.named(ns, path)
        interfaces = [{"name": "eth0", "sandbox": path}]
        host.file(
            f"var/lib/cni/results/lan-{seed}", {"containerId": number, "result": {"interfaces": interfaces}}
        )
        if seed % 5:
            continue
        host.process(20000 + seed, "conmon", "-c", ids(seed + count), "-n", f"solo{seed}", uid=1000)
        host.process(30000 + seed, "sh", ns=FIRST + 10000 + seed, ppid=20000 + seed, uid=1000)
        host.process(40000 + seed, "sh", ns=FIRST + 20000 + seed, cgroup=f"/system.slice/u{seed}.service")
        host.process(50000 + seed, "qemu-system-x86", "-name", f"vm{seed}")
        host.tap(host.home, 100 + seed, f"tap{seed}", 50000 + seed)
    return host


def steps(action: Callable[[], object]) -> int:
    """Calls of functions, and of generators for the next one, in Python and in C."""
    count = 0

    def called(_frame: FrameType, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(called)
    try:
        action()
    finally:
        sys.setprofile(None)
    return count


def look(host: Host) -> Callable[[], object]:
    """All that the verbs ask about owners: whose each namespace and each link is, titles, handles of each kind."""

    def all_of_it() -> None:
        topology = host.topology()
        for ns in topology.namespaces.values():
            topology.owners(ns.key)
            topology.title(ns)
        for link in topology:
            assert isinstance(link.owners, tuple)
        for handle in ("container:web7", "web7", "vm:vm5", "unit:u5", "solo5", "nothing"):
            assert len(find(topology, handle)) == (handle != "nothing"), handle

    return all_of_it


def test_500_containers_take_twice_the_steps_of_250(
    made: Callable[[str], Host], ids: Callable[[int], str]
) -> None:
    counted = {}
    for count in (125, 250, 500):
        host = populated(made(str(count)), count, ids)
        counted[count] = steps(look(host))
        # about each process that is a VM (twice), a rootless container, the parent of one, a unit; and a few more
        assert len(host.asked) == len(set(host.asked)) <= count + 60
    assert counted[250] < MORE * counted[125], counted
    assert counted[500] < MORE * counted[250], counted
