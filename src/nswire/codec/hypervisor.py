"""What a VM's own NICs are, by the command line of its hypervisor: the MAC that the guest has, and which tap it is at."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.checked import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
DIGITS = 8  # of a descriptor's number
TAPS = ("tap", "bridge")  # network backends with a tap of this host


class Nic(NamedTuple):
    """A guest's NIC: its MAC, and its tap by name or by the numbers of the hypervisor's descriptors. Neither: it is not told."""

    mac: str
    ifname: str = ""
    fds: frozenset[int] = frozenset()


def nics(comm: str, cmdline: tuple[str, ...]) -> list[Nic]:
    """The NICs with a tap; those whose MAC is not told (qemu then numbers them from 52:54:00:12:34:56) are left out."""
    names = (comm, cmdline[0].rpartition("/")[2] if cmdline else "")
    for pattern, read in HYPERVISORS:
        if any(pattern.fullmatch(name) for name in names):
            return [nic for nic in read(cmdline) if MAC.fullmatch(nic.mac)]
    return []


def _qemu(cmdline: tuple[str, ...]) -> Iterator[Nic]:
    """-netdev tap,id=ID,... with -device ...,netdev=ID,mac=MAC; -nic tap,...,mac=MAC; -net nic,macaddr=MAC -net tap,... (one each)."""
    given = [(option, _values(value)) for option, value in pairwise(cmdline)]
    backends = {said.get("id", ""): said for option, said in given if option in ("-netdev", "--netdev")}
    for option, said in given:
        if option in ("-device", "--device") and said.get("netdev") in backends:
            yield from _at(backends[said["netdev"]], said.get("mac", ""))
        elif option in ("-nic", "--nic"):
            yield from _at(said, said.get("mac", ""))
    old = [said for option, said in given if option in ("-net", "--net")]
    cards = [said for said in old if said.get("") == "nic"]
    taps = [said for said in old if said.get("") in TAPS]
    if len(cards) == 1:
        backend = backends.get(cards[0].get("netdev", ""))
        for said in [backend] if backend is not None else taps if len(taps) == 1 else ():
            yield from _at(said, cards[0].get("macaddr", ""))


def _at(backend: dict[str, str], mac: str) -> Iterator[Nic]:
    if backend.get("", backend.get("type", "")) in TAPS:
        yield Nic(mac.lower(), backend.get("ifname", ""), _numbers(backend.get("fds", backend.get("fd", ""))))


def _numbers(text: str) -> frozenset[int]:
    words = text.split(":")
    return frozenset(int(word) for word in words if word.isascii() and word.isdigit() and len(word) < DIGITS)


def _values(value: str) -> dict[str, str]:
    """`tap,id=n0,ifname=a,,b`, where `,,` is a comma of a value, or JSON; the first word is called ``."""
    if value.startswith("{"):
        try:
            found = document(value, dict[str, object])
        except ValueError:
            return {}
        return {name: said for name, said in found.items() if isinstance(said, str)}
    words = [word.replace("\0", ",") for word in value.replace(",,", "\0").split(",")]
    pairs = [word.partition("=") for word in words]
    first = {"": words[0]} if "=" not in words[0] else {}
    return first | {name: said for name, equals, said in pairs if equals}


def _cloud_hypervisor(cmdline: tuple[str, ...]) -> Iterator[Nic]:
    """--net tap=NAME,mac=MAC or fd=N; several of them behind one --net."""
    for words in _behind(cmdline, "--net"):
        said = _values(words)
        yield Nic(said.get("mac", "").lower(), said.get("tap", ""), _numbers(said.get("fd", "")))


def _behind(cmdline: Iterable[str], option: str) -> Iterator[str]:
    inside = False
    for word in cmdline:
        if word.startswith("-"):
            name, equals, value = word.partition("=")
            inside = name == option
            if inside and equals:
                yield value
        elif inside:
            yield word


# How a hypervisor's process is called (comm: 15 characters at most), and who reads its command line.
HYPERVISORS: tuple[tuple[re.Pattern[str], Callable[[tuple[str, ...]], Iterator[Nic]]], ...] = (
    (re.compile(r"qemu.*|kvm.*|CPU \d+/KVM|.*qemu-system.*"), _qemu),
    (re.compile(r"cloud-hyperviso?r?"), _cloud_hypervisor),
)
