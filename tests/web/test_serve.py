"""`nswire serve` as a program: whose rights its two processes have, how it ends, where it listens and where not."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import signal
import socket
import stat
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nswire.lab.lab import wait_until
from nswire.web.privileges import is_mapped

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Served

    from nswire.lab.lab import Lab

BLOG = str(Path(__file__).parents[1] / "draw" / "golden" / "blog.nswire")
SERVE = [sys.executable, "-m", "nswire", "serve"]
TOKEN = "a-token-that-somebody-chose"


def status_of(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, value in (line.split(":", 1) for line in lines)}


@pytest.fixture
def another_user(private_host: None, monkeypatch: pytest.MonkeyPatch) -> int:
    """As if sudo had been called by somebody."""
    del private_host
    if not is_mapped("uid", 12345):
        pytest.skip("a user namespace with a single user: run it as root")
    monkeypatch.setenv("SUDO_UID", "12345")
    monkeypatch.setenv("SUDO_GID", "12345")
    return 12345


def refused(*arguments: str, **environment: str) -> str:
    """What it says when it does not even begin."""
    done = subprocess.run(
        [*SERVE, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, **environment},
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr
    return done.stderr


# -- rights ------------------------------------------------------------------------------------------------------


def test_what_speaks_http_has_no_rights(lab: Lab, serve: Callable[..., Served]) -> None:
    """And never will: no capabilities to be had, no groups, no other user to become, no program that could help."""
    served = serve()
    front = status_of(served.front)
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(front[name], 16) == 0, name
    assert front["NoNewPrivs"] == "1"
    assert front["Groups"] == ""
    nobody = pwd.getpwnam("nobody")
    if is_mapped("uid", nobody.pw_uid):
        assert front["Uid"].split() == [str(nobody.pw_uid)] * 4
        assert front["Gid"].split() == [str(nobody.pw_gid)] * 4
    else:
        assert "this user namespace has no other user" in served.said()
    limits = Path(f"/proc/{served.front}/limits").read_text()
    processes = next(line for line in limits.splitlines() if line.startswith("Max processes"))
    assert processes.split()[2:4] == ["0", "0"]
    assert int(status_of(served.process.pid)["CapEff"], 16) != 0
    assert status_of(served.process.pid)["NoNewPrivs"] == "1"
    del lab


def test_what_speaks_http_has_nothing_open_but_its_sockets(serve: Callable[..., Served]) -> None:
    """Not the recording, not the other end of the conversation."""
    served = serve("--from", BLOG)
    open_files = [
        os.readlink(f"/proc/{served.front}/fd/{fd}") for fd in os.listdir(f"/proc/{served.front}/fd")
    ]
    assert not [one for one in open_files if one.endswith("blog.nswire")]
    kinds = sorted(one.partition(":")[0] for one in open_files)
    # terminal and the like; epoll; listening, worker, whose connections are, asyncio's pair to itself
    assert kinds == [*["/dev/null"] * 3, "anon_inode", *["socket"] * 5]


def test_the_worker_still_sees_all(lab: Lab, serve: Callable[..., Served]) -> None:
    web = lab.namespace("named", "web")
    lab.pair(lab.home, "vethweb", web, "eth0")
    got = serve().enter().get("/api/v1/peer?handle=vethweb")
    (result,) = json.loads(got.text)["results"]
    assert result["peer"]["netns"]["label"] == "web"
    assert result["evidence"] == "proved"


# -- ends --------------------------------------------------------------------------------------------------------


def test_when_the_worker_dies_everybody_is_told(serve: Callable[..., Served]) -> None:
    served = serve("--from", BLOG, status=-signal.SIGKILL).enter()
    front = served.front
    with served.events() as event:
        assert event()[0] == "state"
        served.process.kill()
        name, why = event()
        assert (name, why) == ("ended", "the reading part of nswire has ended; start nswire serve again")
    wait_until(lambda: not Path(f"/proc/{front}").exists(), what="the end of the HTTP part")


def test_when_the_http_part_dies_it_says_so_and_fails(serve: Callable[..., Served]) -> None:
    served = serve("--from", BLOG, status=2)
    os.kill(served.front, signal.SIGKILL)
    assert served.process.wait(30) == 2
    assert "nswire serve: the HTTP part ended with status -9" in served.said()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_it_ends_when_it_is_told_to_and_tells_the_pages(serve: Callable[..., Served], number: int) -> None:
    served = serve("--from", BLOG).enter()
    front = served.front
    with served.events() as event:
        assert event()[0] == "state"
        served.process.send_signal(number)
        assert event() == ("ended", "nswire serve was ended")
    assert served.process.wait(30) == 0
    assert not Path(f"/proc/{front}").exists()


def test_what_is_no_request_is_survived() -> None:
    """Whoever has taken over the HTTP part can ask, and nothing else; what it says besides is answered with that."""
    from nswire.web import ipc

    fine = ipc.frame(9, ipc.Request("page", [("a", "b")]))
    ours, theirs = socket.socketpair()
    with ours, theirs:
        for head, body, content in (
            (2, 0, b"{}"), (3, 0, b'"\xff"'), (0, 1, b"x"), (ipc.LONGEST + 1, 7, bytes(ipc.LONGEST + 8)),
            (40000, 0, b"[" * 40000),
        ):  # fmt: skip
            theirs.sendall(ipc.HEAD.pack(7, head, body) + content + fine)
            with pytest.raises(ipc.Broken) as broken:
                ipc.request(ours)
            assert broken.value.number == 7
            assert ipc.request(ours) == (9, ipc.Request("page", [("a", "b")]))
        theirs.sendall(ipc.HEAD.pack(7, 1 << 31, 0) + b"and no more")
        theirs.close()
        assert ipc.request(ours) is None


def test_what_is_too_long_is_told_and_survived(serve: Callable[..., Served]) -> None:
    """15 000 parameters are 45 kB of an address and 120 kB of JSON."""
    served = serve("--from", BLOG).enter()
    for path in ("/api/v1/map?" + "a=&" * 15000, "/?" + "a=&" * 15000, "/api/v1/" + "%01" * 12000):
        got = served.get(path)
        assert (got.status, json.loads(got.text)["reason"]) == (414, "it is too long")
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", served.port)) as sock:
        sock.sendall(b"GET /?" + b"a" * (1 << 18))  # longer than any head may be
        sock.recv(1)
    assert served.get("/api/v1/map").status == 200


def test_what_is_no_answer_of_its_is_none(serve: Callable[..., Served]) -> None:
    served = serve("--from", BLOG).enter()
    for name in ("page", "watch", "..%2Fpage", "__class__"):
        assert served.get(f"/api/v1/{name}").status == 404


# -- places ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments",
    [
        ["--listen", "0.0.0.0"],
        ["--listen", "::"],
        ["--listen", "192.0.2.1"],
        ["--listen", "0.0.0.0", "--beyond-loopback"],
        ["--listen", "0.0.0.0", "--token", TOKEN],
    ],
)
def test_other_machines_are_refused_unless_it_is_meant_twice(arguments: list[str]) -> None:
    assert "other machines could reach the page there" in refused("--from", BLOG, *arguments)


def test_it_listens_beyond_loopback_when_it_is_meant(serve: Callable[..., Served], tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    served = serve("--from", BLOG, "--listen", "0.0.0.0", "--beyond-loopback", "--token-file", str(file))
    assert TOKEN not in served.url + served.said()  # a service's output is kept in journals
    assert served.get(f"/?token={TOKEN}").status == 200
    assert served.get("/api/v1/peer", Authorization=f"Bearer {TOKEN}").status == 200
    assert served.get("/api/v1/peer", Authorization=f"Bearer {TOKEN}", Host="evil.example").status == 403
    assert served.get("/api/v1/peer").status == 401


def test_it_listens_on_this_machine_alone(serve: Callable[..., Served]) -> None:
    port = serve("--from", BLOG).port
    listening = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    assert [row[1] for row in listening if row[1].endswith(f":{port:04X}") and row[3] == "0A"] == [
        f"0100007F:{port:04X}"
    ]


@pytest.mark.parametrize(
    "token", ["short", "x" * 15, "with a blank in it and long", "mit-Umlaut-äöü-und-lang"]
)
def test_a_token_that_could_be_guessed_is_refused(token: str) -> None:
    assert "a token has 16 characters at least" in refused("--from", BLOG, NSWIRE_TOKEN=token)


def test_a_unix_socket_for_its_owner_alone(serve: Callable[..., Served], tmp_path: Path) -> None:
    path = str(tmp_path / "page.sock")
    served = serve("--from", BLOG, "--unix", path, "--token", TOKEN)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
        sock.sendall(
            f"GET /api/v1/peer HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
        )
        assert sock.recv(12) == b"HTTP/1.1 200"
    assert "cannot" not in served.said()
    served.end()
    assert not os.path.exists(path)


def test_a_unix_socket_that_was_left_is_replaced_and_nothing_else(
    serve: Callable[..., Served], tmp_path: Path
) -> None:
    left, file, used = (str(tmp_path / name) for name in ("left", "file", "used"))
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(left)
    Path(file).write_text("precious")
    serve("--from", BLOG, "--unix", left)
    assert "Address already in use" in refused("--from", BLOG, "--unix", file)
    assert Path(file).read_text() == "precious"
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(used)
        sock.listen()
        assert "Address already in use" in refused("--from", BLOG, "--unix", used)


@pytest.mark.usefixtures("another_user")
def test_a_unix_socket_is_made_with_the_rights_of_who_asked(tmp_path: Path) -> None:
    """By sudo one does not get a socket into a folder that one may not write to."""
    assert "Permission denied" in refused("--from", BLOG, "--unix", str(tmp_path / "page.sock"))


def test_and_belongs_to_him(another_user: int, serve: Callable[..., Served]) -> None:
    folder = Path("/run/served")
    folder.mkdir()
    os.chown(folder, another_user, another_user)
    served = serve("--from", BLOG, "--unix", str(folder / "page.sock"))
    made = (folder / "page.sock").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (another_user, another_user, 0o600)
    served.end()
    folder.rmdir()  # empty again


def test_errors_are_told_as_everywhere(tmp_path: Path) -> None:
    assert refused("--listen", "nowhere").startswith("nswire serve: nowhere: that is no address\n")
    assert "No such file" in refused("--from", str(tmp_path / "missing"))
    assert "No such file" in refused("--token-file", str(tmp_path / "missing"))
    assert "choose one" in refused("--unix", "x", "--port", "1")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "Address already in use" in refused("--from", BLOG, "--port", str(taken.getsockname()[1]))


def test_without_the_extra_it_says_what_is_missing() -> None:
    code = (
        "import sys; sys.modules['uvicorn'] = None\n"
        "import importlib.util as util; find = util.find_spec\n"
        "util.find_spec = lambda name, *more: None if name == 'uvicorn' else find(name, *more)\n"
        "from nswire.cli.entry import main; main(['serve'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "nswire serve: the page: uvicorn cannot be imported\n  pip install 'nswire[web]'\n"
    )


def test_a_browser_that_goes_in_the_middle_does_no_harm(serve: Callable[..., Served]) -> None:
    """`| head` ends any other verb by SIGPIPE; here it would end the page for everybody."""
    served = serve("--from", BLOG).enter()
    for _ in range(5):
        with served.events() as event:
            event()
        with socket.create_connection(("127.0.0.1", served.port)) as sock:
            sock.sendall(
                f"GET /api/v1/map HTTP/1.1\r\nHost: localhost\r\nCookie: {served.cookie}\r\n\r\n".encode()
            )
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # gone by RST
    assert served.get("/api/v1/map").status == 200


def test_the_extra_is_locked_with_what_is_tested() -> None:
    """By hashes, like everything else that is installed from a checkout."""
    folder = Path(__file__).parents[2] / "requirements"
    pins = {
        name: {
            line.split("==")[0]: line.split()[0]
            for line in (folder / f"{name}.txt").read_text().splitlines()
            if line[:1].isalnum()
        }
        for name in ("run", "web", "dev")
    }
    assert {"starlette", "uvicorn", "h11", "anyio"} <= set(pins["web"])
    assert pins["run"].items() <= pins["web"].items() <= pins["dev"].items()
    text = (folder / "web.txt").read_text()
    assert text.count("--hash=sha256:") >= len(pins["web"])
