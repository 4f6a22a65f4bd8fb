"""State that daemons leave in files, and what they answer over HTTP: only the keys that are asked for leave this room.

Such files hold passwords and environments besides. So a question names the files (a pattern) and the keys, and the answer
has nothing else in it: a recording may be given away. The standard library alone.

The folders asked about are root's, but who may write into one of them may try: symlinks are not followed, only regular
files of bounded size are read, and what cannot be read or makes no sense is told beside the others.
"""

from __future__ import annotations

import errno
import glob
import http.client
import json
import os
import re
import socket
import stat
import time
from typing import TYPE_CHECKING, Any

from nswire.host.jsonrpc import patience

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 4 << 20  # bytes of one file or answer
MOST = 16384  # files of one pattern
WORD = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")


class Files:
    """Files below a root, which is a parameter so that a test may bring its own. Arguments are PATTERN|KEY&KEY&...

    Answers are JSON: {path: what the file says, or {"!": errno}}; the path is as on the machine, without the root.
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        self.questions: dict[str, Callable[[str], bytes]] = {
            "json": lambda argument: self._each(argument, _json),
            "settings": lambda argument: self._each(argument, _settings),
            "xml": lambda argument: self._each(argument, _xml),
            "word": lambda argument: self._each(argument, _word),
            "list": self._list,
            "http": self._http,
        }

    def _each(self, argument: str, read: Callable[[bytes, list[str]], object]) -> bytes:
        """json: values by pointer (RFC 6901, without the first slash). settings: NAME=VALUE lines. xml: elements by tag.

        word: the whole file, if it is one word.
        """
        pattern, _, keys = argument.partition("|")
        wanted = [key for key in keys.split("&") if key]
        found: dict[str, object] = {}
        for path in self._paths(pattern):
            try:
                found[path] = read(self._content(path), wanted)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR):
                    found[path] = {"!": error.errno}
            except (ValueError, RecursionError):
                found[path] = {"!": errno.EBADMSG}
        return json.dumps(found).encode()

    def _list(self, pattern: str) -> bytes:
        """The paths that there are."""
        return json.dumps(dict.fromkeys(self._paths(pattern))).encode()

    def _paths(self, pattern: str) -> list[str]:
        found = sorted(glob.glob(f"{glob.escape(self._root)}/{pattern}", include_hidden=True))[:MOST]
        return [path[len(self._root) :] for path in found]

    def _content(self, path: str) -> bytes:
        fd = os.open(self._root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "no regular file")
            if status.st_size > LARGEST:
                raise OSError(errno.EFBIG, "too large")
            return file.read(LARGEST)

    def _http(self, argument: str) -> bytes:
        """SOCKET|PATH|KEY&KEY: the answer to GET PATH, a list or an object, of each element those keys."""
        path, _, rest = argument.partition("|")
        target, _, keys = rest.partition("|")
        connection = _UnixConnection(f"{self._root}/{path}")
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            content = connection.rest_of(answer)
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "no answer in time") from None
        except http.client.HTTPException as error:
            raise OSError(errno.EPROTO, str(error)) from None
        finally:
            connection.close()
        if answer.status != http.client.OK:
            raise OSError(errno.EPROTO, f"HTTP {answer.status}")
        return json.dumps(_json(content, [key for key in keys.split("&") if key])).encode()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a unix socket, all of it within one deadline: a hung daemon must not hold up the others."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost")
        self._path = path
        self._deadline = time.monotonic() + patience()

    def connect(self) -> None:
        """Connect to the socket."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        self.sock.settimeout(max(0.001, self._deadline - time.monotonic()))
        self.sock.connect(self._path)

    def rest_of(self, answer: http.client.HTTPResponse) -> bytes:
        """The body."""
        content = b""
        while chunk := answer.read1(1 << 16):
            content += chunk
            if len(content) > LARGEST:
                raise OSError(errno.EFBIG, "too large")
            if time.monotonic() > self._deadline:
                raise TimeoutError
            if self.sock is not None:
                self.sock.settimeout(max(0.001, self._deadline - time.monotonic()))
        return content


def _json(content: bytes, keys: list[str]) -> object:
    document = json.loads(content)
    if isinstance(document, list):
        return [_kept(one, keys) for one in document]
    return _kept(document, keys)


def _kept(document: Any, keys: list[str]) -> dict[str, object]:
    found = {}
    for key in keys:
        value = document
        for word in key.split("/"):
            value = value.get(word.replace("~1", "/").replace("~0", "~")) if isinstance(value, dict) else None
        if value is not None:
            found[key] = value
    return found


def _settings(content: bytes, keys: list[str]) -> dict[str, str]:
    lines = (line.partition("=") for line in content.decode("utf-8", "backslashreplace").splitlines())
    return {name.strip(): value.strip().strip('"') for name, _, value in lines if name.strip() in keys}


def _xml(content: bytes, tags: list[str]) -> list[dict[str, str]]:
    """Elements with such a tag, in their order: {"": tag, attribute: value, "text": what is in it}."""
    if b"<!" in content.replace(b"<!--", b""):
        raise ValueError("a document type: nothing is expanded here")
    from xml.etree import ElementTree as ET

    try:
        document = ET.fromstring(content)  # noqa: S314 (the same)
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    found = []
    for element in document.iter():
        if element.tag in tags:
            text = (element.text or "").strip()
            found.append({"": element.tag, **element.attrib, **({"text": text} if text else {})})
    return found


def _word(content: bytes, _: list[str]) -> str:
    if not WORD.fullmatch(content.strip()):
        raise ValueError("more than one word")
    return content.strip().decode()
