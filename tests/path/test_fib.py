"""The route lookup of our own, which recordings need, against the kernel's: random rules and routes, random packets."""

from __future__ import annotations

import ipaddress
import random
import subprocess
from errno import EACCES, EHOSTUNREACH, EINVAL, ENETUNREACH
from typing import TYPE_CHECKING

import pytest

import nswire
from nswire.host.replay import Recorded
from nswire.model.tables import Query
from nswire.path.branching import Chooser
from nswire.path.fib import REFUSALS, Fib
from nswire.path.values import WITH_PORTS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from nswire.lab.lab import Lab
    from nswire.lab.netns import Ns
    from nswire.model.tables import Lookups

LINKS = 3
# What the kernel calls each refusal, of a route and of a rule.
OF_ROUTES = {"blackhole": EINVAL, "unreachable": EHOSTUNREACH, "prohibit": EACCES}
OF_RULES = {"blackhole": EINVAL, "unreachable": ENETUNREACH, "prohibit": EACCES, "none": ENETUNREACH}


def address(rng: random.Random, family: int) -> str:
    """One of few, so that routes and packets meet."""
    if family == 4:
        return f"10.{rng.randint(0, 3)}.{rng.randint(0, 3)}.{rng.randint(1, 6)}"
    return f"fd00:{rng.randint(0, 3)}:{rng.randint(0, 3)}::{rng.randint(1, 6)}"


def network(rng: random.Random, family: int) -> str:
    """Of any length, also none."""
    length = rng.choice((0, 8, 14, 16, 22, 24, 30, 32) if family == 4 else (0, 16, 32, 46, 48, 126, 128))
    return str(ipaddress.ip_network(f"{address(rng, family)}/{length}", strict=False))


def commands(rng: random.Random, family: int) -> list[str]:
    """For `ip -batch -force`: some of them make no sense together, and are refused."""
    lines = []
    for number in range(LINKS):
        host = f"10.{number}.0.100/16" if family == 4 else f"fd00:{number}::100/32"
        lines += [f"address add {host} dev v{number}{'' if family == 4 else ' nodad'}"]
    tables = (254, 254, 254, 253, 77, 78)
    for _ in range(rng.randint(5, 25)):
        kind = rng.choice(("unicast",) * 6 + ("blackhole", "unreachable", "prohibit", "throw"))
        way = f"dev v{rng.randrange(LINKS)}" if kind == "unicast" else ""
        metric = f"metric {rng.choice((10, 20, 20, 30))}"
        lines.append(f"route add {kind} {network(rng, family)} {way} table {rng.choice(tables)} {metric}")
    for _ in range(rng.randint(0, 6)):
        selector = rng.choice((
            f"from {network(rng, family)}", f"to {network(rng, family)}", "fwmark 0x1/0x3", "fwmark 0x2",
            "ipproto udp", "ipproto tcp dport 80-90", "sport 1024", "not from all fwmark 0x1", "oif v1", "iif lo",
            "uidrange 1000-1001", "uidrange 0-0",
        ))  # fmt: skip
        action = rng.choice((
            "table 77", "table 78", "table 77 suppress_prefixlength 8", "table 77 suppress_ifgroup 5", "table 254 suppress_ifgroup 5", "blackhole", "unreachable", "prohibit", "goto 32766",
        ))  # fmt: skip
        lines.append(f"rule add priority {rng.randint(1, 300)} {selector} {action}")
    return lines


def build(ns: Ns, lines: list[str], family: int) -> None:
    """Three links that are up, and what the lines say."""
    links = [f"link add v{n} type veth peer name w{n}" for n in range(LINKS)]
    links.append("link set v1 group 5")
    ups = [f"link set {side}{n} up" for n in range(LINKS) for side in "vw"] + ["link set lo up"]
    with ns.entered():
        subprocess.run(["ip", "-batch", "-"], input="\n".join([*links, *ups]) + "\n", text=True, check=True)
        command = ["ip", f"-{family}", "-force", "-batch", "-"]
        subprocess.run(command, input="\n".join(lines) + "\n", text=True, capture_output=True, check=False)


def query(rng: random.Random, family: int) -> Query:
    """A packet that this host sends."""
    proto = rng.choice((1 if family == 4 else 58, 6, 17))
    sport, dport = (rng.choice(some) if proto in WITH_PORTS else 0 for some in ((1024, 1025), (80, 90, 91)))
    mark, uid = rng.choice((0, 0, 1, 2, 3)), rng.choice((0, 0, 1000, 1002))
    return Query(address(rng, family), "", 0, 0, mark, proto, sport, dport, uid=uid)


