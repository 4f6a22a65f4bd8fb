"""What the writer asks of the kernel is what iproute2 then shows."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

import pytest

from nswire.lab import attributes, syscalls
from nswire.lab.netns import Ns, described
from nswire.lab.private import in_private_host
from nswire.lab.rtnl import Rtnl

if TYPE_CHECKING:
    from collections.abc import Callable

    Ip = Callable[..., list[dict[str, Any]]]


def new() -> Ns:
    return described(syscalls.new_netns(), "descriptor")


@in_private_host
def test_a_pair_has_the_names_indexes_macs_mtu_and_places_that_were_asked(ip: Ip) -> None:
    other = new()
    with Rtnl() as here:
        here.bridge("br0", index=50, mac="02:00:00:00:00:50", up=True)
        here.veth(
            "left",
            "right",
            index=68,
            peer_index=69,
            mac="02:00:00:00:00:01",
            peer_mac="02:00:00:00:00:02",
            mtu=1400,
            peer_netns_fd=other.fd,
            master="br0",
            up=True,
        )
    [left] = ip("-d", "link", "show", "left")
    assert left["ifindex"] == 68
    assert left["address"] == "02:00:00:00:00:01"
    assert left["mtu"] == 1400
    assert left["master"] == "br0"
    assert left["link_index"] == 69
    assert left["linkinfo"]["info_kind"] == "veth"
    assert "UP" in left["flags"]
    [right] = ip("-d", "link", "show", "right", inside=other)
    assert (right["ifindex"], right["link_index"], right["address"]) == (69, 68, "02:00:00:00:00:02")


@in_private_host
def test_both_ends_may_have_one_ifindex_and_be_born_elsewhere(ip: Ip) -> None:
    a, b = new(), new()
    with Rtnl() as here:
        here.veth("eth0", "eth0", index=7, peer_index=7, netns_fd=a.fd, peer_netns_fd=b.fd)
    assert [link["ifname"] for link in ip("link")] == ["lo"]
    for ns in (a, b):
        [link] = ip("link", "show", "eth0", inside=ns)
        assert (link["ifindex"], link["link_index"]) == (7, 7)


@in_private_host
def test_the_kernel_ignores_a_peer_s_index_without_one_s_own(ip: Ip) -> None:
    """So the writer refuses it, rather than build something other than what was asked."""
    with Rtnl() as here:
        with pytest.raises(ValueError, match="peer_index 77"):
            here.veth("a", "b", peer_index=77)
        assert len(ip("link")) == 1
        here.veth("a", "b", index=5)
        assert here.index("a") == 5


@in_private_host
def test_names_are_bytes(ip: Ip) -> None:
    """Hostile tests need names that are no UTF-8, terminal escapes, and altnames of full length."""
    name, alias, altnames = b"\xff\xfe\x1b[31m'\"\xc2", "a\nb", [b"x" * 127, b"\xf0\x9f\x90\x8d\xff"]
    with Rtnl() as here:
        here.veth(name, b"p")
        here.altname(name, *altnames)
        here.set(altnames[0], alias=alias)
        assert here.index(name) == here.index(altnames[0])
    names = {link["ifname"].encode(errors="surrogateescape"): link for link in ip("link")}
    assert names[name]["ifalias"] == alias
    assert [each.encode(errors="surrogateescape") for each in names[name]["altnames"]] == altnames


@in_private_host
def test_a_move_may_give_a_new_index_and_a_new_name(ip: Ip) -> None:
    other = new()
    with Rtnl() as here:
        here.veth("a", "b")
        here.set("a", netns_fd=other.fd, new_index=99, name="moved")
    [moved] = ip("link", "show", "moved", inside=other)
    assert moved["ifindex"] == 99


@in_private_host
def test_set_changes_what_it_is_told_and_nothing_else(ip: Ip) -> None:
    with Rtnl() as here:
        here.bridge("br0")
        here.veth("a", "b", mtu=1300, master="br0", up=True)
        here.set("a", name="c", address="02:00:00:00:00:09", master=0)
    [link] = ip("link", "show", "c")
    assert link["address"] == "02:00:00:00:00:09"
    assert link["mtu"] == 1300
    assert "master" not in link
    assert "UP" in link["flags"]


@in_private_host
def test_addresses_and_routes(ip: Ip) -> None:
    with Rtnl() as here:
        here.veth("a", "b", index=5, up=True)
        here.set("b", up=True)
        here.address(5, "10.1.2.3/24")
        here.address(5, "10.9.9.9/32")
        here.address(5, "fd00::3/64")
        here.route("default", via="10.1.2.1")
        here.route("10.8.0.0/16", dev=5)
        here.route("default6", via="fd00::1")
    [link] = ip("address", "show", "a")
    shown = {(each["local"], each["prefixlen"]): each for each in link["addr_info"]}
    assert shown["10.1.2.3", 24]["broadcast"] == "10.1.2.255"
    assert "broadcast" not in shown["10.9.9.9", 32]
    assert not shown["fd00::3", 64].get("tentative")
    routes = {each["dst"]: each for each in ip("route")}
    assert routes["default"]["gateway"] == "10.1.2.1"
    assert routes["10.8.0.0/16"]["dev"] == "a"
    assert "fd00::1" in [each.get("gateway") for each in ip("-6", "route")]


@in_private_host
def test_other_kinds_and_their_lower_links(ip: Ip) -> None:
    with Rtnl() as here:
        here.veth("a", "b", index=5)
        here.link("mv", "macvlan", attributes.macvlan_data(), lower=5)
        here.link("vx", "vxlan", attributes.vxlan_data(42, lower=5))
    [macvlan] = ip("-d", "link", "show", "mv")
    assert (macvlan["link"], macvlan["linkinfo"]["info_data"]["mode"]) == ("a", "bridge")
    [vxlan] = ip("-d", "link", "show", "vx")
    assert (vxlan["linkinfo"]["info_data"]["id"], vxlan["linkinfo"]["info_data"]["link"]) == (42, "a")


@in_private_host
def test_errors_name_the_operation_and_its_subject() -> None:
    with Rtnl() as here:
        here.veth("a", "b")
        with pytest.raises(FileExistsError, match="cannot create veth 'a': File exists"):
            here.veth("a", "c")
        with pytest.raises(OSError, match="cannot delete link 'no': No such device") as caught:
            here.delete("no")
        assert caught.value.errno == errno.ENODEV


def create_in_one_batch(rtnl: Rtnl) -> None:
    with rtnl.batch():
        for number in range(400):
            rtnl.veth(f"v{number}", f"w{number}")
            if number in {3, 77}:
                rtnl.veth("taken", f"x{number}")


@in_private_host
def test_a_batch_does_all_it_can_and_raises_the_first_error() -> None:
    """A batch has one error per request, in order; the request after a failed one is carried out."""
    with Rtnl() as here:
        here.veth("taken", "b")
        with pytest.raises(FileExistsError, match="create veth 'taken'") as caught:
            create_in_one_batch(here)
        assert len(caught.value.__notes__) == 1
        assert len(here.indexes()) == 1 + 2 + 800


@in_private_host
def test_links_deleted_together_are_gone_at_once_and_those_gone_already_do_not_matter(ip: Ip) -> None:
    with Rtnl() as here:
        for number in range(5):
            here.veth(f"v{number}", f"w{number}", index=10 + number)
        here.delete_together([10, 11, 12, 999])
    assert {link["ifname"] for link in ip("link")} == {"lo", "w3", "v3", "w4", "v4"}
