"""State that daemons leave in files, and what they answer over HTTP: only the keys that are asked for leave this room.

Such files hold passwords and environments besides. So a question names the files (a pattern) and the keys, and the answer
has nothing else in it: a recording may be given away. The standard library alone.

The folders asked about are root's, but who may write into one of them may try: symlinks are not followed, only regular
files of bounded size are read, and what cannot be read or makes no sense is told beside the others.
"""

from __future__ import annotations

import errno
import io
import json
import os
import re
import socket
import stat
import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from nswire.host.jsonrpc import patience

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 4 << 20  # bytes of one file or answer
MOST = 16384  # files of one pattern
WILD = re.compile(r"[*?\[]")
NOT_THERE = (errno.ENOENT, errno.ENOTDIR)
HARDWARE = re.compile(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}")
WORD = re.compile(rb"[A-Za-z0-9_.:-]{1,128}")


class Files:
    """Files below a root, which is a parameter so that a test may bring its own. Arguments are PATTERN|KEY&KEY&...

    Answers are JSON: {path: what the file says, or {"!": errno}}; the path is as on the machine, without the root. A folder
    that may not be listed is told in the same way: what is in it may have matched.
    """

    def __init__(self, root: str) -> None:
        self._root = root.rstrip("/")
        self.questions: dict[str, Callable[[str], bytes]] = {
            "json": lambda argument: self._each(argument, _json),
            "settings": lambda argument: self._each(argument, _settings),
            "xml": lambda argument: self._each(argument, _xml),
            "word": lambda argument: self._each(argument, _word),
            "macs": lambda argument: self._each(argument, _macs),
            "list": self._list,
            "http": self._http,
            "user": self._user,
        }

    def _each(self, argument: str, read: Callable[[bytes, list[str]], object]) -> bytes:
        """json: values by pointer (RFC 6901, without the first slash). settings: NAME=VALUE lines. xml: elements by tag.

        word: the whole file, if it is one word. macs: of each line with a hardware address that one, and the addresses beside it.
        """
        pattern, _, keys = argument.partition("|")
        wanted = [key for key in keys.split("&") if key]
        paths, refused = self._paths(pattern)
        found: dict[str, object] = {path: {"!": number} for path, number in refused.items()}
        for path in paths:
            try:
                found[path] = read(self._content(path), wanted)
            except OSError as error:
                if error.errno not in NOT_THERE:
                    found[path] = {"!": error.errno}
            except (ValueError, RecursionError):
                found[path] = {"!": errno.EBADMSG}
        return _encoded(found)

    def _list(self, pattern: str) -> bytes:
        """The paths that there are."""
        paths, refused = self._paths(pattern)
        found: dict[str, object] = {path: {"!": number} for path, number in refused.items()}
        return _encoded(found | dict.fromkeys(path for path in paths if os.path.lexists(self._root + path)))

    def _paths(self, pattern: str) -> tuple[list[str], dict[str, int]]:
        """The paths that match (the last part need not be there), and the folders that may not be listed, with the errno."""
        found: list[str] = [""]
        refused: dict[str, int] = {}
        for part in pattern.split("/"):
            if not WILD.search(part):
                found = [f"{path}/{part}" for path in found]
                continue
            inside: list[str] = []
            for folder in found:
                try:
                    names = sorted(os.listdir(self._root + folder or "/"))
                except OSError as error:
                    if error.errno not in NOT_THERE:
                        refused[folder] = error.errno or errno.EIO
                    continue
                inside += [f"{folder}/{name}" for name in names if fnmatchcase(name, part)]
                if len(inside) > MOST:
                    refused[folder] = errno.E2BIG
                    break
            found = inside[:MOST]
        return found, refused

    def _content(self, path: str) -> bytes:
        fd = os.open(self._root + path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(fd, "rb") as file:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise OSError(errno.EINVAL, "no regular file")
            if status.st_size > LARGEST:
                raise OSError(errno.EFBIG, "too large")
            return file.read(LARGEST)

    def _user(self, uid: str) -> bytes:
        """The name of a user in /etc/passwd; empty: it is not there. Not getpwuid: a directory service may hang."""
        for line in self._content("/etc/passwd").split(b"\n"):
            fields = line.split(b":")
            if len(fields) > 2 and fields[2] == uid.encode():
                return fields[0]
        return b""

    def _http(self, argument: str) -> bytes:
        """SOCKET|PATH|KEY&KEY: the answer to GET PATH, a list or an object, of each element those keys."""
        import http.client  # 27 ms, which hosts without an engine's socket need not spend

        path, _, rest = argument.partition("|")
        target, _, keys = rest.partition("|")
        answer = http.client.HTTPResponse(_Received(_exchange(f"{self._root}/{path}", target)))  # type: ignore[arg-type]
        try:
            answer.begin()
            content = answer.read()
        except http.client.HTTPException as error:
            raise OSError(errno.EPROTO, str(error)) from None
        if answer.status != http.client.OK:
            raise OSError(errno.EPROTO, f"HTTP {answer.status}")
        return _encoded(_json(content, [key for key in keys.split("&") if key]))


class _Received:
    """What was received, in the form in which http.client reads an answer."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _: str) -> io.BytesIO:
        """All of it, as a file."""
        return io.BytesIO(self._received)


def _exchange(path: str, target: str) -> bytes:
    """GET over a unix socket: all that is answered until the other side closes, within one deadline for all of it.

    Received as a whole before it is read: http.client would wait anew for each byte of a daemon that drips.
    """
    within = patience()
    deadline = time.monotonic() + within
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
        try:
            sock.settimeout(within)
            sock.connect(path)
            sock.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return _until_closed(sock, deadline)
        except TimeoutError:
            raise OSError(errno.ETIMEDOUT, "no answer in time") from None


def _until_closed(sock: socket.socket, deadline: float) -> bytes:
    received = b""
    while time.monotonic() < deadline:
        sock.settimeout(max(0.001, deadline - time.monotonic()))
        chunk = sock.recv(1 << 16)
        if not chunk:
            return received
        received += chunk
        if len(received) > LARGEST:
            raise OSError(errno.EFBIG, "too large")
    raise TimeoutError


def _encoded(document: object) -> bytes:
    """JSON. Half a surrogate pair, which Python's decoder lets through and no other does, becomes a question mark."""
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


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
    lines = (line.partition("=") for line in content.decode("utf-8", "backslashreplace").split("\n"))
    return {name.strip(): _unquoted(value.strip()) for name, _, value in lines if name.strip() in keys}


def _unquoted(value: str) -> str:
    """What is between the quotes, if there are any: a comment may follow."""
    return value[1:].partition(value[0])[0] if value[:1] in ('"', "'") else value


def _xml(content: bytes, tags: list[str]) -> list[dict[str, str]]:
    """Elements with such a tag, in their order: {"": tag, attribute: value, "text": what is in it}.

    The tag `*:name` is that of an element `name` of any XML namespace.
    """
    if b"<!" in content.replace(b"<!--", b""):
        raise ValueError("a document type: nothing is expanded here")
    from xml.etree import ElementTree as ET

    try:
        document = ET.fromstring(content)  # noqa: S314 (the same)
    except ET.ParseError as error:
        raise ValueError(str(error)) from None
    found = []
    for element in document.iter():
        namespace, _, name = element.tag.rpartition("}")
        tag = f"*:{name}" if namespace else name
        if tag in tags:
            text = (element.text or "").strip()
            found.append({**element.attrib, **({"text": text} if text else {}), "": tag})
    return found


def _word(content: bytes, _: list[str]) -> str:
    if not WORD.fullmatch(content.strip()):
        raise ValueError("more than one word")
    return content.strip().decode()


def _macs(content: bytes, _: list[str]) -> list[list[str]]:
    """Leases (`1700000000 52:54:00:aa:00:01 10.0.0.2 name *`) and hosts (`52:54:00:aa:00:01,name,10.0.0.2`) of dnsmasq."""
    found = []
    for line in content.decode("ascii", "replace").split("\n"):
        words = [word.strip("[]") for word in re.split(r"[,\s]+", line)]
        macs = [word.lower() for word in words if HARDWARE.fullmatch(word)]
        addresses = [one for word in words if (one := _address(word))]
        if len(macs) == 1 and addresses:
            found.append([macs[0], *addresses])
    return found


def _address(word: str) -> str:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            return socket.inet_ntop(family, socket.inet_pton(family, word))
        except (OSError, ValueError):
            continue
    return ""
