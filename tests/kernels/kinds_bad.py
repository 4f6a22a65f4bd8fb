"""What goes wrong elsewhere: lower links that moved away, or are in no namespace that can be found; ports that left; stacks.

deep     a namespace that nothing findable holds, with lower links of what is in `first`
rack     a host whose NICs were moved to it, with a bond on them
"""

from __future__ import annotations

import contextlib
from itertools import count
from typing import TYPE_CHECKING

import kinds_nics
from kinds_cases import CASES
from kinds_nics import CARD
from kinds_truth import NEIGHBOURS, Tie, Way
from nswire.lab import attributes as nla

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kinds_cases import Case
    from kinds_site import Site

OWN, LOWERS, PEER_OF_LOWER, STACK = 6000, 6100, 6500, 6800
NUMBER = 200  # for keys, ids and the like: those below are taken
PORT = 30000
MARKER = "deep-marker"

TRAP, LOWER = "a trap", "the lower link"
LOWER_MOVED, LOWER_HIDDEN = "its lower link moved away", "its lower link in a hidden namespace"
DEV_GONE, DEV_TAKEN = "its device moved away", "its device moved away, and another has its ifindex"
LOOKALIKES = "two links could be its lower link"
BOND_OF_NICS, PORT_LEFT, STACKED = (
    "a VLAN on a bond of moved NICs",
    "a port that left its bridge",
    "a stack of VLANs",
)
VARIANTS = (LOWER_MOVED, LOWER_HIDDEN, DEV_GONE, DEV_TAKEN, LOOKALIKES)
CASES_HERE = (BOND_OF_NICS, PORT_LEFT, STACKED)
GOES_ALONG = ("vlan", "vlan 802.1ad", "macvlan bridge", "macvtap", "ipvlan l2")
"""Their kernel keeps a reference to the lower link, wherever that one goes."""
GOES_DOWN = ("macsec", "vxlan dev")
"""They are deleted when the lower link leaves their namespace."""
BY_NUMBER = (
    "gre dev",
    "gretap dev",
    "ip6gre dev",
    "ipip dev",
    "sit dev",
    "ip6tnl dev",
    "vti dev",
    "vti6 dev",
    "xfrm dev",
)
"""They remember the ifindex alone, and look it up for each packet in the namespace that they were born in."""
FROM_HIDDEN = (
    "vlan",
    "macvlan bridge",
    "ipvlan l2",
    "ipvtap",
    "macsec",
    "vxlan dev",
    "gre dev",
    "ip6tnl dev",
    "gre",
    "vxlan",
)
"""Born where nothing that can be found leads to, and then moved to `first`."""
BY_NAME = {case.name: case for case in CASES}
HIGHEST = 16  # more than MAX_NEST_DEV of the kernel (8)
SAME_MAC = "02:cc:00:00:00:01"


def build(site: Site) -> None:
    """Build those whose kinds this kernel makes."""
    site.space("rack")
    site.hidden("deep", MARKER)
    numbers = count()
    _lower_moved(site, numbers)
    _lookalikes(site, numbers)
    _device_moved(site, numbers)
    _from_hidden(site, numbers)
    _bond_of_nics(site)
    _port_left(site)
    _stack(site)


def _upper(case: Case, number: int, on: str) -> tuple[str, str, int]:
    """The command that makes a link of a case on a lower link, its name and its ifindex."""
    name, index = f"bad{number}", OWN + number
    words = case.words.format(p=on, q="", n=NUMBER + number, port=PORT + number)
    return f"link add name {name} index {index} {words}", name, index


def _lower(site: Site, case: str, number: int, ns: str = "first", goes: str = "") -> tuple[str, str, int]:
    """The same of a lower link for it, a veth, which is moved later."""
    name, index = f"low{number}", LOWERS + number
    line = site.veth(
        case, (ns, name, index), (ns, f"{name}x", PEER_OF_LOWER + number), variant=LOWER, goes=goes
    )
    return line, name, index


