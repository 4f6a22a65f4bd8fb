"""What owner sources share: processes, and files that daemons keep."""

from __future__ import annotations

from errno import ETIMEDOUT
from typing import TYPE_CHECKING, Any

from nswire.codec import process as codec
from nswire.codec.checked import document
from nswire.host.failures import refusal
from nswire.host.system import Refusal
from nswire.model import gaps
from nswire.model.gaps import Gap
from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nswire.codec.process import Process, Row
    from nswire.host.client import Client
    from nswire.model.values import NsKey, Pairs

WHO = gaps.Unseen("process.who", "who it is")
AWKWARD = frozenset(
    "*?[|&"
)  # in a path of somebody else's configuration: they would mean something in a question
NONSENSE = Reason("scan.file_malformed", "it makes no sense")
DIGITS = 10  # of a pid
HIGHEST = 1 << 31


def process(client: Client, pid: int) -> Process | None:
    """Who a process is; None if it is gone, or does not answer, which is a gap."""
    answer = client.host(f"process/{pid}")
    if isinstance(answer, Refusal) and answer.errno == ETIMEDOUT:
        gap = gaps.silent(WHO, pid)
        if gap not in client.facts.gaps:
            client.facts.gaps.append(gap)
    return codec.decode(answer) if isinstance(answer, bytes) else None


def away(client: Client) -> list[Row]:
    """Namespace and control group of every process that is not at home, the lowest pid first."""
    return _rows(client, "cgroups")


def at_home(client: Client) -> list[Row]:
    """The same of the processes at home: costly on a busy host."""
    return _rows(client, "cgroups/home")


def _rows(client: Client, question: str) -> list[Row]:
    answer = client.host(question)
    return sorted(codec.cgroups(answer), key=lambda row: row.pid) if isinstance(answer, bytes) else []


def paths(client: Client) -> dict[str, NsKey]:
    """The namespaces by the names and mount points that they have in our own mount namespace."""
    return {
        holder.path: ns
        for ns, holders in client.facts.holders.items()
        for holder in holders
        if holder.type in ("name", "mount") and holder.own
    }


def as_mounted(path: str) -> str:
    """A path as the kernel shows it: /var/run is a symlink to /run everywhere."""
    return path.removeprefix("/var") if path.startswith("/var/run/") else path


def user(client: Client, uid: int) -> str:
    """A user's name, or his number if this host does not know one."""
    answer = client.host(f"user/{uid}")
    name = answer.decode("utf-8", "backslashreplace") if isinstance(answer, bytes) else ""
    return name or str(uid)


def theirs(client: Client, uid: int) -> Pairs:
    """The user to whom something belongs that is root's nearly always."""
    return (("user", user(client, uid)),) if uid > 0 else ()


def files(client: Client, how: str, pattern: str, *keys: str) -> Iterator[tuple[str, Any]]:
    """(path, what it says) of the files that match. See `host.state_files`; `readable` tells those that could not be read."""
    answer = client.host(f"{how}/{pattern}|{'&'.join(keys)}" if keys else f"{how}/{pattern}")
    if isinstance(answer, Refusal):
        return
    try:
        found = document(answer, dict[str, Any])
    except ValueError:
        return
    yield from found.items()


def documents(client: Client, how: str, pattern: str, *keys: str) -> list[tuple[str, dict[str, Any]]]:
    """The same of files that are one document each; any other one makes no sense, and is not `readable`."""
    return [
        (path, said if isinstance(said, dict) else {"!": MADE_NO_SENSE})
        for path, said in files(client, how, pattern, *keys)
    ]


def lists(
    client: Client, how: str, pattern: str, *keys: str
) -> Iterator[tuple[str, list[dict[str, Any]] | dict[str, Any]]]:
    """The same of files that are a list of documents each."""
    for path, said in files(client, how, pattern, *keys):
        if isinstance(said, list):
            yield path, [one for one in said if isinstance(one, dict)]
        else:
            yield path, said if isinstance(said, dict) and "!" in said else {"!": MADE_NO_SENSE}


def words(client: Client, pattern: str) -> Iterator[tuple[str, str]]:
    """The files that are one word each."""
    return ((path, said) for path, said in files(client, "word", pattern) if isinstance(said, str))


def folder_of(path: str) -> Iterator[str]:
    """A folder that somebody set up, as questions name it; none if that is no whole path, or not to be asked about."""
    if path.startswith("/") and AWKWARD.isdisjoint(path):
        yield path.strip("/")


def part(path: str, at: int) -> str:
    """One part of a path, counted from its end (-1: the last); empty: it has not so many."""
    parts = path.split("/")
    return parts[at] if len(parts) >= -at else ""


def readable(said: object) -> bool:
    """False for a file that could not be read, or was half-written."""
    return not (isinstance(said, dict) and "!" in said)


def unseen(code: str, what: str) -> gaps.Unseen:
    """The row of files that could not be read."""
    return gaps.Unseen(code, what, gaps.READ_FILES, "half-written? ask again")


def unreadable(found: Iterable[tuple[str, object]], row: gaps.Unseen) -> Iterator[Gap]:
    """One gap for files that could not be read: how many, and why."""
    refused: dict[int, list[str]] = {}
    for path, said in found:
        if isinstance(said, dict) and "!" in said:
            refused.setdefault(number(said["!"]), []).append(path)
    for errno, refusing in refused.items():
        why = (NONSENSE(),) if errno in (0, MADE_NO_SENSE) else refusal(errno)
        where = refusing[0] if len(refusing) == 1 else f"{len(refusing)} files such as {refusing[0]}"
        yield row(gaps.Subject(where, (("count", len(refusing)), ("path", refusing[0]))), *why)


MADE_NO_SENSE = 74  # EBADMSG


def text(value: object) -> str:
    """A value of a foreign document as text; empty if it is none."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A value of a foreign document as a number, also if it is written as text; 0 if it is none."""
    if isinstance(value, str):
        return int(value) if value.isascii() and value.isdigit() and len(value) <= DIGITS else 0
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < HIGHEST else 0