@pytest.mark.needs("ip")
@pytest.mark.parametrize("family", [4, 6])
def test_the_kernel_says_the_same(lab: Lab, family: int, rounds: Callable[[int], int]) -> None:
    """The same route, or the same refusal, for each packet."""
    for seed in range(rounds(30)):
        rng = random.Random(f"{family} {seed}")
        ns = lab.namespace("named", f"fib{family}{seed}")
        lines = commands(rng, family)
        build(ns, lines, family)
        topology = nswire.scan()
        lookups = topology.lookups()
        fib = Fib(topology, lookups)
        for _ in range(40):
            asked = query(rng, family)
            kernel = lookups.decision(ns.inode, asked)
            entry = lookups.decision(ns.inode, asked._replace(match=True))
            mine = fib.lookup(ns.inode, asked)
            told = (seed, asked, kernel, mine, lines)
            assert kernel is not None
            assert not mine.unsure, told
            assert not fib.asks_more(ns.inode, asked), told
            if isinstance(kernel, int):
                assert mine.type in REFUSALS or mine.type == "none", told
                errnos = OF_ROUTES if mine.route is not None else OF_RULES
                assert family == 6 or errnos[mine.type] == kernel, told
                continue
            assert mine.type == kernel.type, told
            assert mine.hops[0].ifindex == kernel.hops[0].ifindex, told
            assert not isinstance(entry, int | None), told
            assert mine.route is not None
            assert (mine.route.dst, mine.route.table) == (entry.dst, entry.table), told


# Who asks, what is there besides, and what became of the rules: with a rule that was there once the answer is another one.
LOCAL_AND_MAIN = """
ip route add local 192.0.2.0/24 dev lo table local
ip route add 192.0.2.0/25 via 10.0.0.100 dev v0
ip route add local 198.51.100.0/24 dev lo table main
"""
RULES = {
    "never a rule": "",
    "a rule": "ip rule add pref 100 from 203.0.113.7 lookup 100",
    "a rule once": "ip rule add pref 100 from 203.0.113.7 lookup 100; ip rule del pref 100",
    "one of its own once": "ip rule del pref 32767; ip rule add pref 32767 lookup default",
}


@pytest.mark.needs("ip")
@pytest.mark.parametrize("rules", RULES.values(), ids=RULES)
def test_local_and_main_are_one_until_the_first_rule(lab: Lab, rules: str, tmp_path: Path) -> None:
    """Which route counts, and whether an address is one's own to send from: live, by the tables, and from a recording."""
    ns = lab.namespace("named", "fib")
    build(ns, ["address add 10.0.0.1/24 dev v0"], 4)
    with ns.entered():
        subprocess.run(["sh", "-ec", f"{LOCAL_AND_MAIN}{rules}"], check=True)
        own = subprocess.run(
            ["ip", "route", "get", "10.0.0.100", "from", "198.51.100.5"], capture_output=True, check=False
        )
    file = tmp_path / "1.nsw"
    nswire.record(file)
    live = nswire.scan()
    for topology in (live, nswire.scan(Recorded.open(file))):
        fib = Fib(topology, topology.lookups())
        for address in ("192.0.2.5", "192.0.2.200", "198.51.100.5"):
            kernel = live.lookups().decision(ns.inode, Query(address))
            mine = fib.lookup(ns.inode, Query(address))
            assert not isinstance(kernel, int | None)
            assert (mine.type, mine.unsure) == (kernel.type, ""), address
        chooser = Chooser()
        assert fib.local(ns.inode, "198.51.100.5", chooser) is (own.returncode == 0)
        assert not chooser.made


@pytest.mark.needs("ip")
def test_where_the_kernel_was_not_asked(lab: Lab) -> None:
    """As from an older recording: both are possible, and each walk sticks to one of them."""
    ns = lab.namespace("named", "fib")
    build(ns, ["address add 10.0.0.1/24 dev v0"], 4)
    with ns.entered():
        subprocess.run(["sh", "-ec", LOCAL_AND_MAIN], check=True)
    topology = nswire.scan()
    fib = Fib(topology, Uncounted(topology.lookups()))  # type: ignore[arg-type]
    query = Query("192.0.2.5")
    assert "is not known" in fib.lookup(ns.inode, query).unsure
    found = [
        (fib.lookup(ns.inode, query, chooser).type, fib.local(ns.inode, "198.51.100.5", chooser))
        for chooser in (Chooser(), Chooser([1]))
    ]
    assert found == [("unicast", True), ("local", False)]


class Uncounted:
    """Lookups that do not know what the kernel counts in its tables."""

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups

    def __getattr__(self, name: str) -> object:
        return getattr(self._lookups, name)

    def prefixes(self, _: object) -> dict[str, int]:
        """Nothing."""
        return {}
