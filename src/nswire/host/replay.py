"""A recording: the raw answers of a machine in a zip that `unzip -l` explains, and the system that replays it.

Rules of the room: a recording may come from anybody. Nothing is ever unpacked to disk, so a member's name is only a
key; what comes out is bounded while it comes (`archive`); whatever is wrong with the file as a whole raises `RecordingError`.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from errno import EBADMSG, ENODATA, ESTALE
from typing import TYPE_CHECKING
from urllib.parse import quote

import msgspec

from nswire.errors import RecordingError
from nswire.host.archive import Archive
from nswire.host.atomic_write import replacing
from nswire.host.system import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from nswire.host.system import Answer, Errand, System

__all__ = ["Recorded", "Recorder", "member"]

SCHEMA, VERSION = "nswire/recording", 1
MANIFEST, README = "manifest.json", "README.txt"
MAX_ERRNO = 4095  # include/linux/err.h
EXPLAINED = """\
A recording made by nswire (version 1): what a machine answered when it was asked about its network namespaces.
Read it with `nswire peer --from FILE`, and so on: every verb that reads takes --from.

  manifest.json               who, when, with which capabilities; which questions were refused, with their errno
  host/about                  the machine (JSON)
  host/processes              PID, network namespace and mount namespace of each process
  host/threads, fds, sockets  PID, thread or descriptor, network namespace
  host/names                  inode and path of the entries of /run/netns
  host/mountinfo/PID          the nsfs lines of /proc/PID/mountinfo
  host/root/PID               the root folder of a process, / unless it is chrooted
  host/comm/PID               the name of a process
  host/process/PID            who a process is (JSON); what looks like a password in its command line is left out
  host/cgroups, cgroups/home  PID, network namespace and control group of the processes that are not at home, that are
  host/user/UID               the name of a user
  host/json/PATTERN|KEYS      what these files say by these keys (JSON); settings, xml, word, macs and list likewise
  host/http/SOCKET|PATH|KEYS  what a daemon answered, of that these keys (JSON)
  host/taps                   PID, descriptor, namespace or device number, MAC and name of tun and macvtap links in use
  host/socket-inodes          the inodes of all sockets that processes have open
  host/socket-holders         the same, with the process
  host/ovs                    ovs-vswitchd's pid and its dpif/show (JSON)
  host/pci/ADDRESS            driver, physical and virtual functions of a PCI device
  host/program/ID             the begin of struct bpf_prog_info
  host/netfilter-links        BPF programs at hooks of netfilter: program, family, hook, priority
  host/ovsdb                  bridges, ports and interfaces of Open vSwitch's database (JSON)
  netns/INODE/cookie          SO_NETNS_COOKIE, a u64
  netns/INODE/links           RTM_GETLINK dump: netlink datagrams as the kernel sent them
  netns/INODE/addresses       RTM_GETADDR dump
  netns/INODE/routes          RTM_GETROUTE dump
  netns/INODE/nsids           RTM_GETNSID dump
  netns/INODE/nsid-of/OTHER   RTM_GETNSID: what this namespace calls that one
  netns/INODE/nsid-within/... RTM_GETNSID: what the namespace that this one calls by one id calls another
  netns/INODE/links@N         the links of the namespace that this one calls nsid N; addresses@N likewise
  netns/INODE/link/INDEX#N    a link that was read again
  netns/INODE/link/INDEX@N    a link of the namespace that this one calls nsid N
  netns/INODE/ethtool/NAME    the driver's statistics, of kernels that tell a veth's other end only there
  netns/INODE/driver/NAME     struct ethtool_drvinfo; settings/NAME: struct ethtool_link_settings
  netns/INODE/vlans           RTM_GETLINK dump of AF_BRIDGE; vlan-states: RTM_GETVLAN dump
  netns/INODE/qdiscs          RTM_GETQDISC dump
  netns/INODE/xfrm/policies   XFRM_MSG_GETPOLICY dump; xfrm/default: XFRM_MSG_GETDEFAULT
  netns/INODE/hooks/FAMILY    NFNL_MSG_HOOK_GET dumps of a family's hooks, one behind the other
  netns/INODE/filters/I/P     RTM_GETTFILTER dump of link I at parent P
  netns/INODE/programs/I      BPF programs of link I: attach type, count, ids
  netns/INODE/generic/F/...   answer of a generic netlink family (ovs_vport, wireguard, team ...), keys blanked
  netns/INODE/net/udp, tcp    /proc/net/udp, tcp and their like for IPv6
  netns/INODE/rules/ip, ip6   RTM_GETRULE dumps
  netns/INODE/neighbours      RTM_GETNEIGH dump; proxies: with NTF_PROXY
  netns/INODE/fdb             RTM_GETNEIGH dump of AF_BRIDGE
  netns/INODE/nexthops        RTM_GETNEXTHOP dump
  netns/INODE/sysctls         NAME=VALUE of those of /proc/sys/net that decide about packets; sysctls/LINK: of a link
  netns/INODE/nftables        what `nft -j list ruleset` prints; iptables-...-save and ebtables-, arptables-nft-save likewise
  netns/INODE/arptables-legacy  what `arptables-legacy -nvL` prints; ebtables-legacy/TABLE: its `-L`
  netns/INODE/nft-list        what `nft -t list ruleset` prints, where the JSON leaves something out; nft-table/F/T: one table as JSON
  netns/INODE/nft-generation#N  NFT_MSG_GETGEN: whether the rules changed while they were read
  netns/INODE/ipset           IPSET_CMD_LIST dump: the sets with all members
  netns/INODE/recent          *NAME and the lines of /proc/net/xt_recent/NAME, of each list
