"""Containers by what engines leave in files and control groups: made by hand, as the real ones wrote it (tests/engines)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from nswire.model.values import Holder
from nswire.show.cleanup_commands import release

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.owners.conftest import Host

A, B, C = 4026532001, 4026532002, 4026532003
TASKS = "run/docker/containerd/daemon/io.containerd.runtime.v2.task/moby"


def docker(
    host: Host,
    number: str,
    name: str,
    pid: int,
    folder: str = "var/lib/docker",
    labels: dict[str, str] | None = None,
    **more: Any,
) -> None:
    """A container's file as Docker writes it, as far as it is read; `more` is beside."""
    settings = more.pop(
        "NetworkSettings", {"SandboxKey": f"/var/run/docker/netns/{number[:12]}", "Ports": {}}
    )
    config = {
        "ID": number,
        "Name": f"/{name}",
        "State": {"Running": True, "Pid": pid},
        "NetworkSettings": settings,
        "Config": {"Hostname": number[:12], "Labels": labels or {}, "Env": ["PASSWORD=correct horse"]},
    }
    host.file(f"{folder}/containers/{number}/config.v2.json", config | more)


def test_docker_by_its_files(host: Host, ids: Callable[[int], str]) -> None:
    host.process(100, "sleep", ns=A, cgroup=f"/system.slice/docker-{ids(1)}.scope")
    docker(
        host,
        ids(1),
        "web",
        100,
        labels={"com.docker.compose.project": "shop", "com.docker.compose.service": "front"},
    )
    host.link(A, 2, "eth0")
    assert host.told() == [("container", "web", "docker", 100, A, ())]
    ((owner, links),) = host.meant("container:web")
    assert links == ["eth0"]
    assert owner is not None
    assert dict(owner.data) == {"compose": "shop", "service": "front"}
    for handle in ("web", f"container:{ids(1)[:6]}", ids(1)[:12], "container:WEB"):
        assert bool(host.meant(handle)) == (handle != "container:WEB"), handle


def test_all_that_share_a_namespace_and_those_of_the_host(host: Host, ids: Callable[[int], str]) -> None:
    """A container in the host's namespace owns none of the host's links (cniguru#4, netdata#12788)."""
    for seed, pid, ns in ((1, 100, A), (2, 101, A), (3, 102, host.home)):
        host.process(pid, "sleep", ns=ns, cgroup=f"/docker/{ids(seed)}")
        docker(host, ids(seed), f"c{seed}", pid)
    assert host.owners(A) == ["container:c1", "container:c2"]
    assert host.owners(host.home) == []
    assert ("container", "c3", "docker", 102, "host", ()) in host.told()
    ((owner, links),) = host.meant("container:c3")
    assert (owner is not None and owner.name, links) == ("c3", [])
    assert all(not link.owners for link in host.topology().links(host.home))


def test_a_pid_that_is_somebody_elses_by_now(host: Host, ids: Callable[[int], str]) -> None:
    """The engine died, its files say that a container runs, and its pid was given to another process."""
    docker(host, ids(1), "gone", 100)
    host.process(100, "sshd", ns=A, cgroup="/system.slice/ssh.service")
    assert host.owners(A) == ["unit:ssh.service"]
    assert host.meant("container:gone") == []
    docker(host, ids(2), "moved", 100)
    host.process(200, "sleep", ns=B, cgroup=f"/docker/{ids(2)}")
    assert host.owners(B) == ["container:moved"]
    assert ("container", "moved", "docker", 200, B, ()) in host.told()


def test_a_control_group_called_after_somebody_elses_container(host: Host, ids: Callable[[int], str]) -> None:
    """Users may make control groups (systemd delegates), and processes with lower pids than the container's."""
    theirs = f"/user.slice/user-1000.slice/user@1000.service/app.slice/docker-{ids(1)}.scope"
    host.process(50, "sleep", ns=A, cgroup=theirs, uid=1000)
    host.process(100, "sleep", ns=B, cgroup=f"/system.slice/docker-{ids(1)}.scope")
    docker(host, ids(1), "web", 100)
    host.link(A, 2, "eth0")
    host.link(B, 3, "eth0")
    assert host.owners(B) == ["container:web"]
    assert not any(name.startswith("container:") for name in host.owners(A))
    assert [links for _, links in host.meant("container:web")] == [["eth0"]]


