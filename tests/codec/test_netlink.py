"""The codec against what other readers make of the same kernel, and against bytes that no kernel sends."""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nswire
from nswire.codec import ethtool, procfs
from nswire.codec.netlink import address, link, nsid, route
from nswire.codec.netlink.framing import attribute, request, split
from nswire.errors import MalformedReply, NetlinkError
from nswire.host.live import Live
from nswire.host.replay import Recorder
from nswire.lab.lab import wait_until

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.lab.lab import Lab

DECODERS: list[Callable[[bytes], object]] = [
    lambda answer: link.Decoder().decode(answer),
    lambda answer: link.Decoder().decode(answer, 5),
    address.decode,
    nsid.decode,
    route.gateways,
]
DONE = struct.pack("=IHHIIi", 20, 3, 2, 1, 0, 0)


def build(lab: Lab) -> None:
    """Links with everything that a link may have here."""
    other = lab.namespace("named", "other")
    lab.pair(lab.home, "a0", other, "b0", index=50, peer_index=51, mtu=1400)
    home = lab.rtnl(lab.home)
    home.bridge("br0", index=52)
    lab.undo_link(52)
    home.set("a0", master=52, alias="what people call it")
    home.altname("a0", "a-rather-long-alternative-name")
    home.address(50, "192.0.2.1/24")
    home.address(50, "2001:db8::1/64")
    lab.rtnl(other).address(51, "192.0.2.2/24")
    lab.rtnl(other).route("default", via="192.0.2.1", dev=51)


@pytest.mark.needs("ip")
def test_as_ip_sees_it(lab: Lab) -> None:
    """iproute2 is the field's reference: the same links, with the same properties."""
    build(lab)
    places: list[list[str]] = [[], ["-n", "other"]]

    def states() -> list[tuple[str, str]]:
        told = [json.loads(subprocess.check_output(["ip", *netns, "-j", "link"])) for netns in places]
        return [(one["ifname"], one["operstate"]) for links in told for one in links]

    looked: list[nswire.Topology] = []

    def nothing_changed_meanwhile() -> bool:  # operstate follows a link's start a moment later
        before = states()
        looked.append(nswire.scan())
        return states() == before

    wait_until(nothing_changed_meanwhile)
    topology = looked[-1]
    for netns in places:
        expected = json.loads(subprocess.check_output(["ip", *netns, "-j", "-d", "addr"]))
        home = not netns
        mine = {one.ifname: one for one in topology if one.netns.home == home}
        assert set(mine) == {one["ifname"] for one in expected}
        for one in expected:
            found = mine[one["ifname"]]
            assert found.ifindex == one["ifindex"]
            assert found.kind == one.get("linkinfo", {}).get("info_kind", "")
            assert found.fact.address == one["address"]
            assert found.fact.mtu == one["mtu"]
            assert found.operstate == one["operstate"]
            assert one["flags"] == list(found.flags)
            assert (found.master.ifname if found.master else None) == one.get("master")
            assert list(found.fact.altnames) == one.get("altnames", [])
            assert found.fact.alias == one.get("ifalias", "")
            assert found.fact.link_netnsid == one.get("link_netnsid")
            assert [a.address for a in found.addresses] == [
                f"{a['local']}/{a['prefixlen']}" for a in one["addr_info"]
            ]


def test_as_pyroute2_sees_it(lab: Lab) -> None:
    """A second, independent reader of the same messages."""
    pyroute2 = pytest.importorskip("pyroute2")
    build(lab)
    topology = nswire.scan()
    with pyroute2.IPRoute() as ipr:
        expected = {message["index"]: message for message in ipr.get_links()}
    mine = {one.ifindex: one for one in topology if one.netns.home}
    assert set(mine) == set(expected)
    for index, message in expected.items():
        found = mine[index]
        assert found.ifname == message.get_attr("IFLA_IFNAME")
        assert found.fact.link == message.get_attr("IFLA_LINK")
        assert found.fact.link_netnsid == message.get_attr("IFLA_LINK_NETNSID")
        assert found.fact.flags == message["flags"]
        assert found.fact.type == message["ifi_type"]