def _lower_moved(site: Site, numbers: Iterator[int]) -> None:
    """Those whose kernel says where it went are told so; and those that go down with it are not there any more."""
    lines, moves = [], []
    for name in (*GOES_ALONG, *GOES_DOWN, "ipvtap"):
        if not site.can(name):
            continue
        case, number = BY_NAME[name], next(numbers)
        made, lower, at = _lower(site, name, number, goes="third")
        upper, ifname, index = _upper(case, number, lower)
        lines += [made, upper]
        moves.append(f"link set dev {lower} netns third")
        if name in GOES_DOWN:
            site.truth.deleted.append((name, LOWER_MOVED))
        else:
            tie = Tie(case.relation, "third", at, case.evidence)
            site.made(name, LOWER_MOVED, case.kind, "first", index, ifname, [tie])
        if name == "ipvtap":  # its kernel says the ifindex alone, which now is another link's
            moves.append(
                site.veth(
                    name, ("first", "trap-ipvtap", at), ("first", "trap-ipvtapx", at + 900), variant=TRAP
                )
            )
    site.run("first", lines + moves)


def _lookalikes(site: Site, numbers: Iterator[int]) -> None:
    """Two links with the ifindex and the MAC that an ipvtap tells of its lower one."""
    if not site.can("ipvtap"):
        return
    number = next(numbers)
    made, lower, at = _lower(site, "ipvtap", number)
    upper, ifname, index = _upper(BY_NAME["ipvtap"], number, lower)
    twin = site.veth("ipvtap", ("other", lower, at), ("other", f"{lower}x", at + 900), variant=TRAP)
    site.run(
        "first",
        [made, f"link set dev {lower} address {SAME_MAC}", upper, f"link set dev {ifname} netns away"],
    )
    site.run("other", [twin, f"link set dev {lower} address {SAME_MAC}"])
    site.made("ipvtap", LOOKALIKES, "ipvtap", "away", index, ifname, state="ambiguous", candidates=2)


def _device_moved(site: Site, numbers: Iterator[int]) -> None:
    """Nothing is left under them, or what has the ifindex now: that is where their packets go."""
    cases = [BY_NAME[name] for name in BY_NUMBER if site.can(name)]
    for variant in (DEV_GONE, DEV_TAKEN):
        made, lower, at = _lower(site, NEIGHBOURS, next(numbers), goes="third")
        lines, back = [made], []
        for case in cases:
            upper, ifname, index = _upper(case, next(numbers), lower)
            lines.append(upper)
            ties = [Tie(case.relation, "first", at)] if variant == DEV_TAKEN else []
            state = "" if ties else "gone"
            site.made(case.name, variant, case.kind, "first", index, ifname, ties, state=state)
        if variant == DEV_TAKEN:
            back = [
                site.veth(NEIGHBOURS, ("first", "taker", at), ("first", "takerx", at + 900), variant=TRAP)
            ]
        site.run("first", [*lines, f"link set dev {lower} netns third", *back])


def _from_hidden(site: Site, numbers: Iterator[int]) -> None:
    """What they stand on can only be read by the id that `first` has for that namespace."""
    lines = [site.veth(NEIGHBOURS, ("deep", MARKER, LOWERS + 99), ("deep", f"{MARKER}x", PEER_OF_LOWER + 99))]
    for name in FROM_HIDDEN:
        if not site.can(name):
            continue
        case, number = BY_NAME[name], next(numbers)
        made, lower, at = _lower(site, NEIGHBOURS, number, ns="deep") if case.lowers else ("", "", 0)
        upper, ifname, index = _upper(case, number, lower)
        lines += [*([made] if made else []), upper, f"link set dev {ifname} netns first"]
        tie = Tie(case.relation, "deep", at or None, case.evidence)
        site.made(name, LOWER_HIDDEN, case.kind, "first", index, ifname, [tie])
    site.run("deep", lines)


