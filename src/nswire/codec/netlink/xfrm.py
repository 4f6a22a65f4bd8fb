"""XFRM policies: XFRM_MSG_GETPOLICY and XFRM_MSG_GETDEFAULT (include/uapi/linux/xfrm.h)."""

from __future__ import annotations

import struct

from nswire.codec.netlink.framing import NLM_F_DUMP, ip, messages, request, u32, values
from nswire.errors import MalformedReply
from nswire.model.tables import Policy, Transform

XFRM_MSG_NEWPOLICY, XFRM_MSG_GETPOLICY, XFRM_MSG_GETDEFAULT = 19, 21, 40
DIRECTIONS = ("in", "out", "fwd")  # XFRM_POLICY_*; those of sockets have higher numbers
XFRMA_TMPL, XFRMA_POLICY_TYPE, XFRMA_MARK, XFRMA_IF_ID = 5, 16, 21, 31
BLOCK = 1  # XFRM_POLICY_BLOCK, and XFRM_USERPOLICY_BLOCK of a default
SUB = 1  # XFRM_POLICY_TYPE_SUB
MODES = ("transport", "tunnel", "ro", "in_trigger", "beet", "iptfs")
PROTOCOLS = {50: "esp", 51: "ah", 108: "comp", 43: "route2", 60: "hao"}
AF_INET6 = 10
LONGEST = 16

# struct xfrm_userpolicy_info: the selector (addresses, ports with masks, family, prefixes, protocol, ifindex, user), then the
# limits of a lifetime and what is used of it, priority, index, direction, action
_policy = struct.Struct("=16s16s2s2s2s2sHBBBxxxiI96xIIBBBB4x")
_tmpl = struct.Struct("=16s4sBxxxHxx16sIBBBx12x")
_default = struct.Struct("=BBB")


def ask() -> bytes:
    """A request for all policies."""
    return request(XFRM_MSG_GETPOLICY, b"", NLM_F_DUMP)


def ask_default() -> bytes:
    """A request for what becomes of packets that no policy takes (Linux 5.15)."""
    return request(XFRM_MSG_GETDEFAULT, _default.pack(0, 0, 0) + b"\0")


def policies(answer: bytes) -> tuple[Policy, ...]:
    """The policies in the order in which they are looked at: by priority, the oldest first. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer) if answer else ():
        if kind != XFRM_MSG_NEWPOLICY or end - start < _policy.size:
            raise MalformedReply(f"a message of type {kind} among policies")
        fields = _policy.unpack_from(answer, start)
        (
            daddr,
            saddr,
            dport,
            dmask,
            sport,
            smask,
            family,
            dlen,
            slen,
            proto,
            device,
            _,
            priority,
            _,
            way,
            action,
        ) = fields[:16]
        said = values(answer, start + _policy.size, end)
        if way >= len(DIRECTIONS):
            continue
        mark = said.get(XFRMA_MARK, b"")
        special = "a device" if device else "an xfrm interface" if u32(said.get(XFRMA_IF_ID)) else ""
        if said.get(XFRMA_POLICY_TYPE, b"")[:1] == bytes((SUB,)):
            special = "a sub policy"
        found.append(
            Policy(
                DIRECTIONS[way],
                6 if family == AF_INET6 else 4,
                _network(saddr, slen, family),
                _network(daddr, dlen, family),
                proto,
                (int.from_bytes(sport), int.from_bytes(smask)),
                (int.from_bytes(dport), int.from_bytes(dmask)),
                struct.unpack("=II", mark) if len(mark) == 8 else (0, 0),
                priority,
                action == BLOCK,
                _transforms(said.get(XFRMA_TMPL, b"")),
                special,
            )
        )
    found.reverse()  # the newest is told first
    return tuple(sorted(found, key=lambda one: one.priority))


def default(answer: bytes) -> frozenset[str]:
    """The directions in which nothing passes that no policy takes. NetlinkError, MalformedReply."""
    blocked: set[str] = set()
    for kind, start, end in messages(answer) if answer else ():
        if kind != XFRM_MSG_GETDEFAULT or end - start < _default.size:
            raise MalformedReply(f"a message of type {kind} about default policies")
        one, forwarded, out = _default.unpack_from(answer, start)
        blocked |= {
            name for name, action in (("in", one), ("fwd", forwarded), ("out", out)) if action == BLOCK
        }
    return frozenset(blocked)


def _network(address: bytes, length: int, family: int) -> str:
    return f"{ip(address if family == AF_INET6 else address[:4])}/{length}"


def _transforms(value: bytes) -> tuple[Transform, ...]:
    found = []
    for at in range(0, len(value) - _tmpl.size + 1, _tmpl.size):
        daddr, _, proto, family, saddr, _, mode, _, optional = _tmpl.unpack_from(value, at)
        name = MODES[mode] if mode < len(MODES) else str(mode)
        text = f"{PROTOCOLS.get(proto, str(proto))} {name}"
        if any(daddr):
            ends = [ip(one if family == AF_INET6 else one[:4]) for one in (saddr, daddr)]
            text = f"{text} {ends[0]} -> {ends[1]}"
        found.append(Transform(text, bool(optional)))
    return tuple(found[:LONGEST])