def test_without_a_pid_all_that_are_called_so_are_told(host: Host, ids: Callable[[int], str]) -> None:
    """Nothing tells which of two is the real one, so neither is picked."""
    host.process(
        50, "sleep", ns=A, cgroup=f"/user.slice/user-1000.slice/user@1000.service/docker-{ids(1)}.scope"
    )
    host.process(100, "sleep", ns=B, cgroup=f"/system.slice/docker-{ids(1)}.scope")
    docker(host, ids(1), "web", 0)
    assert host.owners(A) == host.owners(B) == ["container:web"]


def test_a_process_that_unshared_inside_does_not_move_its_container(
    host: Host, ids: Callable[[int], str]
) -> None:
    """Pids wrap: what was started in a container may have a lower one than the container's first process."""
    host.process(90, "unshare", ns=A, cgroup=f"/docker/{ids(1)}")
    host.process(100, "sleep", ns=B, cgroup=f"/docker/{ids(1)}")
    docker(host, ids(1), "web", 100)
    assert host.owners(B) == ["container:web"]
    assert "container:web" not in host.owners(A)


def test_an_engine_in_a_container(host: Host, ids: Callable[[int], str]) -> None:
    """What a container keeps in its own files is not read; its own containers go by their ids, and say where they are."""
    host.process(100, "dockerd", ns=A, cgroup=f"/docker/{ids(1)}")
    host.process(101, "sleep", ns=B, cgroup=f"/docker/{ids(1)}/docker/{ids(2)}")
    host.process(102, "pause", ns=C, cgroup=f"/docker/{ids(1)}/kubepods/besteffort/pod{UID}/{ids(3)}")
    docker(host, ids(1), "kind", 100)
    assert host.owners(A) == ["container:kind"]
    (inner,) = host.topology().owners(B)
    assert (inner.name, inner.by, dict(inner.data)) == (ids(2)[:12], "docker", {"inside": "kind"})
    assert host.owners(C) == [f"pod:{UID}", f"container:{ids(3)[:12]}"]


UID = "0f1e2d3c-1111-2222-3333-444455556666"


def test_a_container_of_which_no_process_is_left(host: Host, ids: Callable[[int], str]) -> None:
    """Its sandbox stands, held by the mount: the file tells whose it was, and no pid is claimed for it."""
    docker(host, ids(1), "web", 100)
    host.named(A, f"/run/docker/netns/{ids(1)[:12]}")
    (owner,) = host.topology().owners(A)
    assert (owner.name, owner.pid, dict(owner.data)) == ("web", None, {"processes": "none seen"})


@pytest.mark.parametrize("running", [True, False])
def test_docker_proxy_that_holds_a_dead_containers_namespace(
    host: Host, ids: Callable[[int], str], *, running: bool
) -> None:
    """moby#32090: it inherited a socket. The namespace is nobody's, whatever the file says; who holds it is told, and how to let go."""
    docker(host, ids(1), "web", 700, State={"Running": running, "Pid": 700})
    host.process(812, "/usr/bin/docker-proxy", "-host-port", "8080", comm="docker-proxy")
    host.hold(A, Holder("socket", 812, number=8))
    host.link(A, 2, "eth0")
    topology = host.topology()
    assert topology.owners(A) == ()
    assert topology.owned() == ()
    assert release(topology.namespaces[A]) == (
        "kill 812  # it has fd 8 open; to restart its service is better",
    )


def test_ports_of_the_host_that_lead_into_a_container(host: Host, ids: Callable[[int], str]) -> None:
    """`:8080` is the host's, where somebody listens, and the container's, who published it: both are found."""
    ports = {
        "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}, {"HostIp": "::", "HostPort": "8080"}],
        "53/udp": [{"HostIp": "127.0.0.1", "HostPort": "5353"}],
        "443/tcp": None,
        "x": [{"HostPort": "99999999"}],
    }
    host.process(100, "sleep", ns=A, cgroup=f"/docker/{ids(1)}")
    docker(host, ids(1), "web", 100, NetworkSettings={"SandboxKey": "", "Ports": ports})
    (owner,) = host.topology().owners(A)
    told = "0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 127.0.0.1:5353->53/udp"
    assert dict(owner.data) == {"publishes": told}
    found = {
        handle: bool(host.meant(handle)) for handle in (":8080", "tcp:8080", "udp:8080", ":80", "udp:5353")
    }
    assert found == {":8080": True, "tcp:8080": True, "udp:8080": False, ":80": False, "udp:5353": True}