"""


class Recorded:
    """A system that answers from a recording. What was not recorded is refused with ENODATA."""

    def __init__(
        self,
        read: Callable[[str], bytes],
        refused: Mapping[str, tuple[int, str]],
        names: Iterable[str],
        source: str,
    ) -> None:
        self._read = read
        self._refused = refused
        self._names = frozenset(names)
        self._source = source

    @classmethod
    def open(cls, file: str | Path, max_size: int | None = None) -> Recorded:
        """The recording in that file. `max_size`: bytes that may come out of it (default: `archive`). RecordingError, OSError."""
        archive = Archive(file, max_size)
        try:
            refused = _manifest(archive.read).refused
        except RecordingError:
            archive.close()
            raise
        return cls(archive.read, refused, archive.names(), os.fspath(file))

    @classmethod
    def fake(
        cls, answers: Mapping[str, bytes], refused: Mapping[str, tuple[int, str]] | None = None
    ) -> Recorded:
        """A machine made up of answers by name, such as `host/about` or `netns/1/links`; for tests, also yours."""
        return cls(answers.__getitem__, refused or {}, answers, "fake")

    def host(self, name: str) -> Answer:
        """The recorded answer; `about` also says where it comes from."""
        answer = self._answer(f"host/{member(name)}")
        if name != "about" or isinstance(answer, Refusal):
            return answer
        try:
            about = json.loads(answer)
            about["source"] = self._source.encode("utf-8", "surrogateescape").decode(
                "utf-8", "backslashreplace"
            )
        except (ValueError, TypeError, RecursionError) as error:
            raise RecordingError(f"host/about is damaged ({error})") from None
        return json.dumps(about).encode()

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """The recorded answers of each namespace."""
        for errand in errands:
            base = f"netns/{errand.door.inode}"
            deliver(
                errand, [self._answer(f"{base}/{member(question.name)}") for question in errand.questions]
            )

    def _answer(self, name: str) -> Answer:
        if name in self._names:
            return self._read(name)
        number, doing = self._refused.get(name, (ENODATA, "find in the recording"))
        return Refusal(number if 0 < number <= MAX_ERRNO else EBADMSG, doing)


class _Manifest(msgspec.Struct):
    schema: str
    version: int
    byteorder: str
    refused: dict[str, tuple[int, str]]


def _manifest(read: Callable[[str], bytes]) -> _Manifest:
    try:
        manifest = msgspec.json.decode(read(MANIFEST), type=_Manifest)
    except KeyError:
        raise RecordingError(f"it has no {MANIFEST}: some other zip") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"its {MANIFEST} is damaged ({error})") from None
    for wrong, what in (
        (manifest.schema != SCHEMA, f"it says that it is a {manifest.schema!r}"),
        (manifest.version > VERSION, f"it is of version {manifest.version}, made by a newer nswire"),
        (
            manifest.byteorder != sys.byteorder,
            f"it comes from a {manifest.byteorder}-endian machine, unlike this one",
        ),
    ):
        if wrong:
            raise RecordingError(what)
    return manifest


class Recorder:
    """A system that passes questions on and keeps the first answer to each, so that a replay is consistent."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.answers: dict[str, Answer] = {}

    def host(self, name: str) -> Answer:
        """Ask, or answer as before."""
        key = f"host/{member(name)}"
        if key not in self.answers:
            self.answers[key] = self._system.host(name)
        return self.answers[key]

    def visit(self, errands: Iterable[Errand], deliver: Callable[[Errand, list[Answer]], None]) -> None:
        """Ask, and deliver what was answered first."""

        def keep(errand: Errand, answers: list[Answer]) -> None:
            base = f"netns/{errand.door.inode}"
            named = dict(zip((question.name for question in errand.questions), answers, strict=True))
            before = self.answers.get(f"{base}/cookie")
            if isinstance(before, bytes) and named.get("cookie", before) != before:
                # another namespace has that inode now: its answers must not be kept under the first one's name
                answers = [Refusal(ESTALE, "enter")] * len(answers)
            kept = [
                self.answers.setdefault(f"{base}/{member(name)}", answer)
                for name, answer in zip(named, answers, strict=True)
            ]
            deliver(errand, kept)

        self._system.visit(errands, keep)

    def write(self, file: str | Path) -> None:
        """Write the recording: readable by its owner alone, complete or not at all. OSError."""
        answers = {name: answer for name, answer in self.answers.items() if isinstance(answer, bytes)}
        about = json.loads(answers.get("host/about", b"{}"))
        manifest = {
            "schema": SCHEMA,
            "version": VERSION,
            "byteorder": sys.byteorder,
            "about": about,
            "refused": {
                name: tuple(answer) for name, answer in self.answers.items() if isinstance(answer, Refusal)
            },
        }
        with (
            replacing(file, private=True) as raw,
            zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive,
        ):
            archive.writestr(README, EXPLAINED)
            archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
            for name, answer in answers.items():
                archive.writestr(name, answer)


def member(name: str) -> str:
    """A question's name as the name of a zip member: ASCII, without what a zip or a shell could misread."""
    return quote(name, safe="/@#:-", errors="surrogateescape")
