"""Generic netlink: families by their number, and answers without the secrets in them. The standard library alone.

A family's number is looked up in the list of all of them, never by name: asked for the name of one that is not there, the
kernel would load the module that has it.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CTRL, CTRL_CMD_GETFAMILY = 16, 3
CTRL_ATTR_FAMILY_ID, CTRL_ATTR_FAMILY_NAME = 1, 2
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
HEADERS = 20  # nlmsghdr and genlmsghdr
NLA_TYPE_MASK = 0x3FFF
# What is not for anybody's eyes, as paths of attributes: WGDEVICE_A_PRIVATE_KEY; of each of WGDEVICE_A_PEERS the preshared key.
SECRETS = {"wireguard": ((3,), (8, None, 2))}

_header = struct.Struct("=IHHII")
_attribute = struct.Struct("=HH")

ALL_FAMILIES = _header.pack(HEADERS, CTRL, NLM_F_REQUEST | NLM_F_DUMP, 0, 0) + struct.pack(
    "=BBH", CTRL_CMD_GETFAMILY, 1, 0
)


def families(answer: bytes) -> dict[str, int]:
    """The numbers of the families in the list of all of them."""
    found = {}
    for start, end in _messages(answer):
        values = {kind: answer[at:stop] for kind, at, stop in _attributes(answer, start, end)}
        number, name = values.get(CTRL_ATTR_FAMILY_ID, b""), values.get(CTRL_ATTR_FAMILY_NAME, b"")
        if len(number) == 2:
            found[name.rstrip(b"\0").decode("ascii", "replace")] = int(struct.unpack("=H", number)[0])
    return found


def addressed(request: bytes, number: int) -> bytes:
    """The request, to the family of that number."""
    return request[:4] + struct.pack("=H", number) + request[6:]


def ask(family: str, request: bytes, converse: Callable[[bytes], bytes]) -> bytes:
    """The answer of a family to a request, secrets blanked. OSError: ENOENT if there is no such family."""
    number = families(converse(ALL_FAMILIES)).get(family)
    if number is None:
        raise OSError(errno.ENOENT, f"the kernel has no {family}")
    return without_secrets(family, converse(addressed(request, number)))


def without_secrets(family: str, answer: bytes) -> bytes:
    """The answer with zeros where a key would be. OSError if it cannot be made sure that none is left."""
    paths = SECRETS.get(family, ())
    if not paths:
        return answer
    clean = bytearray(answer)
    for start, end in _messages(answer):
        for path in paths:
            for at, stop in _found(answer, start, end, path):
                clean[at:stop] = bytes(stop - at)
    return bytes(clean)


def _found(answer: bytes, start: int, end: int, path: tuple[int | None, ...]) -> Iterator[tuple[int, int]]:
    for kind, at, stop in _attributes(answer, start, end):
        if path[0] in (None, kind):
            if len(path) == 1:
                yield at, stop
            else:
                yield from _found(answer, at, stop, path[1:])


def _messages(answer: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the attributes of each message of a family."""
    offset = 0
    while offset + 16 <= len(answer):
        length, kind, _, _, _ = _header.unpack_from(answer, offset)
        if length < 16 or offset + length > len(answer):
            raise OSError(errno.EBADMSG, "a netlink message that does not fit")
        if kind >= CTRL and length >= HEADERS:
            yield offset + HEADERS, offset + length
        offset += (length + 3) & ~3


def _attributes(answer: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    while start + 4 <= end:
        length, kind = _attribute.unpack_from(answer, start)
        if length < 4 or start + length > end:
            raise OSError(errno.EBADMSG, "a netlink attribute that does not fit")
        yield kind & NLA_TYPE_MASK, start + 4, start + length
        start = (start + length + 3) & ~3
