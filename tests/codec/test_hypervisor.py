"""Command lines of hypervisors as people and libvirt write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nswire.codec.hypervisor import Nic, nics

HOSTNET = '{"type":"tap","fd":"33","vhost":true,"vhostfd":"35","id":"n0"}'
NET = '{"driver":"virtio-net-pci","netdev":"n0","id":"net0","mac":"52:54:00:aa:00:01","bus":"pci.1"}'
A, B = "52:54:00:aa:00:01", "52:54:00:aa:00:02"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (
            f"-netdev tap,id=n0,ifname=vnet0,script=no -device virtio-net-pci,netdev=n0,mac={A}",
            [Nic(A, "vnet0")],
        ),
        (
            f"-device e1000,mac={B.upper()},netdev=b -netdev tap,fds=33:34,id=b -netdev user,id=u -device e1000,netdev=u,mac={A}",
            [Nic(B, "", frozenset({33, 34}))],
        ),
        (
            f"-netdev {HOSTNET} -device {NET}",
            [Nic(A, "", frozenset({33}))],
        ),
        (f"-nic tap,ifname=t,,0,mac={A} -nic user,mac={B}", [Nic(A, "t,0")]),
        (f"-net nic,macaddr={A} -net tap,ifname=t0", [Nic(A, "t0")]),
        (f"-net nic,macaddr={A} -net nic,macaddr={B} -net tap,ifname=t0", []),
        (f"-netdev bridge,br=virbr0,id=n -device e1000,netdev=n,mac={A}", [Nic(A)]),
        (f"-netdev tap,id=n,ifname=t0 -device e1000,netdev=n -device e1000,netdev=gone,mac={A}", []),
        ("-netdev", []),
        ('-device {"netdev": -device [ -netdev {}', []),
    ],
)
def test_qemu(words: str, found: list[Nic]) -> None:
    assert nics("qemu-system-x86", ("/usr/bin/qemu-system-x86_64", *words.split())) == found


def test_cloud_hypervisor() -> None:
    words = ("--net", f"tap=t0,mac={A}", f"fd=3,mac={B}", "--disk", f"tap=no,mac={A}")
    assert nics("cloud-hyperviso", ("cloud-hypervisor", *words)) == [
        Nic(A, "t0"),
        Nic(B, "", frozenset({3})),
    ]
    assert nics("cloud-hyperviso", ("ch", f"--net=tap=t0,mac={A}")) == [Nic(A, "t0")]


def test_a_program_that_is_none() -> None:
    assert nics("sh", ("sh", "-nic", f"tap,ifname=t0,mac={A}")) == []


@given(
    st.lists(st.sampled_from(["-netdev", "-device", "-nic", "-net", "{", "tap", f"nic,mac={A}"]) | st.text())
)
def test_no_command_line_is_too_odd(words: list[str]) -> None:
    nics("qemu", tuple(words))
    nics("cloud-hypervis", tuple(words))
