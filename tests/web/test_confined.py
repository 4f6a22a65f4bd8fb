"""What the process that speaks HTTP may do: nothing but speak. Each thing is tried in the very process, not read off."""

from __future__ import annotations

import errno
import json
import os
import platform
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_serve import BLOG, status_of

from nswire.web import ipc, seccomp

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Served

    from nswire.lab.lab import Lab

TOKEN = "a-token-that-somebody-chose"
# The front as `serve` starts it, with one more route, on which each attempt is made. `whose` and `worker` are held by the test.
FRONT = """
import ctypes, json, mmap, os, signal, socket, sys
sys.path[:] = json.loads(sys.argv.pop(1))
from starlette.responses import JSONResponse
from starlette.routing import Route
from nswire.web import http_server as front

libc = ctypes.CDLL(None, use_errno=True)
held = int(sys.argv.pop(1))
other = socket.socket(fileno=held)

def called(*arguments):
    if libc.syscall(*arguments) == -1:
        raise OSError(ctypes.get_errno(), "")

ATTEMPTS = {
    "open": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "create": lambda: os.open("/tmp/nswire-was-here", os.O_CREAT | os.O_WRONLY),
    "list": lambda: os.listdir("/"),
    "stat": lambda: os.stat("/etc/passwd"),
    "socket": lambda: socket.socket(socket.AF_INET),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "netlink": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "connect": lambda: other.connect(("127.0.0.1", 9)),
    "bind": lambda: other.bind(("127.0.0.1", 0)),
    "execve": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "kill": lambda: os.kill(os.getppid(), 0),
    "ptrace": lambda: called(101 if os.uname().machine == "x86_64" else 117, 16, os.getppid(), 0, 0),
    "prctl": lambda: called(157 if os.uname().machine == "x86_64" else 167, 4, 1, 0, 0, 0),
    "code": lambda: mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC),
    "setns": lambda: called(308 if os.uname().machine == "x86_64" else 268, held, 0),
    "another number": lambda: called(0x3fffffff),
}

async def attempts(request):
    said = {}
    for name, attempt in ATTEMPTS.items():
        try:
            attempt()
            said[name] = "done"
        except OSError as error:
            said[name] = error.errno
    return JSONResponse(said)

make = front.application
def application(*given):
    made = make(*given)
    made.routes.insert(0, Route("/attempts", attempts))
    return made
front.application = application
front.main()
"""


def attempts() -> dict[str, Any]:
    """What came of each attempt."""
    pairs = [socket.socketpair() for _ in range(2)]
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as held:
        given = [held, listening, pairs[0][1], pairs[1][1]]
        front = subprocess.Popen(
            [sys.executable, "-c", FRONT, json.dumps(sys.path), *(str(one.fileno()) for one in given)],
            pass_fds=[one.fileno() for one in given],
        )
        ours = pairs[0][0]
        for pair in pairs:
            pair[1].close()  # so that a front which ends is told by the end of what it says
        try:
            begin = json.dumps({"token": TOKEN, "hosts": ["127.0.0.1"]}).encode()
            ours.sendall(ipc.frame(0, ipc.Reply(200, "begin"), begin))
            while (asked := ipc.request(ours)) is not None and asked[1].ask != "invite":
                assert asked[1].ask == "say", asked
            with socket.create_connection(listening.getsockname()) as client:
                client.sendall(
                    f"GET /attempts HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {TOKEN}\r\n\r\n".encode()
                )
                client.settimeout(30)
                said = b""
                while b"}" not in said:
                    said += client.recv(65536)
            made: dict[str, Any] = json.loads(said[said.index(b"\r\n\r\n") :])
            return made
        finally:
            front.terminate()
            for pair in pairs:
                for one in pair:
                    one.close()
            front.wait(30)


@pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no filter for this machine")
def test_all_that_it_tries_is_refused() -> None:
    said = attempts()
    assert "execve" in said
    assert {name: what for name, what in said.items() if what != errno.EPERM} == {}
    assert not Path("/tmp/nswire-was-here").exists()


