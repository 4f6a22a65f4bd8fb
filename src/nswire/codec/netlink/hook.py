"""Hooks of netfilter: NFNL_MSG_HOOK_GET, what `nft list hooks` asks (include/uapi/linux/netfilter/nfnetlink_hook.h, Linux 5.14)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, attribute, messages, request, text, values
from nswire.errors import MalformedReply
from nswire.model.tables import Hook

NFNL_SUBSYS_HOOK, NFNL_MSG_HOOK_GET = 12, 0
FAMILIES = {
    "ip": 2,
    "bridge": 7,
    "ip6": 10,
}  # NFPROTO_*; of ARP nobody but arptables and nft look at a packet
NAMES = ("prerouting", "input", "forward", "output", "postrouting")  # enum nf_inet_hooks
NUMBERS = range(len(NAMES))
HOOKNUM, PRIORITY, FUNCTION, MODULE, CHAIN_INFO = 1, 2, 4, 5, 6
INFO_DESC, INFO_TYPE, TYPE_NFTABLES, TYPE_BPF = 1, 2, 1, 2
BPF_ID = 1

_nfgenmsg = struct.Struct("=BBH")
_be32, _s32 = struct.Struct(">I"), struct.Struct(">i")


def ask(family: str, number: int) -> bytes:
    """A request for what is called at one hook of a family."""
    body = _nfgenmsg.pack(FAMILIES[family], 0, 0) + attribute(HOOKNUM, _be32.pack(number))
    return request(NFNL_SUBSYS_HOOK << 8 | NFNL_MSG_HOOK_GET, body, NLM_F_DUMP)


def name(number: int) -> str:
    """A hook as nft calls it; empty for none that is known."""
    return NAMES[number] if number < len(NAMES) else ""


def decode(answer: bytes) -> tuple[Hook, ...]:
    """What is called, but for the chains of nftables: they are in the ruleset. Answers one behind the other. NetlinkError, MalformedReply."""
    found = []
    for part in _parts(answer):
        for kind, start, end in messages(part):
            if kind >> 8 != NFNL_SUBSYS_HOOK or end - start < _nfgenmsg.size:
                raise MalformedReply(f"a message of type {kind} among hooks")
            said = values(part, start + _nfgenmsg.size, end)
            number, priority = said.get(HOOKNUM, b""), said.get(PRIORITY, b"")
            if len(number) != _be32.size or len(priority) != _s32.size:
                raise MalformedReply("a hook without its number")
            info = values(said.get(CHAIN_INFO, b""))
            what = int.from_bytes(info.get(INFO_TYPE, b""))
            if what != TYPE_NFTABLES:
                described = values(info.get(INFO_DESC, b"")) if what == TYPE_BPF else {}
                found.append(
                    Hook(
                        name(_be32.unpack(number)[0]),
                        _s32.unpack(priority)[0],
                        text(said.get(FUNCTION, b"")),
                        text(said.get(MODULE, b"")),
                        int.from_bytes(described.get(BPF_ID, b"")) or (-1 if what == TYPE_BPF else 0),
                    )
                )
    return tuple(found)


def _parts(answer: bytes) -> list[bytes]:
    """Each of several answers, which ends with DONE or an error."""
    found, begin, at = [], 0, 0
    while at + 16 <= len(answer):
        length, kind = struct.unpack_from("=IH", answer, at)
        if length < 16:
            break
        at += (length + 3) & ~3
        if kind in (2, 3):
            found.append(answer[begin:at])
            begin = at
    return [*found, answer[begin:]] if begin < len(answer) else found
