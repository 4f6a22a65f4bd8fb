"""The rules of the door, asked of the application itself: who is let in, and what every answer carries."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from nswire.web import http_server
from nswire.web import sessions as keys_room
from nswire.web.hostnames import ANY_ADDRESS, LOOPBACK
from nswire.web.http_server import application
from nswire.web.middleware import HEADERS, Guard
from nswire.web.sessions import ABSOLUTE, FIRST, IDLE, MOST, SESSIONS, Keys
from nswire.web.worker_client import WorkerClient

if TYPE_CHECKING:
    from starlette.types import Message

TOKEN = "a-token-that-somebody-chose"


class Door:
    """The application behind its guard, without a worker: what gets that far is answered 503."""

    def __init__(self, *, lasting: str = "", hosts: frozenset[str] = LOOPBACK) -> None:
        self.keys = Keys(lasting)
        self.opened = 0
        self.app = Guard(application(WorkerClient(), self.keys, self._count), self.keys, hosts)

    def _count(self) -> None:
        self.opened += 1

    def session(self) -> str:
        return f"{self.keys.cookie}={self.keys.open(self.keys.token)}"

    def ask(
        self,
        path: str = "/",
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        host: str = "127.0.0.1:80",
    ) -> tuple[int, dict[str, str], bytes]:
        path, _, query = path.partition("?")
        given = {"host": host, **(headers or {})}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
            "raw_path": path.encode(), "query_string": query.encode(), "scheme": "http", "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        }  # fmt: skip
        said: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            said.append(message)

        asyncio.run(self.app(scope, receive, send))
        got: dict[str, str] = {name.decode(): value.decode() for name, value in said[0]["headers"]}
        return said[0]["status"], got, b"".join(one.get("body", b"") for one in said[1:])


BEHIND = 503  # let in; nobody is there to answer


def test_without_a_session_nothing_is_told() -> None:
    door = Door()
    for path in ("/", "/page.js", "/api/v1/map", "/api/v1/events", "/api/v1/openapi.json", "/nowhere"):
        status, _, body = door.ask(path)
        assert status == 401
        assert json.loads(body)["schema"] == "nswire/error"
    assert door.ask("/", headers={"accept": "text/html"})[2].startswith(
        b"nswire: /: this browser has no session"
    )


def test_a_session_lets_in() -> None:
    door = Door()
    assert door.ask("/api/v1/map", headers={"cookie": f"other={{]; {door.session()}"})[0] == BEHIND
    assert door.ask("/api/v1/map", headers={"cookie": f"{door.keys.cookie}=x"})[0] == 401
    assert door.ask("/api/v1/map", headers={"cookie": f"{door.keys.cookie}="})[0] == 401


def test_a_token_opens_once_and_then_there_is_another() -> None:
    door = Door()
    token = door.keys.token
    status, headers, body = door.ask(f"/?token={token}")
    assert (status, door.opened) == (200, 1)
    assert headers["set-cookie"].lower().endswith("; httponly; path=/; samesite=strict")
    assert token.encode() not in body
    assert door.ask(f"/?token={token}")[0] == 401
    assert door.ask("/?token=")[0] == 401
    assert door.keys.token != token
    assert door.ask(f"/?token={door.keys.token}")[0] == 200
    # who is in already may follow the old URL again
    assert door.ask(f"/?token={token}", headers={"cookie": door.session()})[0] == 200


def test_a_token_of_ours_is_no_key_for_programs_and_a_chosen_one_is() -> None:
    door = Door()
    assert door.ask("/api/v1/map", headers={"authorization": f"Bearer {door.keys.token}"})[0] == 401
    door = Door(lasting=TOKEN)
    for value, status in (
        (f"Bearer {TOKEN}", BEHIND),
        (f"bearer {TOKEN}", BEHIND),
        ("Bearer ", 401),
        (f"Bearer {TOKEN}x", 401),
        (f"Basic {TOKEN}", 401),
        ("Bearer ÿ", 401),
    ):
        assert door.ask("/api/v1/map", headers={"authorization": value})[0] == status, value
    assert [door.ask(f"/?token={TOKEN}")[0] for _ in range(2)] == [200, 200]


def test_comparing_takes_the_same_time_whatever_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    """By hmac.compare_digest, and with every session that there is."""
    compared: list[tuple[Any, Any]] = []

    def digest(one: Any, other: Any) -> bool:
        compared.append((one, other))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys_room, "hmac", type("hmac", (), {"compare_digest": staticmethod(digest)}))
    keys = Keys(TOKEN)
    sessions = [keys.open(TOKEN) for _ in range(3)]
    compared.clear()
    assert keys.knows(sessions[0])
    assert not keys.knows("wrong")
    assert not keys.open("wrong")
    assert not keys.bears("Bearer wrong")
    assert len(compared) == 3 + 3 + 1 + 1


def test_sessions_are_bounded() -> None:
    keys = Keys(TOKEN)
    sessions = [keys.open(TOKEN) for _ in range(SESSIONS + 1)]
    assert [keys.knows(one) for one in sessions] == [False] + [True] * SESSIONS


def test_sessions_end() -> None:
    """When nobody uses them, and some day in any case; a page that is open uses its own."""
    now = [1000.0]
    keys = Keys(TOKEN, lambda: now[0])
    idle, used = keys.open(TOKEN), keys.open(TOKEN)
    begun = now[0]
    while now[0] - begun < ABSOLUTE - IDLE:
        now[0] += IDLE - 1
        assert keys.knows(used)
    assert not keys.knows(idle)
    now[0] = begun + ABSOLUTE - 1
    assert keys.knows(used)
    now[0] = begun + ABSOLUTE
    assert not keys.knows(used)


def test_a_stream_ends_with_its_session(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "ALIVE", 0.01)
    lasting = [True, True, False]

    async def heard() -> list[bytes]:
        return [one async for one in http_server.stream(WorkerClient(), lambda: lasting.pop(0))]

    said = asyncio.run(heard())
    assert said[-1].startswith(b"event: ended")  # without a worker, or by its session: told in any case


def test_wrong_tokens_cost_time_and_hanging_up_saves_none(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [1000.0]

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    slept: list[float] = []
    monkeypatch.setattr(keys_room, "asyncio", type("asyncio", (), {"sleep": staticmethod(sleep)}))
    keys = Keys(TOKEN, lambda: now[0])

    def turn(user: str) -> bool:
        return asyncio.run(keys.turn(user))

    for wait in (0.5, 1.0, 2.0, 4.0, 8.0, 8.0):
        assert turn("eve")
        keys.wrong("eve")
        assert turn("bob")
        assert turn("eve")
        assert slept.pop() == pytest.approx(wait)
        assert not slept
        now[0] += 100
    # Several at a time: each has its turn behind the other, and soon there is none.
    keys.wrong("eve")
    taken = 0
    while turn("eve"):
        taken += 1
    assert taken <= 2
    now[0] += 1000
    keys.wrong("eve")
    assert turn("eve")
    assert slept[-1] == pytest.approx(0.5)  # forgotten
    keys.right("eve")
    slept.clear()
    assert turn("eve")
    assert not slept
    for number in range(keys_room.USERS + 10):
        keys.wrong(f"{number}")
    assert len(keys._wrong) == keys_room.USERS


def test_after_wrong_tokens_the_next_has_to_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    door = Door(lasting=TOKEN)
    began = time.monotonic()
    assert door.ask("/api/v1/map", headers={"authorization": "Bearer wrong"})[0] == 401
    assert door.ask("/api/v1/map", headers={"authorization": f"Bearer {TOKEN}"})[0] == BEHIND
    assert time.monotonic() - began > FIRST * 0.9
    for _ in range(20):
        door.keys.wrong("")
    waited: list[float] = []

    async def at_once(seconds: float) -> None:
        waited.append(seconds)

    with monkeypatch.context() as patched:
        patched.setattr(asyncio, "sleep", at_once)
        assert asyncio.run(
            door.keys.turn("")
        )  # one waits its turn, and whoever comes meanwhile is not looked at
    assert [round(seconds) for seconds in waited] == [MOST]
    status, _, body = door.ask(f"/?token={TOKEN}")
    assert (status, json.loads(body)["reason"]) == (429, "there were wrong ones")
    session = {"cookie": door.session()}
    assert door.ask("/api/v1/map", headers=session)[0] == BEHIND  # a browser that is in is in


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT"])
def test_only_get(method: str) -> None:
    door = Door()
    status, headers, _ = door.ask("/", method=method, headers={"cookie": door.session()})
    assert (status, headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("host", "fine"),
    [
        ("127.0.0.1:8053", True), ("localhost", True), ("LOCALHOST:1", True), ("[::1]:9", True), ("[::1]", True),
        ("evil.example", False), ("evil.example:8053", False), ("127.0.0.1.evil.example", False), ("", False),
        ("localhost.evil.example:80", False), ("127.0.0.1@evil.example", False), ("192.0.2.1", False), (":80", False),
    ],
)  # fmt: skip
def test_the_host_has_to_be_ours(host: str, *, fine: bool) -> None:
    """A name of somebody else's that leads to this address is how a page from elsewhere would get in."""
    door = Door()
    assert (door.ask("/page.js", headers={"cookie": door.session()}, host=host)[0] != 403) is fine


