"""The guest behind a tap: a process that calls itself qemu, serves two taps, and answers as guests do."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nswire
from nswire.errors import PathQueryError
from nswire.facets import guests as guests_facet
from nswire.path import query
from nswire.path.query import Party, Wanted
from nswire.show.terminal import Paper
from nswire.show.text_path import verdict
from nswire.show.text_show import write_link

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nswire.lab.lab import Lab
    from nswire.lab.netns import Ns
    from nswire.model.topology import Topology
    from nswire.path import Trace

MACS = {"vnet0": "52:54:00:aa:00:01", "vnet1": "52:54:00:aa:00:02"}
ADDRESSES = {"vnet0": "192.168.122.12", "vnet1": "192.168.123.12"}
GUEST = """
import ctypes, fcntl, os, select, socket, struct, sys
ctypes.CDLL(None).prctl(15, b"qemu-system-x86")  # PR_SET_NAME
nics = {}
for name, mac, address in (word.split("=") for word in sys.argv[1].split("+")):
    fd = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(fd, 0x400454CA, struct.pack("16sH22x", name.encode(), 0x1002))
    nics[fd] = bytes.fromhex(mac.replace(":", "")), socket.inet_aton(address)
print("ready", flush=True)
while True:
    for fd in select.select([*nics, 0], [], [])[0]:
        if fd == 0:
            sys.exit()
        (mac, address), frame = nics[fd], os.read(fd, 2048)
        if frame[12:14] == b"\\x08\\x06" and frame[20:22] == b"\\0\\1" and frame[38:42] == address:
            os.write(fd, frame[6:12] + mac + frame[12:20] + b"\\0\\2" + mac + address + frame[22:32])
        elif frame[12:14] == b"\\x08\\0" and frame[23] == 17 and frame[30:34] == address:
            answer = frame[36:38] + frame[34:36] + frame[38:40] + b"\\0\\0" + frame[42:]
            os.write(fd, frame[6:12] + mac + frame[12:26] + frame[30:34] + frame[26:30] + answer)
"""
QEMU = (
    *("-name", "guest=db1", "-uuid", "6d9b2c1e-7a55-4c7e-9d43-0f6f5a3b1c11"),
    *("-netdev", "tap,id=a,ifname=vnet0", "-netdev", "tap,id=b,ifname=vnet1"),
    *("-device", f"virtio-net-pci,netdev=b,mac={MACS['vnet1']}"),
    *("-device", f"virtio-net-pci,netdev=a,mac={MACS['vnet0']}"),
)

pytestmark = pytest.mark.needs("ip")


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextlib.contextmanager
def guest(taps: tuple[str, ...] = ("vnet0", "vnet1")) -> Iterator[int]:
    """The pid of a VM's process; it ends with the block, and its taps with it."""
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        pytest.skip("/dev/net/tun cannot be opened here")
    nics = "+".join(f"{name}={MACS[name]}={ADDRESSES[name]}" for name in taps)
    command = [sys.executable, "-S", "-c", GUEST, nics, *QEMU]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdin is not None
        try:
            assert child.stdout.readline() == "ready\n"
            yield child.pid
        finally:
            child.stdin.close()


@pytest.fixture
def vm(lab: Lab) -> Iterator[Ns]:
    """It has two NICs, each on a bridge of its own with an address of the host; a namespace is on the first bridge, too."""
    other = lab.namespace("named", "other")
    with guest() as pid:
        lab.pair(lab.home, "veth-o", other, "eth0")
        for number, tap in enumerate(MACS):
            bridge = f"virbr{number}"
            ip("link", "add", bridge, "type", "bridge")
            ip("addr", "add", f"192.168.{122 + number}.1/24", "dev", bridge)
            ip("link", "set", tap, "master", bridge, "up")
            ip("link", "set", bridge, "up")
        ip("link", "set", "veth-o", "master", "virbr0")
        ip("-n", "other", "addr", "add", "192.168.122.3/24", "dev", "eth0")
        assert pid
        yield other
        for number in range(2):
            ip("link", "del", f"virbr{number}")


def reached(ns: Ns, address: str) -> bool:
    """True if the guest answers a datagram that is sent from there."""
    with ns.entered():
        sock = socket.socket(type=socket.SOCK_DGRAM)
    with sock:
        sock.settimeout(3)
        sock.sendto(b"?", (address, 9))
        return sock.recv(64) == b"?"


def guests(topology: Topology) -> dict[str, tuple[str, tuple[str, ...]] | None]:
    return {name: topology.link(name).guest for name in MACS}


def test_each_nic_has_its_own_mac_and_the_addresses_that_others_know(lab: Lab, vm: Ns) -> None:
    """By the neighbour table of whom it talks to: the host, and a namespace on the same bridge."""
    assert guests(nswire.scan()) == {name: (mac, ()) for name, mac in MACS.items()}
    assert reached(vm, ADDRESSES["vnet0"])
    assert reached(lab.home, ADDRESSES["vnet1"])
    topology = nswire.scan()
    assert guests(topology) == {name: (mac, (ADDRESSES[name],)) for name, mac in MACS.items()}
    for name, mac in MACS.items():
        for handle in (mac, mac.upper().replace(":", "-"), ADDRESSES[name]):
            (match,) = nswire.find(topology, handle)
            assert [link.ifname for link in match.links] == [name], handle


