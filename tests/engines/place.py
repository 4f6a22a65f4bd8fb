"""A place for engines: the private host, with /etc, /var, /opt and /dev/shm of its own, so that engines find their default
paths, and the machine none of what they write there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
from glob import glob
from pathlib import Path
from typing import TYPE_CHECKING, Self

from nswire.lab.lab import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

IMAGE = "localhost/nsw-busybox:latest"
SECRET = "correct-horse-battery-staple"  # given to each engine in environments and such; never to be found in a recording
APPLETS = "sh ip sleep ping cat ls nc".split()
OVERLAYS = (
    "etc",
    "var",
)  # a file system on which an engine cannot put another overlay, so its data lie in `folder`
KEYS = "/proc/sys/kernel/keys"  # dockerd raises two limits there, for the whole machine
PYTHON = "/usr/bin/python3"  # Debian's, whose packages these are
SLOWER = max(1.0, float(os.environ.get("NSWIRE_PATIENCE", "0.3")) / 0.3)  # how many times slower a guest is
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"


class Place:
    """A context manager: furnished when entered, empty and as it was when left."""

    def __init__(self, cgroups: Iterable[str] = ()) -> None:
        """`cgroups` are the names of the control groups that an engine makes, and leaves behind, at the top."""
        self.folder = Path(tempfile.mkdtemp(prefix="nswire-engine-"))
        self._cgroups = tuple(cgroups)
        self._ending = contextlib.ExitStack()
        self._ending.callback(shutil.rmtree, self.folder)
        self._mounts = frozenset(_mounts())
        self._ending.callback(self._unmount)
        self.environment = {
            "PATH": PATH,
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "TMPDIR": str(self.folder),
        }

    def __enter__(self) -> Self:
        """Mount and make what an engine needs."""
        self._ending.callback(self._forget_cgroups, frozenset(self._folders_of_cgroups()))
        self._keep_limits()
        for name in OVERLAYS:
            upper, work = (Path(f"/run/overlay/{name}.{part}") for part in ("upper", "work"))
            for folder in (upper, work):
                folder.mkdir(parents=True, exist_ok=True)
            options = f"lowerdir=/{name},upperdir={upper},workdir={work}"
            self.mount("-t", "overlay", "overlay", "-o", options, f"/{name}")
        for point in ("/opt", "/dev/shm"):
            self.mount("-t", "tmpfs", "-o", "mode=1777", "tmpfs", point)
        # an unresolvable host name costs 25 seconds of waiting for DNS in some daemons
        Path("/etc/hosts").write_text(f"127.0.0.1 localhost {os.uname().nodename}\n::1 localhost\n")
        Path("/etc/resolv.conf").unlink(missing_ok=True)
        Path("/etc/resolv.conf").touch()
        self.run("ip", "link", "add", "ext0", "type", "veth", "peer", "name", "extpeer")
        self._ending.callback(self.run, "ip", "link", "del", "ext0")
        for name in ("ext0", "extpeer"):
            self.run("ip", "link", "set", name, "up")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Undo it, the last first."""
        self._ending.close()

    def undo(self, action: Callable[[], object]) -> None:
        """Do this when the place is left."""
        self._ending.callback(action)

    # -- programs ------------------------------------------------------------------------------------------------

    def run(self, *words: str, check: bool = True, stdin: str | None = None, **environment: str) -> str:
        """What a program prints. It gets a minute, on a machine."""
        done = subprocess.run(
            words,
            env=self.environment | environment,
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=60 * SLOWER,
        )
        assert not check or not done.returncode, f"{' '.join(words)}: {done.stderr.strip()[-800:]}"
        return done.stdout

    def daemon(self, *words: str, until: Callable[[], bool], **environment: str) -> subprocess.Popen[bytes]:
        """A program that goes on, in a session of its own; it is ended when the place is left."""
        log = self.folder / f"{os.path.basename(words[0])}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                words,
                env=self.environment | environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._ending.callback(end, process)

        def ready() -> bool:
            assert process.poll() is None, f"{words[0]} ended: {log.read_text(errors='replace')[-800:]}"
            return until()

        try:
            wait_until(ready, 30 * SLOWER, f"{words[0]} is there")
        except TimeoutError:
            raise AssertionError(log.read_text(errors="replace")[-2000:]) from None
        return process

    def answers(self, *words: str, **environment: str) -> Callable[[], bool]:
        """A condition: that command succeeds."""
        return lambda: (
            not subprocess.run(
                words, env=self.environment | environment, capture_output=True, check=False
            ).returncode
        )

    # -- what engines need -----------------------------------------------------------------------------------------

    def mount(self, *words: str) -> None:
        """Mount something at the last of these words; unmounted, with all on top of it, when the place is left."""
        self.run("mount", *words)
        self._ending.callback(self.run, "umount", "-R", "-l", words[-1])

    def root(self) -> Path:
        """A root file system of one static binary."""
        root = self.folder / "root"
        if not root.exists():
            for name in "bin sbin etc proc sys tmp dev usr root run var".split():
                (root / name).mkdir(parents=True)
            shutil.copy("/bin/busybox", root / "bin")
            for name in APPLETS:
                (root / "bin" / name).symlink_to("busybox")
            (root / "etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
            (root / "etc/os-release").touch()
        return root

    def image(self) -> Path:
        """An archive that `docker load`, `podman load` and `ctr images import` all take; no registry needed."""
        archive = self.folder / "image.tar"
        if not archive.exists():
            layer, config, manifest = (
                self.folder / name for name in ("layer.tar", "config.json", "manifest.json")
            )
            with tarfile.open(layer, "w") as tar:
                tar.add(self.root(), ".", filter=_owned_by_root)
            digest = hashlib.sha256(layer.read_bytes()).hexdigest()
            rootfs = {"type": "layers", "diff_ids": [f"sha256:{digest}"]}
            command = {"Cmd": ["/bin/sleep", "infinity"]}
            config.write_text(
                json.dumps({"architecture": "amd64", "os": "linux", "config": command, "rootfs": rootfs})
            )
            manifest.write_text(
                json.dumps([{"Config": config.name, "RepoTags": [IMAGE], "Layers": [layer.name]}])
            )
            with tarfile.open(archive, "w") as tar:
                for file in (manifest, config, layer):
                    tar.add(file, file.name)
        return archive

    def _unmount(self) -> None:
        """What an engine mounted, and had no time to unmount: the last first."""
        for point in reversed(_mounts()):
            if point not in self._mounts:
                self.run("umount", "-l", point, check=False)

    # -- the machine's own ---------------------------------------------------------------------------------------

    def _keep_limits(self) -> None:
        for name in ("root_maxkeys", "root_maxbytes"):
            with contextlib.suppress(OSError):
                before = Path(KEYS, name).read_text()
                self._ending.callback(Path(KEYS, name).write_text, before)

    def _folders_of_cgroups(self) -> list[str]:
        """Those that engines make, the inner ones first."""
        hierarchies = ["/sys/fs/cgroup", *(f"/sys/fs/cgroup/{name}" for name in os.listdir("/sys/fs/cgroup"))]
        tops = [
            top
            for hierarchy in hierarchies
            for name in self._cgroups
            for top in (*glob(f"{hierarchy}/{name}"), *glob(f"{hierarchy}/{name}-[0-9]*"))  # the next of LXC
        ]
        return [
            folder
            for top in tops
            if not os.path.islink(os.path.dirname(top))
            for folder, _, _ in os.walk(top, topdown=False)
        ]

    def _forget_cgroups(self, before: frozenset[str]) -> None:
        """Control groups are the machine's, and engines leave theirs; not those of an engine that the machine has itself."""
        for folder in self._folders_of_cgroups():
            if folder not in before:
                with contextlib.suppress(OSError):
                    os.rmdir(folder)


def _mounts() -> list[str]:
    return [line.split(" ")[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _owned_by_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = "root"
    return member


def end(process: subprocess.Popen[bytes]) -> None:
    """End a daemon: asked first, also one that is stopped."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def kill(pids: Iterable[int]) -> None:
    """End processes at once, which need not be ours, and wait until they are gone."""
    left = list(pids)
    for pid in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(alive, left)), 10, f"{left} are gone")


def alive(pid: int) -> bool:
    """False for a process that has ended, also where nobody has noticed."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def running(name: str) -> list[int]:
    """The processes that call themselves so."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "comm").read_text() == f"{name[:15]}\n":
                found.append(int(folder.name))
    return found


def below(pid: int) -> list[int]:
    """A process and all that it started, itself first."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        children = []
    return [pid, *(one for child in children for one in below(int(child)))]
