"""JSON-RPC over a unix socket, as Open vSwitch's daemons speak it: one question, one answer. The standard library alone.

Not the package `ovs`: what asks a machine has to work on one where nothing is installed (docs/decisions/0005-ovsdb.md).
"""

from __future__ import annotations

import errno
import json
import os
import socket
import time

PATIENCE = (
    0.3  # seconds for the whole answer: a hung daemon must not hold up the others; NSWIRE_PATIENCE changes it
)
LARGEST = 64 << 20  # bytes


def call(path: str, method: str, params: list[object], within: float | None = None) -> object:
    """The result. OSError: no such socket, no answer in time (ETIMEDOUT), an error for an answer (EPROTO)."""
    seconds = patience() if within is None else within
    deadline = time.monotonic() + seconds
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.settimeout(seconds)
            sock.connect(path)
            sock.sendall(json.dumps({"method": method, "params": params, "id": 0}).encode())
            answer = _receive(sock, deadline)
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "no answer in time") from None
    if answer.get("error") is not None or "result" not in answer:
        raise OSError(errno.EPROTO, "the answer is an error")
    return answer["result"]


def patience() -> float:
    """Seconds that a daemon gets to answer."""
    try:
        return max(0.0, float(os.environ.get("NSWIRE_PATIENCE", PATIENCE)))
    except ValueError:
        return PATIENCE


def _receive(sock: socket.socket, deadline: float) -> dict[str, object]:
    """The message with our number; the other side may say something else before, such as asking whether we are alive."""
    text = b""
    while True:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = sock.recv(1 << 16)
        if not chunk:
            raise OSError(errno.ECONNRESET, "the connection ended")
        text += chunk
        if len(text) > LARGEST:
            raise OSError(errno.EMSGSIZE, "the answer is too large")
        if time.monotonic() > deadline:
            raise TimeoutError
        # nothing tells where a message ends but the end of its last brace, which is where few chunks end by chance
        if text.endswith((b"}", b"}\n")):
            for message in _whole(text):
                if message.get("id") == 0 and "method" not in message:
                    return message


def _whole(text: bytes) -> list[dict[str, object]]:
    """The messages in a text, if it consists of whole ones; else none."""
    found: list[dict[str, object]] = []
    try:
        rest = text.decode().strip()
        while rest:
            message, end = json.JSONDecoder().raw_decode(rest)
            if not isinstance(message, dict):
                raise OSError(errno.EPROTO, "the answer is no JSON-RPC")
            found.append(message)
            rest = rest[end:].lstrip()
    except (ValueError, RecursionError):
        return []
    return found
