"""No user shuts out another: who is at the other end of a connection, and which connections have to go."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_serve import BLOG, another_user

from nswire.host import sockdiag
from nswire.host.sockdiag import SockDiag
from nswire.lab.lab import wait_until
from nswire.web import connections, whose

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Served

__all__ = ["another_user"]  # a fixture


@contextmanager
def held_by(uid: int, address: tuple[str, int], family: int, count: int) -> Iterator[Callable[[], int]]:
    """So many connections of another user, which say nothing; tells how many of them are still open."""
    ask, asked = os.pipe()
    told, tell = os.pipe()
    pid = os.fork()
    if not pid:
        try:
            os.close(asked)
            os.close(told)
            os.setresuid(uid, uid, uid)
            held = []
            for _ in range(count):
                held.append(socket.socket(family))
                held[-1].connect(address)
                held[-1].settimeout(0)
            os.write(tell, b"%8d" % count)
            while os.read(ask, 1):
                left = 0
                for one in held:
                    try:
                        left += bool(one.recv(1))
                    except BlockingIOError:
                        left += 1
                    except OSError:
                        continue
                os.write(tell, b"%8d" % left)
        finally:
            os._exit(0)
    os.close(ask)
    os.close(tell)

    def still() -> int:
        os.write(asked, b"?")
        return int(os.read(told, 8))

    try:
        assert int(os.read(told, 8)) == count
        yield still
    finally:
        os.close(asked)
        os.close(told)
        os.waitpid(pid, 0)


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_the_kernel_says_whose_a_connection_is(another_user: int, family: int, address: str) -> None:
    diag = SockDiag()
    with socket.create_server((address, 0), family=family) as server:
        here = server.getsockname()[:2]
        with held_by(another_user, here, family, 1):
            sock, there = server.accept()
            with sock:
                assert diag.owner(family, there[:2], here) == another_user
                assert diag.owner(family, here, there[:2]) == os.getuid()
                assert diag.owner(family, (address, 1), here) is None  # nobody
                assert (
                    diag.owner(family, here, (address, 1)) is None
                )  # one that listens is no end of a connection
        # It hangs up first, and what the kernel still knows of it belongs to nobody.
        assert diag.owner(family, there[:2], here) is None
    diag.close()


def test_an_answer_about_something_else_is_none() -> None:
    which = sockdiag.WHICH.pack(1, 2, bytes(16), bytes(16))
    said = bytearray(sockdiag.ANSWER.pack(2, 1, 0, 0, 0, 0, 0, 77, 5))
    said[4 : 4 + len(which)] = which
    assert SockDiag._read(20, bytes(said), which) == 77
    assert SockDiag._read(20, bytes(said), which[::-1]) is None
    assert SockDiag._read(20, bytes(said[:60]), which) is None
    said[1] = 6  # TIME_WAIT
    assert SockDiag._read(20, bytes(said), which) is None
    with pytest.raises(OSError, match="does not say whose"):
        SockDiag._read(2, (-95).to_bytes(4, "little", signed=True), which)


@given(st.ip_addresses(), st.ip_addresses(), st.integers(0, 65535), st.integers(0, 65535))
def test_a_question_arrives_as_it_was_asked(here: Any, there: Any, port: int, other: int) -> None:
    asked = whose.QUESTION.unpack(whose.question(7, (str(here), port), (str(there), other)))
    plain = [getattr(one, "ipv4_mapped", None) or one for one in (here, there)]
    assert asked[:3] == (7, port, other)
    assert [whose._unpacked(one) for one in asked[3:]] == [str(one) for one in plain]


def test_questions_are_answered_in_pieces_and_errors_are_nobody() -> None:
    def owner(_family: int, here: tuple[str, int], _there: tuple[str, int]) -> int | None:
        if here[1] == 3:
            raise OSError
        return {1: 0, 2: 4_000_000_000}.get(here[1])

    ours, theirs = socket.socketpair()
    with ours, theirs:
        answering = whose.Answering(theirs, owner, (socket.AF_INET, socket.AF_INET6))
        asked = b"".join(whose.question(port, ("127.0.0.1", port), ("127.0.0.1", 80)) for port in range(1, 5))
        for at in range(0, len(asked), 7):
            ours.sendall(asked[at : at + 7])
        said = b""
        while len(said) < 4 * whose.ANSWER.size:
            said += ours.recv(4096)
        assert list(whose.ANSWER.iter_unpack(said)) == [(1, 0), (2, 4_000_000_000), (3, -1), (4, -1)]
        ours.shutdown(socket.SHUT_WR)
        answering.join()
    assert threading.active_count() == 1


class One:
    """A connection, as far as it matters who has too many."""

    def __init__(self, user: str) -> None:
        self.user = user


@given(st.lists(st.sampled_from("abc" * 1 + "a" * 9), max_size=120))
def test_whoever_has_most_loses_the_oldest(users: list[str]) -> None:
    each, strangers = connections.EACH, connections.STRANGERS
    connections.EACH, connections.STRANGERS = 8, 12
    try:
        ones = [One(user) for user in users]
        gone: list[Any] = list(connections.surplus((one.user, one) for one in ones))  # type: ignore[misc]
    finally:
        connections.EACH, connections.STRANGERS = each, strangers
    left = [one for one in ones if one not in gone]
    counts = {user: sum(one.user == user for one in left) for user in "abc"}
    assert len(left) <= 12
    assert max(counts.values(), default=0) <= 8
    for user in "abc":
        mine = [one for one in ones if one.user == user]
        assert [one for one in mine if one in gone] == mine[: len(mine) - counts[user]]
        if len(mine) > counts[user]:  # who lost one has as many as anybody
            assert counts[user] >= min(8, max(counts.values()) - 1)


@pytest.mark.parametrize("unix", [False, True])
def test_a_thousand_idle_connections_of_somebody_else(
    another_user: int, serve: Callable[..., Served], *, unix: bool
) -> None:
    """The page answers, a browser that comes gets in, and they are told to go."""
    path = "/run/page.sock"
    served = serve(
        "--from", BLOG, "--token", "a-token-that-somebody-chose", *(("--unix", path) if unix else ())
    )
    if unix:
        os.chmod(path, 0o666)  # so that he gets that far
    address: Any = path if unix else ("127.0.0.1", served.port)
    family = socket.AF_UNIX if unix else socket.AF_INET
    with ExitStack() as mine:

        def asked() -> float:
            began = time.monotonic()
            sock = mine.enter_context(socket.socket(family))
            sock.settimeout(30)
            sock.connect(address)
            sock.sendall(
                b"GET /api/v1/map HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer a-token-that-somebody-chose\r\n\r\n"
            )
            assert sock.recv(12) == b"HTTP/1.1 200"
            return time.monotonic() - began

        asked()  # reads the recording
        with held_by(another_user, address, family, 1000) as still:
            took = sorted(asked() for _ in range(5))
            assert took[2] < 0.5, took  # not the slowest: other tests may be running
            wait_until(lambda: still() <= connections.EACH, what="that they are told to go")


@pytest.mark.slow
def test_who_sends_no_head_is_not_waited_for(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a stranger nor somebody who is in: byte after byte is no head."""
    del monkeypatch
    served = serve("--from", BLOG).enter()
    limit = connections.HEAD
    with (
        socket.create_connection(("127.0.0.1", served.port)) as slow,
        served.asked("/page.css") as (answer, known),
    ):
        assert answer.read()
        assert known.sock is not None
        known.sock.sendall(b"GET /page.css HTTP/1.1\r\n")
        slow.sendall(b"GET / HTTP/1.1\r\n")
        began = time.monotonic()
        while True:
            try:
                slow.sendall(b"a: b\r\n")
                known.sock.sendall(b"a: b\r\n")
            except OSError:
                break
            time.sleep(0.2)
            assert time.monotonic() - began < limit + 10
        assert time.monotonic() - began > limit - 2
    assert served.get("/page.css").status == 200