def test_default_gateways(lab: Lab) -> None:
    """What `ip route show default` shows."""
    build(lab)
    topology = nswire.scan()
    other = topology.link("other/b0").end.ns
    assert [(one.ifindex, one.address) for one in topology.gateways(other)] == [(51, "192.0.2.1")]


def test_layouts_are_learned_and_mean_the_same(lab: Lab) -> None:
    """The short way (a known layout) and the long one (a new one) must agree for every message."""
    build(lab)
    recorder = Recorder(Live())
    nswire.scan(recorder)
    decoder = link.Decoder()
    for name, answer in recorder.answers.items():
        if name.endswith("/links") and isinstance(answer, bytes):
            assert decoder.decode(answer) == decoder.decode(answer) == link.Decoder().decode(answer)


def outcome(decoder: link.Decoder, answer: bytes) -> object:
    """The links, or what is wrong with them."""
    try:
        return decoder.decode(answer)
    except (MalformedReply, NetlinkError) as error:
        return str(error)


def test_a_known_layout_is_taken_for_nothing_else(lab: Lab) -> None:
    """Whatever byte of a message is changed, headers inside of headers too: who knows the layout of the true one reads the
    same in it as who has never seen one."""
    build(lab)
    recorder = Recorder(Live())
    nswire.scan(recorder)
    answers = [answer for name, answer in recorder.answers.items() if name.endswith("/links")]
    learned = 0
    for answer in answers:
        assert isinstance(answer, bytes)
        for kind, start, end in split(answer)[0]:
            message = answer[start - 16 : end] + DONE
            assert kind == link.RTM_NEWLINK
            for at in range(16, len(message) - len(DONE)):
                knowing = link.Decoder()
                knowing.decode(message)
                changed = message[:at] + bytes([message[at] ^ 0x05]) + message[at + 1 :]
                fresh = outcome(link.Decoder(), changed)
                assert outcome(knowing, changed) == fresh
                assert outcome(knowing, message) == outcome(link.Decoder(), message)
                learned += sum(map(len, knowing._layouts.values())) > 1
    assert learned > 100  # so many changes made another layout


def test_a_known_loopback_still_has_to_be_of_the_namespace_that_was_asked_about() -> None:
    """The echo of the target is looked at each time, also where all else is known."""
    body = struct.pack("=BxHiII", 0, 772, 1, 0x49, 0) + attribute(3, b"lo\0")
    echoed = body + attribute(link.IFLA_TARGET_NETNSID, struct.pack("=i", 5))
    plain, other = (struct.pack("=IHHII", 16 + len(b), 16, 2, 1, 0) + b + DONE for b in (body, echoed))
    decoder = link.Decoder()
    assert decoder.decode(plain) == decoder.decode(plain) == decoder.decode(other, 5)
    for answer, target in ((other, None), (other, 6), (plain, 5)):
        with pytest.raises(MalformedReply):
            decoder.decode(answer, target)


@pytest.mark.parametrize("decode", DECODERS)
@given(noise=st.binary(max_size=300))
def test_noise_is_malformed_and_nothing_else(decode: Callable[[bytes], object], noise: bytes) -> None:
    """Never a hang, never another exception."""
    try:
        decode(noise)
    except (MalformedReply, NetlinkError):
        return
    assert noise == b"" or len(noise) >= 16


@pytest.mark.parametrize("decode", DECODERS)
@given(body=st.binary(max_size=200), kind=st.sampled_from([16, 20, 24, 88]), flags=st.integers(0, 0xFFFF))
def test_noise_in_a_message(decode: Callable[[bytes], object], body: bytes, kind: int, flags: int) -> None:
    """A well-framed message with any content."""
    message = struct.pack("=IHHII", 16 + len(body), kind, flags, 1, 0) + body + bytes(-len(body) % 4)
    try:
        decode(message + DONE)
    except (MalformedReply, NetlinkError):
        return


