"""What somebody may claim who runs a container, a VM or merely a process: his own namespace and his own taps, and no more.

He chooses names of processes, command lines, control groups below one of his, names of links in a namespace of his own.
He does not choose what root's daemons write into root's folders.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from nswire.escape import visible
from nswire.show import jsonout, words
from nswire.show.to_documents import Builder

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.owners.conftest import Host

MINE, THEIRS = 4026532001, 4026532002
EVIL = "ev\x1b[31mil\u202e<script>alert(1)</script>\n"


@pytest.fixture
def attacked(host: Host, ids: Callable[[int], str]) -> Host:
    """A host with a container `web` and a VM `db`; the namespace MINE is a plain user's."""
    config = {"ID": ids(1), "Name": "/web", "State": {"Running": True, "Pid": 500}}
    host.file(f"var/lib/docker/containers/{ids(1)}/config.v2.json", config)
    host.process(500, "nginx", ns=THEIRS, cgroup=f"/system.slice/docker-{ids(1)}.scope")
    host.link(THEIRS, 2, "eth0")
    host.process(
        600, "/usr/bin/qemu-system-x86_64", "-name", "db", "-uuid", "0f1e2d3c-1111-2222-3333-444455556666"
    )
    host.tap(host.home, 7, "vnet0", 600)
    host.link(MINE, 2, "evil0")
    return host