def test_it_has_no_terminal_no_environment_and_no_network(
    serve: Callable[..., Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NSWIRE_TOKEN", TOKEN)
    monkeypatch.setenv("SECRET", "of-somebody")
    served = serve("--from", BLOG)
    front, proc = served.front, Path(f"/proc/{served.front}")
    # What else it has of the environment Python makes itself (LC_CTYPE, by PEP 538).
    assert (proc / "environ").read_bytes() == b""
    assert TOKEN not in (proc / "cmdline").read_text()
    assert (proc / "cwd").readlink() == Path("/")
    assert os.getsid(front) == front != os.getsid(served.process.pid)
    stat = (proc / "stat").read_text().rpartition(")")[2].split()
    assert stat[4] == "0", "a terminal"
    assert (proc / "ns/net").readlink() != Path(f"/proc/{served.process.pid}/ns/net").readlink()
    status = status_of(front)
    if platform.machine() in seccomp.MACHINES:
        assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert (
        served.said() == "nswire serve: open the URL with ?token= and your token behind it; Ctrl-C ends it\n"
    )
    assert served.get("/api/v1/peer", Authorization=f"Bearer {TOKEN}").status == 200


def test_its_namespace_is_no_part_of_what_is_shown(lab: Lab, serve: Callable[..., Served]) -> None:
    """Not even where everything is looked for, who holds it included."""
    lab.namespace("named", "web")
    served = serve().enter()
    inode = os.stat(f"/proc/{served.front}/ns/net").st_ino
    for path in ("/api/v1/netns", "/api/v1/map"):
        got = served.get(path)
        assert got.status == 200
        assert '"web"' in got.text
        assert str(inode) not in got.text
    assert served.get(f"/api/v1/find?q=net:[{inode}]").text.count('"kind"') == 0


def test_an_unknown_machine_is_told() -> None:
    assert seccomp.confine("riscv64") == "no system call filter: its numbers for riscv64 are not known"


def run(machine: str, data: bytes) -> int:
    """The filter, run over struct seccomp_data as the kernel does it."""
    made, at, held = seccomp.program(machine), 0, 0
    while True:
        code, yes, no, value = made[at]
        if code == seccomp.RETURN:
            return value
        if code == seccomp.LOAD:
            (held,) = struct.unpack_from("<I", data, value)
            at += 1
            continue
        true = {
            seccomp.EQUAL: held == value,
            seccomp.ABOVE: held >= value,
            seccomp.ANY_OF: bool(held & value),
        }[code]
        at += 1 + (yes if true else no)


@pytest.mark.parametrize("machine", seccomp.MACHINES)
@given(number=st.integers(0, 600) | st.integers(0, 2**32 - 1), words=st.lists(st.integers(0, 8) | st.integers(0, 2**64 - 1), min_size=6, max_size=6))  # fmt: skip
def test_the_filter_does_what_its_table_says(machine: str, number: int, words: list[int]) -> None:
    arch, column = seccomp.MACHINES[machine]
    data = struct.pack("<IIQ6Q", number, arch, 0, *words)
    rows = [row for row in seccomp.CALLS.values() if row[column] == number]
    fine = bool(rows) and all(
        not words[one.argument] & one.never if one.never else words[one.argument] & 0xFFFFFFFF in one.values
        for one in rows[0][2]
    )
    assert run(machine, data) == (seccomp.ALLOW if fine else seccomp.REFUSE)
    assert run(machine, struct.pack("<IIQ6Q", number, arch ^ 1, 0, *words)) == seccomp.KILL


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_fits_and_ends(machine: str) -> None:
    made = seccomp.program(machine)
    assert len(made) < 4096  # BPF_MAXINSNS
    assert all(
        at + 1 + max(yes, no) < len(made) and max(yes, no) < 256
        for at, (_, yes, no, _) in enumerate(made[:-1])
    )


@pytest.mark.skipif(platform.machine() not in seccomp.MACHINES, reason="no filter for this machine")
def test_the_numbers_are_those_of_this_machine() -> None:
    """Compared with the headers, where they are installed."""
    headers = [
        Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        Path("/usr/include/asm-generic/unistd.h"),
    ]
    names = {name: row[seccomp.MACHINES[platform.machine()][1]] for name, row in seccomp.CALLS.items()}
    header = headers[platform.machine() == "aarch64"]
    if not header.exists():
        pytest.skip(f"{header} is not installed")
    said = {
        line.split()[1].removeprefix("__NR_").removeprefix("__NR3264_"): line.split()[2]
        for line in header.read_text().splitlines()
        if line.startswith("#define __NR") and len(line.split()) > 2
    }
    for name, number in names.items():
        assert number is None or int(said[name]) == number, name