@pytest.mark.parametrize("where", ["daemon.json", "mounts", "snap"])
def test_docker_whose_data_lie_elsewhere(host: Host, ids: Callable[[int], str], where: str) -> None:
    """By the administrator's word, or, where only dockerd's command line has it, by what its containers have mounted."""
    folder = "var/snap/docker/common/var-lib-docker" if where == "snap" else "srv/data"
    docker(host, ids(1), "web", 100, folder=folder)
    host.process(100, "sleep", ns=A, cgroup=f"/docker/{ids(1)}")
    if where == "daemon.json":
        host.file(
            "etc/docker/daemon.json", {"data-root": "/srv/data", "log-opts": {"splunk-token": "s3cret"}}
        )
    else:
        mounts = [{"destination": "/proc"}, {"source": f"/srv/data/containers/{ids(1)}/hosts"}, "odd"]
        host.file(f"{TASKS}/{ids(1)}/config.json", {"mounts": mounts, "process": {"env": ["TOKEN=s3cret"]}})
    assert host.owners(A) == ["container:web"]


def test_pods_that_docker_runs_for_a_kubelet(host: Host, ids: Callable[[int], str]) -> None:
    """dockershim and cri-dockerd: the pause container is the pod's, and is no container for people."""
    labels = {
        "io.kubernetes.pod.namespace": "shop",
        "io.kubernetes.pod.name": "web-0",
        "io.kubernetes.pod.uid": UID,
    }
    for seed, kind, name in ((1, "podsandbox", "POD"), (2, "container", "nginx")):
        host.process(99 + seed, "pause", ns=A, cgroup=f"/kubepods/pod{UID}/{ids(seed)}")
        more = {"io.kubernetes.docker.type": kind, "io.kubernetes.container.name": name}
        docker(host, ids(seed), f"k8s_{name}_web-0_shop", 99 + seed, labels=labels | more)
    assert host.owners(A) == ["pod:shop/web-0", "container:nginx"]
    assert [owner.by for owner, *_ in host.topology().owned()] == ["docker", "kubernetes"]


def test_two_engines_with_one_name(host: Host, ids: Callable[[int], str]) -> None:
    """Both are found, each with a handle that names it alone; and two that share a namespace are two."""
    host.process(100, "sleep", ns=A, cgroup=f"/docker/{ids(1)}")
    host.process(200, "sleep", ns=B, cgroup=f"/machine.slice/libpod-{ids(2)}.scope/container")
    docker(host, ids(1), "web", 100)
    host.file(
        "var/lib/containers/storage/overlay-containers/containers.json", [{"id": ids(2), "names": ["web"]}]
    )
    host.file(f"run/containers/storage/overlay-containers/{ids(2)}/userdata/pidfile", "200")
    found = host.meant("container:web")
    assert [owner.by for owner, _ in found if owner] == ["docker", "podman"]
    topology = host.topology()
    assert [topology.title(topology.namespaces[ns]) for ns in (A, B)] == [f"net:[{A}]", f"net:[{B}]"]
    host.process(200, "sleep", ns=A, cgroup=f"/machine.slice/libpod-{ids(2)}.scope/container")
    assert host.owners(A) == ["container:web", "container:web"]


def test_podman_with_cni_calls_its_containers_pods(host: Host, ids: Callable[[int], str]) -> None:
    """It gives its container's name for a pod's name and namespace: that is no pod, and the same container."""
    host.process(100, "sleep", ns=A, cgroup=f"/libpod_parent/libpod-{ids(1)}")
    host.named(A, "/run/netns/cni-11111111-2222-3333-4444-555555555555")
    host.file("var/lib/containers/storage/vfs-containers/containers.json", [{"id": ids(1), "names": ["db"]}])
    cni(host, ids(1), "/run/netns/cni-11111111-2222-3333-4444-555555555555", space="db", name="db")
    assert host.told() == [("container", "db", "podman", 100, A, ())]
    (owner,) = host.topology().owners(A)
    assert dict(owner.data) == {"network": "lan"}


