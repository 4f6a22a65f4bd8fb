"""What is supposed of what nobody knows, and when a packet is sent: by tables."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from nswire.codec.netlink import route, rule
from nswire.model.firewall import Key
from nswire.model.firewall import Test as Asked
from nswire.model.tables import Moment
from nswire.path.netfilter import clock, hashes
from nswire.path.netfilter.compare import Known
from nswire.path.supposed import Supposed
from nswire.path.values import Connection, Flow, Packet

PACKET = Packet(Flow("10.0.0.2", "10.0.0.1", 17))


def asks(first: int, last: int, name: str = "ip id") -> Asked:
    """Whether a key is in a range."""
    return Asked((Key(name),), (((first, last),),))


def test_what_is_supposed_holds_for_all_rules() -> None:
    """A number that is below 100 is below 200, and not above 150; whether it is below 50 is open."""
    supposed = Supposed()
    thing = supposed.thing(asks(0, 99), None, PACKET)
    assert thing is not None
    assert supposed.told(thing, asks(0, 99)) is None
    supposed.suppose(thing, asks(0, 99), None, holds=True)
    wanted = {(0, 199): True, (151, 200): False, (0, 49): None, (99, 99): None}
    assert {span: supposed.told(thing, asks(*span)) for span in wanted} == wanted
    supposed.suppose(thing, asks(0, 49), None, holds=False)
    assert supposed.told(thing, asks(50, 99)) is True
    supposed.forget()
    assert supposed.told(thing, asks(50, 99)) is None


def test_a_port_is_one_of_its_range() -> None:
    """Both halves of the range that is known: whoever is not in the one is in the other."""
    supposed, known = Supposed(), (1000, 1999)
    thing = supposed.thing(asks(0, 1499, "th sport"), known, PACKET)
    supposed.suppose(thing, asks(0, 1499, "th sport"), known, holds=False)
    assert supposed.told(thing, asks(1500, 1999, "th sport")) is True


@pytest.mark.parametrize("name", ["number 0 3", "cpu", "ip checksum", "ct id"])
def test_what_changes_from_place_to_place_is_not_supposed(name: str) -> None:
    """Chance, the processor, a sum that each router makes anew."""
    assert Supposed().thing(asks(0, 1, name), None, PACKET) is None


def test_an_answer_is_another_packet() -> None:
    """Its numbers are its own."""
    answer = Packet(PACKET.flow.reverse, answer=True)
    things = [Supposed().thing(asks(0, 1), None, one) for one in (PACKET, answer)]
    assert things[0] != things[1]


NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()  # a Saturday
LATE = datetime(2026, 11, 28, 23, 55, tzinfo=UTC).timestamp()
TIMES: list[tuple[str, Moment | None, Known]] = [
    ("utc time", Moment(NOON), (int(NOON) - 60, int(NOON) + 600)),
    ("time", Moment(NOON, 3600), (int(NOON) + 3540, int(NOON) + 4200)),
    ("time", Moment(NOON), (int(NOON) - 60 - 50400, int(NOON) + 600 + 50400)),
    ("utc hour", Moment(NOON), (43140, 43800)),
    ("hour", Moment(NOON, -3600), (39540, 40200)),
    ("hour", Moment(NOON), (0, 86399)),
    ("utc hour", Moment(LATE), (0, 86399)),
    ("day", Moment(NOON), (0, 6)),
    ("day", Moment(NOON - 3 * 86400), (2, 4)),
    ("day", None, None),
]


@pytest.mark.parametrize(("name", "moment", "known"), TIMES)
def test_times(name: str, moment: Moment | None, known: Known) -> None:
    """Where the clock's zone is not known, all zones are possible; the kernel's own is never known."""
    assert clock.known(moment, name) == known


def test_processors() -> None:
    """Any that there may be."""
    assert clock.processor(Moment(NOON, 0, 4)) == (0, 3)
    assert clock.processor(Moment(NOON)) is None


@pytest.mark.parametrize(("words", "seed"), [(1, 7), (3, 0), (4, 7), (9, 1)])
def test_hashes_are_spread(words: int, seed: int) -> None:
    """Which numbers they are, tests with packets say; here that each bit of the data and the seed counts."""
    data = bytes(range(4 * words))
    found = {hashes.jhash(data, seed), hashes.jhash(data[:-1] + b"\0", seed), hashes.jhash(data, seed + 1)}
    assert len(found) == 3
    assert all(0 <= hashes.scaled(one, 10) < 10 for one in found)


def test_a_connection_counts() -> None:
    """Packets and bytes of each direction; what is not known stays so."""
    conn = Connection(PACKET.flow, PACKET.flow.reverse)
    conn.count(0, 60)
    conn.count(1, None)
    conn.count(1, 40)
    assert (conn.packets, conn.sizes) == ((1, 2), (60, None))


def message(kind: int, body: bytes) -> bytes:
    """A netlink message."""
    return (16 + len(body)).to_bytes(4, "little") + kind.to_bytes(2, "little") + bytes(10) + body


def attribute(kind: int, value: bytes) -> bytes:
    """An attribute."""
    return (4 + len(value)).to_bytes(2, "little") + kind.to_bytes(2, "little") + value


REALM = attribute(11, bytes((7, 0, 0, 0)))
SEGMENTS = attribute(8, attribute(8, bytes((0, 4, 0, 0))))
HOP = (8 + len(REALM)).to_bytes(2, "little") + bytes(6) + REALM


@pytest.mark.parametrize(
    ("body", "marked"),
    [
        (b"", (False, False)),
        (REALM, (True, False)),
        (SEGMENTS, (False, True)),
        (attribute(9, HOP), (True, False)),
    ],
)
def test_marks_of_routes(body: bytes, marked: tuple[bool, bool]) -> None:
    """RTA_FLOW, also of one next hop of several, and RTAX_ADVMSS."""
    assert route.marked(message(24, bytes(12) + body)) == marked


def test_realms_of_rules() -> None:
    """FRA_FLOW."""
    assert rule.realms(message(32, bytes(12)) + message(32, bytes(12) + REALM)) == (False, True)