def test_changed_bytes_of_real_answers(lab: Lab) -> None:
    """Real answers with any byte changed: another answer or MalformedReply."""
    build(lab)
    recorder = Recorder(Live())
    topology = nswire.scan(recorder)
    for ns in topology.namespaces:
        topology.gateways(ns)
    rng = random.Random(1)
    readers: dict[str, Callable[[bytes], object]] = {
        "links": link.Decoder().decode,
        "addresses": address.decode,
        "routes": route.gateways,
    }
    for name, answer in recorder.answers.items():
        reader = readers.get(name.rpartition("/")[2])
        if reader is None or not isinstance(answer, bytes):
            continue
        for _ in range(400):
            changed = bytearray(answer)
            changed[rng.randrange(len(changed))] = rng.randrange(256)
            try:
                reader(bytes(changed))
            except (MalformedReply, NetlinkError):
                continue


def test_errors_are_found_in_both_places() -> None:
    """An error may come as NLMSG_ERROR, or inside NLMSG_DONE, where a naive reader sees an empty table."""
    for kind in (2, 3):
        with pytest.raises(NetlinkError) as caught:
            link.Decoder().decode(struct.pack("=IHHIIi", 20, kind, 0, 1, 0, -22))
        assert caught.value.errno == 22
    assert link.Decoder().decode(DONE) == ()


def test_an_answer_for_the_wrong_namespace_is_refused() -> None:
    """Kernels before 4.20 ignore the target of an address dump and answer for the asking namespace."""
    message = (
        struct.pack("=IHHII", 16 + 8 + 8, 20, 2, 1, 0)
        + struct.pack("=BBBBI", 2, 8, 0, 0, 1)
        + attribute(2, bytes(4))
    )
    assert address.decode(message + DONE)
    with pytest.raises(MalformedReply, match="another namespace"):
        address.decode(message + DONE, target=3)


def test_an_unassigned_id_is_negative() -> None:
    """NETNSA_NSID is signed: read as unsigned it would be namespace 4294967295."""
    message = request(88, b"\0" * 4 + attribute(1, struct.pack("=i", -1)))
    assert nsid.decode(message) == (nsid.NOT_ASSIGNED,)


def test_an_interrupted_dump_is_noticed() -> None:
    """NLM_F_DUMP_INTR may be in any message of the dump."""
    assert split(struct.pack("=IHHII", 16, 16, 2, 1, 0) + struct.pack("=IHHIIi", 20, 3, 0x12, 1, 0, 0))[1]
    assert not split(DONE)[1]


@given(name=st.binary(min_size=1, max_size=15).filter(lambda name: b"\0" not in name))
def test_names_keep_every_byte(name: bytes) -> None:
    """A name that is no UTF-8 comes back byte for byte."""
    body = struct.pack("=BxHiII", 0, 1, 7, 0, 0) + attribute(3, name + b"\0")
    message = struct.pack("=IHHII", 16 + len(body), 16, 2, 1, 0) + body
    (found,) = link.Decoder().decode(message + DONE)
    assert os.fsencode(found.ifname) == name


@pytest.mark.parametrize(
    "parse",
    [
        procfs.processes,
        procfs.table,
        procfs.names,
        procfs.mounts,
        lambda answer: [ethtool.peer_ifindex(answer)],
    ],
)
@given(noise=st.binary(max_size=300))
def test_texts_of_any_kind(parse: Callable[[bytes], object], noise: bytes) -> None:
    """What cannot be read is skipped."""
    parse(noise)


def test_mountinfo_with_odd_paths() -> None:
    """Blanks and newlines are octal in mountinfo; other namespaces than network ones are left out."""
    text = (
        b"36 35 0:4 net:[4026532177] /run/netns/a\\040b\\012c rw shared:1 - nsfs nsfs rw\n"
        b"37 35 0:4 mnt:[4026532178] /run/x rw - nsfs nsfs rw\n"
        b"38 35 0:4 / /run/net:[5] rw - tmpfs nsfs rw\n"
    )
    assert list(procfs.mounts(text)) == [procfs.MountRow(4026532177, "/run/netns/a b\nc")]