@pytest.mark.parametrize(
    ("host", "fine"), [("192.0.2.1:80", True), ("[2001:db8::1]:80", True), ("evil.example", False)]
)
def test_beyond_loopback_any_address_is_a_host_and_no_name(host: str, *, fine: bool) -> None:
    door = Door(hosts=LOOPBACK | {ANY_ADDRESS})
    assert (door.ask("/page.js", headers={"cookie": door.session()}, host=host)[0] != 403) is fine


@pytest.mark.parametrize(
    ("headers", "fine"),
    [
        ({"origin": "http://127.0.0.1:80"}, True),
        ({"origin": "http://evil.example"}, False),
        ({"origin": "http://127.0.0.1:81"}, False),
        ({"origin": "https://127.0.0.1:80"}, False),
        ({"origin": "null"}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),
    ],
)
def test_no_other_page_asks_in_our_name(headers: dict[str, str], *, fine: bool) -> None:
    """Another port of this machine is another page, though its cookies are ours."""
    door = Door()
    status = door.ask("/api/v1/map", headers={"cookie": door.session(), **headers})[0]
    assert (status != 403) is fine


def test_the_printed_url_may_be_followed_from_anywhere() -> None:
    """From a terminal in a browser, say. Only by going there, not by a request of that page."""
    door = Door()
    away = {"sec-fetch-site": "cross-site"}
    assert door.ask(f"/?token={door.keys.token}", headers={**away, "sec-fetch-mode": "no-cors"})[0] == 403
    assert (
        door.ask(f"/api/v1/map?token={door.keys.token}", headers={**away, "sec-fetch-mode": "navigate"})[0]
        == 403
    )
    assert door.ask(f"/?token={door.keys.token}", headers={**away, "sec-fetch-mode": "navigate"})[0] == 200


def test_every_answer_carries_the_policy() -> None:
    door = Door()
    session = {"cookie": door.session()}
    asked = [
        door.ask("/"),
        door.ask("/", headers=session),
        door.ask("/x", headers=session),
        door.ask(method="PUT"),
    ]
    asked += [
        door.ask(host="evil"),
        door.ask(f"/?token={door.keys.token}"),
        door.ask("/api/v1/x", headers=session),
    ]
    for _, headers, _ in asked:
        assert {name: headers[name] for name in HEADERS} == HEADERS
    policy = HEADERS["content-security-policy"]
    assert "unsafe" not in policy
    for rule in ("default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"):
        assert rule in policy.split("; ")
    assert HEADERS["x-content-type-options"] == "nosniff"
    assert HEADERS["referrer-policy"] == "no-referrer"


def test_without_a_worker_it_says_so() -> None:
    door = Door()
    status, _, body = door.ask("/api/v1/map", headers={"cookie": door.session()})
    assert status == 503
    assert json.loads(body) == {
        "schema": "nswire/error", "version": 1, "subject": "this machine", "matches": [],
        "reason": "the reading part of nswire has ended", "hint": "start nswire serve again",
    }  # fmt: skip