CLAIMS = {
    "conmon": ("conmon", "-c", "{id}", "-n", "web"),
    "systemd-nspawn": ("systemd-nspawn", "-M", "web"),
    "lxc-start": ("lxc-start", "-n", "web"),
    "lxc": ("[lxc monitor] /var/lib/lxc web",),
    "firejail": ("firejail", "--name=web"),
    "bwrap": ("bwrap", "web"),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_process_that_calls_itself_an_engine_names_its_own_children(
    attacked: Host, ids: Callable[[int], str], name: str
) -> None:
    """Its own namespace goes by the name it wants, and the real container stays what it is: both are found by that name."""
    words_ = [word.format(id=ids(1)) for word in CLAIMS[name]]
    attacked.process(50, *words_, comm=name, uid=1000)
    attacked.process(51, "sh", ns=MINE, ppid=50, uid=1000)
    assert attacked.owners(THEIRS) == ["container:web"]
    assert attacked.owners(attacked.home) == []
    links = [links for _, links in attacked.meant("container:web")]
    assert ["eth0"] in links
    assert all(found in (["eth0"], ["evil0"]) for found in links)
    (mine,) = attacked.topology().owners(MINE)
    assert dict(mine.data)["user"] == "ada"
    assert "ada" in words.owner(mine)


@pytest.mark.parametrize(
    "words_",
    [
        ("/usr/bin/qemu-system-x86_64", "-name", "db", "-uuid", "0f1e2d3c-1111-2222-3333-444455556666"),
        ("firecracker", "--id", "db"),
        ("cloud-hypervisor", "--api-socket", "db.sock"),
    ],
)
def test_a_process_that_calls_itself_a_hypervisor_has_its_own_taps(
    attacked: Host, words_: tuple[str, ...]
) -> None:
    """Also as the one that libvirt's file means, whose pid it got."""
    attacked.process(50, *words_, ns=MINE, uid=1000)
    attacked.tap(MINE, 3, "tap0", 50)
    vms = [one for one in attacked.told() if one.type == "vm"]
    assert [(vm.pid, vm.links) for vm in vms] == [(600, ("vnet0",)), (50, ("tap0",))] or [
        (vm.pid, vm.links) for vm in vms
    ] == [(50, ("tap0",)), (600, ("vnet0",))]
    assert attacked.owners(THEIRS) == ["container:web"]
    assert sorted(links for _, links in attacked.meant("vm:db")) == [["tap0"], ["vnet0"]]


def test_a_process_without_taps_is_no_vm(attacked: Host) -> None:
    """netdata#12788: the process of a VM in the host's namespace got every link of the host."""
    attacked.process(50, "/usr/bin/qemu-system-x86_64", "-name", "all", uid=1000)
    assert [one.name for one in attacked.told() if one.type == "vm"] == ["db"]
    eth0 = next(link for link in attacked.topology().links(attacked.home) if link.ifname == "eth0")
    assert eth0.owners == ()


def test_links_that_are_called_as_neutron_calls_its_own(attacked: Host) -> None:
    """In a container's namespace its root names the links: no port is to be found there."""
    attacked.named(4026532003, "/run/netns/qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1")
    attacked.link(4026532003, 2, "ns-39d60faa-aa")
    attacked.link(attacked.home, 9, "tap39d60faa-aa")
    attacked.link(MINE, 9, "tap39d60faa-aa")
    attacked.link(THEIRS, 9, "qr-39d60faa-aa")
    ((name, links),) = [(one.name, one.links) for one in attacked.told() if one.type == "port"]
    assert (name, sorted(links)) == ("39d60faa-aa", ["ns-39d60faa-aa", "tap39d60faa-aa"])
    topology = attacked.topology()
    homes = [
        link.end.ns
        for owner, _, ends in topology.owned()
        if owner.type == "port"
        for link in map(topology.get, ends)
        if link
    ]
    assert MINE not in homes
    assert THEIRS not in homes


def test_a_machine_that_is_called_like_another_one(attacked: Host) -> None:
    """A control group of somebody's own must not take the name away from the container that has it."""
    attacked.process(
        50, "sh", ns=MINE, cgroup="/user.slice/user-1000.slice/user@1000.service/lxc.payload.guest", uid=1000
    )
    attacked.process(700, "init", ns=4026532003, cgroup="/lxc.payload.guest")
    attacked.link(4026532003, 2, "eth0")
    assert attacked.owners(4026532003) == ["container:guest"]
    assert ["eth0"] in [links for _, links in attacked.meant("container:guest")]


@pytest.mark.parametrize(
    "name", [EVIL, "a" * 5000, "\\", "\udcff", "", " ", "x y", "'; rm -rf / #", "-o", "host", "net:[1]"]
)
def test_names_of_containers_are_told_and_act_on_nothing(
    host: Host, ids: Callable[[int], str], name: str
) -> None:
    config = {"ID": ids(1), "Name": f"/{name}", "State": {"Running": True, "Pid": 500}}
    labels = {"com.docker.compose.project": name, "com.docker.compose.service": name}
    host.file(f"var/lib/docker/containers/{ids(1)}/config.v2.json", config | {"Config": {"Labels": labels}})
    host.process(500, "nginx", ns=MINE, cgroup=f"/docker/{ids(1)}")
    host.link(MINE, 2, "eth0")
    topology = host.topology()
    ((owner,), (link,)) = topology.owners(MINE), topology.links(MINE)
    assert owner.name == (name.replace("\udcff", "?") or ids(1)[:12])
    shown = visible(words.owner(owner))
    assert shown.isprintable()
    assert "\x1b" not in shown
    document = jsonout.dumps(Builder(topology).peer("x", link))
    assert document.isprintable()
    title = topology.title(topology.namespaces[MINE])
    assert title.isprintable()
    assert title.startswith(("container:", "net:["))


@pytest.mark.parametrize("comm", [EVIL[:15].replace("\n", ""), ") 1 1 1", "(((", "a b"])
def test_names_of_processes(host: Host, comm: str) -> None:
    host.process(500, *([EVIL] * 3), ns=MINE, comm=comm, uid=1000)
    (owner,) = host.topology().owners(MINE)
    assert owner.name == comm
    assert visible(words.owner(owner)).isprintable()


def test_a_command_line_of_megabytes_and_one_made_against_our_patterns(host: Host) -> None:
    """A process may write over its own command line as it likes; the first part of it is read."""
    host.process(500, "x" * (8 << 20), ns=MINE)
    host.process(501, *["pass" * 5000], ns=THEIRS)
    host.process(502, *["--" + "-password" * 2000], ns=4026532003)
    host.process(503, *["//" + ":" * 20000], ns=4026532004)
    started = time.process_time()
    for ns in (MINE, THEIRS, 4026532003, 4026532004):
        (owner,) = host.topology().owners(ns)
        assert len(str(dict(owner.data)["command"])) <= 16384
    assert time.process_time() - started < 1.0


def test_a_control_group_made_against_our_patterns(host: Host) -> None:
    """Each process may be in a path of 4096 characters of its own."""
    for pid in range(500, 700):
        group = "/kubepods" * 200 + "/" + "0123456789abcdef-" * 120
        host.process(pid, "x", ns=MINE, cgroup=group[:4095])
    started = time.process_time()
    host.owners(MINE)
    assert time.process_time() - started < 1.0


SECRETS = (
    ("mysqld", "--password=s3cret"),
    ("app", "--db-password", "s3cret"),
    ("app", "--token", "s3cret", "--verbose"),
    ("app", "-api-key", "s3cret"),
    ("psql", "postgres://ada:s3cret@db/shop"),
    ("env", "AWS_SECRET_ACCESS_KEY=s3cret", "app"),
    ("qemu-system-x86_64", "-object", "secret,id=s0,data=s3cret"),
    ("x", "--password=a\ns3cret"),
)


@pytest.mark.parametrize("command", SECRETS)
def test_passwords_of_a_command_line_do_not_leave_the_host_room(host: Host, command: tuple[str, ...]) -> None:
    host.process(500, *command, ns=MINE)
    answer = host.host("process/500")
    assert isinstance(answer, bytes)
    assert b"s3cret" not in answer
    assert command[0].encode() in answer


def test_an_option_is_no_password(host: Host) -> None:
    host.process(500, "app", "--no-password", "--verbose", "name", ns=MINE)
    assert b'["app", "--no-password", "--verbose", "name"]' in bytes(host.host("process/500"))  # type: ignore[arg-type]


def test_only_the_keys_that_are_asked_for_leave_the_host_room(host: Host, ids: Callable[[int], str]) -> None:
    config = {
        "ID": ids(1),
        "Name": "/web",
        "State": {"Running": True, "Pid": 500},
        "Config": {"Env": ["PASSWORD=s3cret"], "Labels": {"traefik.basicauth": "s3cret"}},
        "Args": ["s3cret"],
        "MountPoints": {"/s3cret": {}},
    }
    host.file(f"var/lib/docker/containers/{ids(1)}/config.v2.json", config)
    host.topology().owned()
    answers = [host.host(name) for name in list(host.asked) if name.startswith("json/")]
    assert any(b"/web" in answer for answer in answers if isinstance(answer, bytes))
    assert not any(b"s3cret" in answer for answer in answers if isinstance(answer, bytes))


def test_a_pid_that_is_reused_between_two_questions(host: Host) -> None:
    """The scan saw it in one namespace; who has that pid now is in another one, and no owner of the first."""
    host.process(49, "conmon", "-c", "x", "-n", "web", uid=1000)
    host.process(500, "sh", ns=MINE, ppid=49)
    topology = host.topology()
    host.process(500, "sshd", ns=THEIRS, ppid=1)
    assert topology.owners(MINE) == ()
