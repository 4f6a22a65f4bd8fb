"""When the machine is looked at again: what the kernel tells, and what has to be found out."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

import pytest

from nswire.host.live import Live
from nswire.host.monitor import Notices
from nswire.lab.lab import wait_until
from nswire.web import refresh as room
from nswire.web.refresh import LATEST, QUIET, REST, SPACES, WHOLE, Watching

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Served

    from nswire.lab.lab import Lab

A_WHILE = 5.0  # seconds that a notice may take


# -- what the kernel tells ---------------------------------------------------------------------------------------


@pytest.fixture
def notices(lab: Lab) -> Iterator[Notices]:
    made = Notices()
    yield made
    made.close()
    del lab


def told(notices: Notices, *, patience: float = A_WHILE) -> bool:
    select.select([notices], [], [], patience)
    return notices.drain()


def test_it_hears_of_links_and_addresses_at_home_and_next_door(lab: Lab, notices: Notices) -> None:
    near = lab.namespace("named", "near")
    pair = lab.pair(lab.home, "vethnear", near, "eth0")
    assert told(notices)
    while told(notices, patience=0.2):  # duplicate address detection, carrier
        pass
    lab.rtnl(lab.home).set("vethnear", mtu=1400)
    assert told(notices)
    while told(notices, patience=0.2):
        pass
    lab.rtnl(near).address(pair[1][1], "10.0.0.1/24")
    assert told(notices)


def test_it_does_not_hear_of_what_is_two_doors_away(lab: Lab, notices: Notices) -> None:
    """Documented in docs/serve.md; should a kernel tell one day, the page may be told of it."""
    near, far = lab.namespace("named", "near"), lab.namespace("named", "far")
    lab.pair(lab.home, "vethnear", near, "eth0")
    pair = lab.pair(near, "vethfar", far, "eth0")
    while told(notices, patience=0.5):
        pass
    lab.rtnl(far).address(pair[1][1], "10.0.0.1/24")
    assert not told(notices, patience=0.5)


# -- when to look, by a clock of our own -------------------------------------------------------------------------


class Clock:
    """Time, and what the kernel says at it."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.said = False
        self.spaces = frozenset({1})

    def monotonic(self) -> float:
        return self.now

    def drain(self) -> bool:
        said, self.said = self.said, False
        return said

    def close(self) -> None:
        pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(room, "time", made)
    monkeypatch.setattr(room, "Notices", lambda: made)
    monkeypatch.setattr(Watching, "_found", lambda _: made.spaces)
    return made


@pytest.fixture
def watched(clock: Clock) -> Watching:
    made = Watching(Live())
    assert made.patience() is None
    made.begin()
    assert made.changed()  # whatever happened before somebody listened
    look(made, clock)
    return made


def look(watched: Watching, clock: Clock, cost: float = 0.0) -> None:
    watched.looking()
    clock.now += cost
    watched.looked(cost)


def due_after(watched: Watching, clock: Clock, *, chatter: float = 0.0) -> float:
    """How long it takes until it is time to look."""
    begun = clock.now
    while not watched.due():
        patience = watched.patience()
        assert patience is not None
        clock.now += min(patience, chatter or patience) or 0.001
        clock.said = bool(chatter)
    return clock.now - begun


def test_when_nothing_is_said_it_looks_now_and_then(watched: Watching, clock: Clock) -> None:
    assert due_after(watched, clock) == pytest.approx(WHOLE)


def test_what_is_said_is_waited_for_until_it_is_all(watched: Watching, clock: Clock) -> None:
    clock.said = True
    assert due_after(watched, clock) == pytest.approx(QUIET)
    look(watched, clock)
    assert not watched.changed()


def test_but_not_for_ever(watched: Watching, clock: Clock) -> None:
    clock.said = True
    assert due_after(watched, clock, chatter=QUIET / 3) == pytest.approx(LATEST, abs=QUIET)


def test_looking_rests_in_proportion_to_its_cost(watched: Watching, clock: Clock) -> None:
    look(watched, clock, cost=1.0)
    clock.said = True
    assert due_after(watched, clock, chatter=0.1) == pytest.approx(REST * 1.0, abs=0.2)


def test_other_namespaces_are_noticed(watched: Watching, clock: Clock) -> None:
    clock.spaces = frozenset({1, 2})
    assert due_after(watched, clock) == pytest.approx(SPACES + QUIET, abs=QUIET)


# -- together ----------------------------------------------------------------------------------------------------


def test_the_page_is_told_of_what_changes(lab: Lab, serve: Callable[..., Served]) -> None:
    """Once for each change of the picture, by another name each time."""
    served = serve().enter()
    with served.events() as event:
        names = [event()]
        near = lab.namespace("named", "near")
        names.append(event())
        lab.pair(lab.home, "vethnear", near, "eth0", up=False)
        names.append(event())
        lab.rtnl(near).set("eth0", mtu=1400)
        names.append(event())
    assert [name for name, _ in names] == ["state", "changed", "changed", "changed"]
    assert len({state for _, state in names}) == 4


def test_a_question_in_between_hides_no_change(lab: Lab, serve: Callable[..., Served]) -> None:
    """It makes the worker look, which is what the listeners wait for as well."""
    near = lab.namespace("named", "near")
    lab.pair(lab.home, "vethnear", near, "eth0")
    served = serve().enter()
    with served.events() as event:
        states = [event()[1]]
        for mtu in (1400, 1300):
            lab.rtnl(near).set("eth0", mtu=mtu)
            assert f'"mtu":{mtu}' in served.get("/api/v1/peer?handle=vethnear").text
            served.get("/api/v1/netns")
            states.append(event()[1])
    assert len(set(states)) == 3


def test_it_watches_only_while_somebody_looks(lab: Lab, serve: Callable[..., Served]) -> None:
    """And while it does, it keeps no namespace alive."""
    served = serve().enter()
    folder = f"/proc/{served.process.pid}/fd"
    before = len(os.listdir(folder))
    gone = lab.namespace("named", "gone")
    with served.events() as event:
        event()
        assert len(os.listdir(folder)) == before + 1
        gone.close()
        while event()[0] != "changed":
            pass
    wait_until(lambda: len(os.listdir(folder)) == before, what="the end of listening")


def test_a_recording_is_what_it_is(serve: Callable[..., Served]) -> None:
    from test_serve import BLOG

    served = serve("--from", BLOG).enter()
    with served.events() as one, served.events() as other:
        assert one() == other()