def cni(
    host: Host, number: str, path: str, space: str = "", name: str = "", uid: str = "", **more: object
) -> None:
    words = (
        ("IgnoreUnknown", "1"),
        ("K8S_POD_NAMESPACE", space),
        ("K8S_POD_NAME", name),
        ("K8S_POD_UID", uid),
    )
    said = {
        "kind": "cniCacheV1",
        "containerId": number,
        "networkName": "lan",
        "cniArgs": [list(pair) for pair in words if pair[1]],
        "result": {"interfaces": [{"name": "cni0"}, {"name": "eth0", "sandbox": path}]},
    }
    host.file(f"var/lib/cni/results/lan-{number}-eth0", said | more)


def test_cni_by_itself(host: Host, ids: Callable[[int], str]) -> None:
    host.named(A, "/run/netns/blue")
    host.named(B, "/run/netns/cni-1")
    cni(host, "blue", "/var/run/netns/blue")
    mappings = [{"HostPort": 18090, "ContainerPort": 80, "Protocol": "TCP", "HostIP": ""}, None]
    cni(host, ids(1), "/run/netns/cni-1", "shop", "web", UID, capabilityArgs={"portMappings": mappings})
    cni(host, ids(2), "/run/netns/gone", "shop", "gone", UID)
    assert (host.owners(A), host.owners(B)) == (["container:blue"], ["pod:shop/web"])
    assert [owner.name for owner, _ in host.meant("tcp:18090") if owner] == ["shop/web"]


def test_what_a_plain_user_is_told(host: Host, ids: Callable[[int], str]) -> None:
    """Whose containers there are, by their control groups; not where they are, and not that they use the host's network."""
    host.process(100, "sleep", ns=A, cgroup=f"/system.slice/docker-{ids(1)}.scope")
    folder = host.proc / "100/ns"
    (folder / "net").unlink()
    (folder / "net").write_text("")  # readlink fails: EINVAL here, EACCES for them
    assert host.told() == [("container", ids(1)[:12], "docker", 100, None, ())]
    ((owner, links),) = host.meant(ids(1)[:12])
    assert (owner is not None, links) == (True, [])


class TestTheSocket:
    """Only where files may not be read. What it says has no pid in it, and may be garbage."""

    LISTED = "http/run/docker.sock|/containers/json|"

    def asked(self, host: Host, ids: Callable[[int], str]) -> bytes:
        host.process(100, "sleep", ns=A, cgroup=f"/docker/{ids(1)}")
        host.topology().owned()
        assert not [name for name in host.asked if name.startswith("http/")]
        name = next(name for name in host.asked if "var/lib/docker" in name)
        host.answers[name] = b'{"/var/lib/docker/containers": {"!": 13}}'
        host.asked.clear()
        host.topology().owned()
        (self.name,) = (name for name in host.asked if name.startswith("http/"))
        return ids(1).encode()

    def test_names_for_somebody_in_the_group_docker(self, host: Host, ids: Callable[[int], str]) -> None:
        number = self.asked(host, ids)
        host.answers[self.name] = (
            b'[{"Id": "%s", "Names": ["/web"], "Ports": [{"IP": "127.0.0.1", "PrivatePort": 80, \
"PublicPort": 8080, "Type": "tcp"}, {"PrivatePort": 443, "Type": "tcp"}], "Labels/com.docker.compose.project": "shop"}]'
            % number
        )
        (owner,) = host.topology().owners(A)
        assert (owner.name, owner.pid) == ("web", 100)
        assert dict(owner.data) == {"compose": "shop", "publishes": "127.0.0.1:8080->80/tcp"}
        assert host.gaps() == []

    @pytest.mark.parametrize(
        "garbage",
        [
            b"",
            b"null",
            b"{}",
            b'[{"Id": 5}, {}, {"Names": ["/x"]}]',
            b"[" * 100_000,
            b'[{"Id": "", "Names": {}}]',
            b"\xff",
        ],
    )
    def test_garbage_costs_the_names_only(
        self, host: Host, ids: Callable[[int], str], garbage: bytes
    ) -> None:
        number = self.asked(host, ids).decode()
        host.answers[self.name] = garbage
        assert host.owners(A) == [f"container:{number[:12]}"]
        assert host.gaps() == [
            "/var/lib/docker/containers: names of Docker's containers: Permission denied (it takes root)"
        ]

    def test_nobody_waits_for_it_twice(self, host: Host, ids: Callable[[int], str]) -> None:
        """Accepts, and never answers: 0.3 seconds, once (tests/engines has the real one, stopped)."""
        import socket

        number = self.asked(host, ids).decode()
        folder = host.root / "run"
        folder.mkdir(exist_ok=True)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(str(folder / "docker.sock"))
            listening.listen()
            started = time.monotonic()
            topology = host.topology()
            names = [topology.owners(A)[0].name, topology.owners(A)[0].name, topology.owned()[0][0].name]
            took = time.monotonic() - started
        assert set(names) == {number[:12]}
        assert 0.29 < took < 0.45
        assert len([name for name in host.asked if name == self.name]) == 2  # once before, in `asked`