def test_show_tells_of_each_nic_alone(vm: Ns) -> None:
    del vm
    topology = nswire.scan()
    for name, mac in MACS.items():
        out = io.StringIO()
        write_link(Paper(out, columns=None, color=False), topology.link(name))
        told = out.getvalue()
        assert f"  guest       mac {mac}" in told
        assert [other in told for other in MACS.values() if other != mac] == [False]


def test_by_dnsmasqs_leases(tmp_path: Path) -> None:
    """A recording has them, too, and of the files nothing else."""
    from nswire.host.state_files import Files

    lines = f"1700000000 {MACS['vnet0'].upper()} 192.168.122.12 my-secret-name 01:52:54:00:aa:00:01\n"
    (tmp_path / "dnsmasq.leases").write_text(
        f"duid 00:01\n{lines}{MACS['vnet1']},host-x,192.168.123.12,[fd00::12]\n"
    )
    said = json.loads(Files(str(tmp_path)).questions["macs"]("dnsmasq*.leases"))
    assert said == {
        "/dnsmasq.leases": [[MACS["vnet0"], "192.168.122.12"], [MACS["vnet1"], "192.168.123.12", "fd00::12"]]
    }


def asked(topology: Topology, sender: str, receiver: str, **wanted: object) -> Trace:
    """As the command does it."""
    (match,) = nswire.find(topology, sender)
    party = Party(sender, match.links, match.namespace, match.owner)
    end = Party(receiver)
    if not receiver.startswith("192."):
        (to,) = nswire.find(topology, receiver)
        end = Party(receiver, to.links, to.namespace, to.owner)
    what = Wanted(**wanted)  # type: ignore[arg-type]
    return query.follow(topology, query.complete(topology, party, end, what), what)


def test_a_path_from_a_vm_starts_in_the_guest(vm: Ns, tmp_path: Path) -> None:
    """Not in the host's own stack: its packets come in by the tap, and meet the bridge. Of several NICs one has to be chosen."""
    assert reached(vm, ADDRESSES["vnet0"])
    nswire.record(tmp_path / "vm.nswire")
    for topology in (nswire.scan(), nswire.load(tmp_path / "vm.nswire")):
        with pytest.raises(PathQueryError, match="it has 2 links") as raised:
            asked(topology, "vm:db1", "192.168.122.3")
        assert f"vnet0 ({MACS['vnet0']}, {ADDRESSES['vnet0']}), vnet1 ({MACS['vnet1']})" in raised.value.hint
        for sender in (MACS["vnet0"], "vnet0", ADDRESSES["vnet0"]):
            found = asked(topology, sender, "192.168.122.3")
            assert found.forward.fate == "delivered", (sender, found.forward.reason)
            assert found.flow.src == ADDRESSES["vnet0"]
            first = found.forward.ways[0].hops[0].steps[0]
            assert (first.way, topology.at(first.end)) == ("in", topology.link("vnet0"))
        with pytest.raises(PathQueryError, match="addresses of what is behind it are not known"):
            asked(topology, "vnet1", "192.168.123.1")


def test_a_vm_with_one_nic_and_a_path_to_it(lab: Lab) -> None:
    """Its tap has an address, which is the host's: by the tap's name it is the host that sends, by the VM's the guest."""
    with guest(("vnet0",)):
        ip("addr", "add", "192.168.122.1/24", "dev", "vnet0")
        ip("link", "set", "vnet0", "up")
        assert reached(lab.home, ADDRESSES["vnet0"])
        topology = nswire.scan()
        found = asked(topology, "vm:db1", "192.168.122.1")
        assert (found.flow.src, found.forward.fate) == (ADDRESSES["vnet0"], "delivered"), found.forward.reason
        ((vm, *_),) = (nswire.find(topology, "vm:db1"),)
        party = Party("vm:db1", vm.links, vm.namespace, vm.owner)
        notes = query.complete(topology, party, Party("192.168.122.1"), Wanted()).notes
        assert notes == (
            f"it starts in the VM db1, behind vnet0, {MACS['vnet0']} (others here know {ADDRESSES['vnet0']} of it)",
        )
        assert asked(topology, "vnet0", ADDRESSES["vnet0"]).flow.src == "192.168.122.1"
        there = asked(topology, "self", MACS["vnet0"])
        assert there.flow.dst == ADDRESSES["vnet0"]
        assert verdict(topology, there.forward).startswith(
            "it goes to a guest of this host: it leaves to the VM db1 (qemu-system-x86, "
        )


class Odd:
    """A machine whose files say odd things."""

    def __init__(self, said: object) -> None:
        self._said = json.dumps(said).encode()

    def host(self, _: str) -> bytes:
        return self._said


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["", "pid", "text", "address", "dev", "mac-address", "ip-address"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)
ELEMENT = (
    st.fixed_dictionaries({"": st.sampled_from(["domstatus", "uuid", "interface", "mac", "target"])}) | JSON
)


@given(st.dictionaries(st.text(max_size=4), st.lists(ELEMENT | JSON, max_size=6) | JSON, max_size=3) | JSON)
def test_files_that_make_no_sense(said: object) -> None:
    odd = Odd(said)
    list(guests_facet._domains(odd))  # type: ignore[arg-type]
    list(guests_facet._leases(odd))  # type: ignore[arg-type]
