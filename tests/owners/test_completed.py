"""Handles of owners, as a shell completes them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

import nswire
from nswire.cli.complete_handles import complete

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.owners.conftest import Host

A, B = 4026532001, 4026532002
DOCKER = "var/lib/docker/containers"


def offered(word: str) -> list[str]:
    command = click.Command("peer")
    return complete(click.Context(command), click.Argument(["handles"]), word)


@pytest.fixture
def host_of_all(host: Host, ids: Callable[[int], str], monkeypatch: pytest.MonkeyPatch) -> Host:
    """A container, another one with a name that a shell could act on, a VM, a port, a unit."""
    for seed, name in ((1, "web"), (2, "$(reboot)")):
        number = ids(seed)
        host.process(700 + seed, "sleep", ns=A + seed, cgroup=f"/docker/{number}")
        config = {"ID": number, "Name": f"/{name}", "State": {"Running": True, "Pid": 700 + seed}}
        host.file(f"{DOCKER}/{number}/config.v2.json", config)
    host.process(
        800, "qemu-system-x86_64", "-name", "guest=db1", "-uuid", "6d9b2c1e-7a55-4c7e-9d43-0f6f5a3b1c11"
    )
    host.tap(host.home, 9, "vnet0", 800)
    host.named(B + 8, "/run/netns/qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1")
    host.link(B + 8, 2, "ns-39d60faa-aa")
    host.process(900, "nginx", ns=B + 9, cgroup="/system.slice/nginx.service")
    monkeypatch.setattr(nswire, "scan", lambda **_: host.topology())
    return host


@pytest.mark.usefixtures("host_of_all")
@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("container:w", ["container:web"]),
        ("cont", ["container:web"]),
        ("vm:", ["vm:db1"]),
        ("port:39", ["port:39d60faa-aa"]),
        ("unit:", ["unit:nginx.service"]),
        ("netns:qd", ["netns:qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1"]),
        ("pod:", []),
    ],
)
def test_owners_by_name(word: str, names: list[str]) -> None:
    found = offered(word)
    assert set(names) <= set(found)
    assert all(name.startswith(word) for name in found)


def test_a_name_that_a_shell_could_act_on_is_offered_as_its_id(
    host_of_all: Host, ids: Callable[[int], str]
) -> None:
    del host_of_all
    assert sorted(offered("container:")) == sorted(["container:web", f"container:{ids(2)}"])


def test_owners_are_looked_for_only_where_one_was_begun(host_of_all: Host) -> None:
    """Every key that completes a plain name would otherwise cost a look at all processes."""
    offered("ns-")
    assert "cgroups" not in host_of_all.asked
    offered("container:")
    assert "cgroups" in host_of_all.asked