def _bond_of_nics(site: Site) -> None:
    """NICs moved to a host of their own, which has a bond and VLANs on it; one VLAN has moved on. Without NICs: veths."""
    if not site.needs(BOND_OF_NICS, "bond active-backup", "vlan"):
        return
    bond = Tie("port", "rack", STACK)
    steps = [(-1, "lower", "rack/bond0"), (0, "uplink", "rack/nic0"), (0, "uplink", "rack/nic1")]
    if site.can(CARD):
        ends = ((1, "nic"), (2, "nic"))
        own: Way = Way(BOND_OF_NICS, "rack/nic0", (), ((-1, "nic"),))
        for number in range(2):
            card = kinds_nics.take(site, kinds_nics.PORTS)
            kinds_nics.place(site, card, "rack", f"nic{number}", BOND_OF_NICS, "its port", bond)
    else:
        ends = ((3, "routes"), (4, "routes"))
        own = Way(BOND_OF_NICS, "rack/nic0", ((-1, "peer", "first/wall0"),), ((0, "routes"),))
        for number in range(2):
            end = ("first", f"nic{number}", STACK + 1 + number)
            peer = ("first", f"wall{number}", STACK + 11 + number)
            made = site.veth(BOND_OF_NICS, end, peer, bond, variant="its port", goes="rack")
            site.run("first", [made, f"link set dev nic{number} netns rack"])
            steps.append((1 + number, "peer", f"first/wall{number}"))
    lines = [
        "link set dev nic0 down",
        "link set dev nic1 down",
        f"link add name bond0 index {STACK} type bond mode balance-xor miimon 0",
        "link set dev nic0 master bond0",
        "link set dev nic1 master bond0",
        f"link add name bond0.100 index {STACK + 3} link bond0 type vlan id 100",
        f"link add name bond0.200 index {STACK + 4} link bond0 type vlan id 200",
        "link set dev bond0.200 netns away",
    ]
    site.run("rack", lines)
    site.made(BOND_OF_NICS, "the bond", "bond", "rack", STACK, "bond0")
    for ns, number in (("rack", 3), ("away", 4)):
        name = f"bond0.{number - 2}00"
        site.made(BOND_OF_NICS, f"in {ns}", "vlan", ns, STACK + number, name, [Tie("lower", "rack", STACK)])
    site.truth.ways += [Way(BOND_OF_NICS, "away/bond0.200", tuple(steps), ends), own]


def _port_left(site: Site) -> None:
    """A port that is moved away is none any more."""
    bridge = STACK + 20
    line = site.veth(
        PORT_LEFT, ("first", "leaver", bridge + 1), ("first", "leaverx", bridge + 2), goes="third"
    )
    made = f"link add name bereft index {bridge} type bridge"
    site.run("first", [made, line, "link set dev leaver master bereft", "link set dev leaver netns third"])
    site.made(PORT_LEFT, "its bridge", "bridge", "first", bridge, "bereft")
    site.truth.ways += [
        Way(PORT_LEFT, "first/bereft", (), ((-1, "no ports"),)),
        Way(PORT_LEFT, "third/leaver", ((-1, "peer", "first/leaverx"),), ((0, "routes"),)),
    ]


def _stack(site: Site) -> None:
    """VLAN on VLAN, as high as the kernel builds it, every second one moved away."""
    if not site.needs(STACKED, "vlan"):
        return
    bottom = STACK + 30
    site.run("first", [site.veth(STACKED, ("first", "stack0", bottom), ("first", "stack0x", bottom + 30))])
    floors = 0
    with site.spaces["first"].rtnl() as rtnl, contextlib.suppress(OSError):
        for floor in range(1, HIGHEST):
            at = bottom + floor
            rtnl.link(f"stack{floor}", "vlan", nla.vlan_data(floor), index=at, lower=at - 1)
            floors = floor
    site.run("first", [f"link set dev stack{floor} netns away" for floor in range(1, floors + 1, 2)])
    spaces = ["first", "away"] * floors
    steps = []
    for floor in range(1, floors + 1):
        tie = Tie("lower", spaces[floor - 1], bottom + floor - 1)
        site.made(STACKED, f"floor {floor}", "vlan", spaces[floor], bottom + floor, f"stack{floor}", [tie])
        steps.append(("lower", f"{spaces[floor - 1]}/stack{floor - 1}"))
    way = [(after - 1, *step) for after, step in enumerate([*reversed(steps), ("peer", "first/stack0x")])]
    site.truth.ways.append(Way(STACKED, f"{spaces[floors]}/stack{floors}", tuple(way), ((floors, "routes"),)))