def test_half_written_and_hostile_files_are_one_gap(host: Host, ids: Callable[[int], str]) -> None:
    """What can be read is told, and the rest by number, with the reason."""
    import os

    for seed in range(5):
        host.process(100 + seed, "sleep", ns=A + seed, cgroup=f"/docker/{ids(seed)}")
        docker(host, ids(seed), f"c{seed}", 100 + seed)
    containers = host.root / "var/lib/docker/containers"
    (containers / ids(1) / "config.v2.json").write_bytes(b'{"ID": "x", "Name": "/c1", "State": {"Runn')
    for seed in (2, 3):
        file = containers / ids(seed) / "config.v2.json"
        file.unlink()
        if seed == 2:
            os.mkfifo(file)
        else:
            file.symlink_to("/etc/shadow")
    with (containers / ids(4) / "config.v2.json").open("wb") as huge:
        huge.truncate(5 << 20)
    assert host.owners(A) == ["container:c0"]
    assert host.owners(A + 1) == [f"container:{ids(1)[:12]}"]
    gaps = "\n".join(host.gaps())
    for why in (
        "it makes no sense",
        "Invalid argument",
        "Too many levels of symbolic links",
        "File too large",
    ):
        assert why in gaps, gaps
    assert len(host.gaps()) == 4


def test_rootless_containers_by_their_conmon(host: Host, ids: Callable[[int], str]) -> None:
    """Nothing of theirs is read as root: a user's folder is the user's."""
    scope = f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ids(1)}.scope/container"
    host.process(99, "/usr/bin/conmon", "-c", ids(1), "-n", "solo", "-u", ids(1), uid=1000)
    host.process(100, "sleep", ns=A, cgroup=scope, ppid=99, uid=200000)
    host.process(102, "/usr/bin/conmon", "--cid", ids(2), "--name", "old", uid=1000)
    host.process(
        103, "sleep", ns=B, cgroup="/user.slice/user-1000.slice/session-3.scope", ppid=102, uid=200000
    )
    host.file("home/ada/.local/share/containers/storage/vfs-containers/containers.json", "[]")
    for ns, name in ((A, "solo"), (B, "old")):
        (owner,) = host.topology().owners(ns)
        assert (owner.name, owner.by, dict(owner.data)) == (name, "podman", {"user": "ada"})
    assert not [name for name in host.asked if "home" in name.replace("cgroups/home", "")]


def test_a_rootless_docker_goes_by_its_ids(host: Host, ids: Callable[[int], str]) -> None:
    scope = f"/user.slice/user-1000.slice/user@1000.service/user.slice/docker-{ids(1)}.scope"
    host.process(100, "sleep", ns=A, cgroup=scope, uid=200000)
    (owner,) = host.topology().owners(A)
    assert (owner.name, owner.by, dict(owner.data)) == (ids(1)[:12], "docker", {"user": "ada"})


def test_a_containers_own_monitor_is_not_in_it(host: Host, ids: Callable[[int], str]) -> None:
    """libpod-conmon-ID and crio-conmon-ID are called after a container, and are at home."""
    host.process(100, "conmon", ns=A, cgroup=f"/machine.slice/libpod-conmon-{ids(1)}.scope")
    assert not any(name.startswith("container:") for name in host.owners(A))
