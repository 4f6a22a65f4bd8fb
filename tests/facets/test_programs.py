"""BPF programs on links: XDP, tc, tcx, netkit; loaded here with bpf(2), named by what was loaded."""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.codec import bpf
from nswire.lab import attributes as nla

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

BPF = {"x86_64": 321, "aarch64": 280}.get(platform.machine(), 280)
PROG_LOAD, PROG_ATTACH, LINK_CREATE = 5, 8, 28
XDP, SCHED_CLS = 6, 3
TCX_INGRESS = 46
RETURN_2 = struct.pack("=BBhi", 0xB7, 0, 0, 2) + struct.pack("=BBhi", 0x95, 0, 0, 0)  # r0 = 2; exit

_libc = ctypes.CDLL(None, use_errno=True)


def syscall(command: int, attribute: ctypes.Array[ctypes.c_char]) -> int:
    result: int = _libc.syscall(BPF, command, attribute, len(attribute))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def load(kind: int, name: bytes) -> int:
    """A program that lets everything pass; its descriptor."""
    instructions = ctypes.create_string_buffer(RETURN_2, len(RETURN_2))
    licence = ctypes.create_string_buffer(b"GPL")
    attribute = ctypes.create_string_buffer(128)
    struct.pack_into(
        "=IIQQIIQII16s", attribute, 0, kind, len(RETURN_2) // 8,
        ctypes.addressof(instructions), ctypes.addressof(licence), 0, 0, 0, 0, 0, name,
    )  # fmt: skip
    try:
        return syscall(PROG_LOAD, attribute)
    except OSError as error:
        pytest.skip(f"bpf(BPF_PROG_LOAD): {error.strerror}")


def test_xdp_by_its_name(lab: Lab) -> None:
    """`ip link` shows `xdp id 7`; the name takes one more question."""
    lab.pair(lab.home, "t-x", lab.home, "t-y")
    fd = load(XDP, b"drop_nothing")
    try:
        with lab.home.rtnl() as rtnl:
            index = rtnl.index("t-x")
            nested = nla.nest(43, nla.u32(1, fd), nla.u32(3, 1 << 1))  # IFLA_XDP: FD, FLAGS (skb mode)
            rtnl.request(nla.RTM_SETLINK, 0, nla.ifinfomsg(index) + nested, "attach")
    finally:
        os.close(fd)
    said = nswire.scan().link("t-x").details["programs"]
    assert str(said["xdp"]).startswith("drop_nothing (id ")


def test_tcx_by_its_name(lab: Lab) -> None:
    """Linux 6.6: no netlink shows what is attached by tcx."""
    lab.pair(lab.home, "t-x", lab.home, "t-y")
    fd = load(SCHED_CLS, b"look")
    try:
        with lab.home.rtnl() as rtnl:
            index = rtnl.index("t-x")
        attribute = ctypes.create_string_buffer(128)
        struct.pack_into("=IIII", attribute, 0, index, fd, TCX_INGRESS, 0)
        try:
            syscall(PROG_ATTACH, attribute)
        except OSError as error:
            pytest.skip(f"tcx: {error.strerror}")
    finally:
        os.close(fd)
    said = nswire.scan().link("t-x").details["programs"]
    assert str(said["tcx ingress"]).startswith("look (id ")


def test_none(lab: Lab) -> None:
    """Nothing attached, nothing told."""
    lab.pair(lab.home, "t-x", lab.home, "t-y")
    assert "programs" not in nswire.scan().link("t-x").details


def test_an_answer_that_is_cut_off() -> None:
    """Whatever the bytes, no exception."""
    whole = struct.pack("=IIII", 46, 2, 7, 8)
    for end in range(len(whole) + 1):
        assert len(list(bpf.attached(whole[:end]))) <= 2
    assert list(bpf.attached(whole)) == [("tcx ingress", 7), ("tcx ingress", 8)]
    assert bpf.program(b"") is None
