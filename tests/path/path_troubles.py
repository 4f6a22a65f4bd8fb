"""What goes wrong in a random network, or merely makes it interesting: each adds to a world that is not built yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from path_worlds import Leg, Segment, World

LEGACY = "iptables-legacy"


def _leg(world: World, prefix: str = "") -> tuple[Segment, Leg] | None:
    found = [(s, leg) for node, legs in world.legs.items() for s, leg in legs if node.startswith(prefix)]
    return world.rng.choice(found) if found else None


def _router(world: World) -> str:
    return world.rng.choice([node for node in world.nodes if node.startswith("r")])


def _anybody(world: World) -> str:
    return world.rng.choice(list(world.legs))


def _subnet(world: World) -> str:
    return f"10.{world.rng.choice(world.segments).number}.0.0/24"


def no_forwarding(world: World) -> None:
    """A router that does not route, as a whole or on one link."""
    found = _leg(world, "r")
    if found is None:
        return
    if world.rng.random() < 0.5:
        world.sysctl(found[1].node, "ipv4/ip_forward", "0")
        world.sysctl(found[1].node, "ipv6/conf/all/forwarding", "0")
    else:
        world.sysctl(found[1].node, f"ipv4/conf/{found[1].link}/forwarding", "0")
    world.features.append("no-forwarding")


def reverse_path(world: World) -> None:
    """rp_filter on a router, and a route that makes it count."""
    node = _router(world)
    world.sysctl(node, "ipv4/conf/all/rp_filter", world.rng.choice("12"))
    world.features.append("rp_filter")
    legs = world.legs[node]
    if len(legs) > 1 and world.rng.random() < 0.7:
        (far, _), (_, wrong) = world.rng.sample(legs, 2)
        neighbour = next((leg for leg in far.legs if leg.node != node), None)
        gateway = next((s for s, leg in legs if leg == wrong), None)
        other = next((leg for leg in gateway.legs if leg.node != node), None) if gateway else None
        if neighbour is not None and other is not None:
            world.late(node, f"route replace {neighbour.ipv4}/32 via {other.ipv4}")


def bad_route(world: World) -> None:
    """blackhole, unreachable, prohibit or throw."""
    kind = world.rng.choice(("blackhole", "unreachable", "prohibit", "throw"))
    found = _leg(world)
    if found is not None:
        world.late(_anybody(world), f"route replace {kind} {found[1].ipv4}/32")
        world.features.append(kind)


def policy(world: World) -> None:
    """A rule that sends some packets to another table, or nowhere."""
    node = _anybody(world)
    rng = world.rng
    source = rng.choice(world.segments).legs[0].ipv4
    selector = rng.choice(
        (
            f"from {source}",
            f"to {_subnet(world)}",
            "fwmark 0x7",
            "ipproto udp dport 53",
            "ipproto tcp",
            "iif lo",
        )
    )
    action = rng.choice(
        ("blackhole", "unreachable", "prohibit", "table 77", "table 77", "table main suppress_prefixlength 0")
    )
    world.late(node, f"rule add priority {rng.randint(100, 200)} {selector} {action}")
    segment, leg = rng.choice(world.legs[node])
    other = next((one for one in segment.legs if one.node != leg.node), None)
    if other is not None:
        world.ip(node, f"route replace default via {other.ipv4} table 77")
    world.features.append("policy")


def multipath(world: World) -> None:
    """A route with two ways."""
    for node, legs in world.legs.items():
        if node in world.vrfs:
            continue
        others = [one for segment, leg in legs for one in segment.legs if one.node != leg.node]
        if len(others) > 1:
            chosen = world.rng.sample(others, 2)
            ways = " ".join(f"nexthop via {one.ipv4}" for one in chosen)
            world.late(node, f"route replace 198.51.100.0/24 {ways}")
            world.late(node, f"route replace {_subnet(world)[:-2]}16 {ways}")
            world.features.append("multipath")
            return


def link_down(world: World) -> None:
    """One end of something is down."""
    found = _leg(world)
    if found is None:
        return
    segment, leg = found
    if segment.ports and world.rng.random() < 0.6:
        world.late(segment.switch, f"link set {world.rng.choice(segment.ports)} down")
    else:
        world.late(leg.node, f"link set {leg.link} down")
    world.features.append("down")


def small_mtu(world: World) -> None:
    """A link on the way that takes less."""
    found = _leg(world)
    if found is None:
        return
    segment, leg = found
    size = world.rng.choice((1300, 1400, 1450))
    if segment.ports and world.rng.random() < 0.4:
        world.late(segment.switch, f"link set {world.rng.choice(segment.ports)} mtu {size}")
    else:
        world.late(leg.node, f"link set {leg.link} mtu {size}")
    world.features.append("mtu")


def wrong_neighbour(world: World) -> None:
    """A permanent entry with a MAC that nobody has, or somebody else."""
    found = _leg(world)
    if found is None:
        return
    segment, leg = found
    other = world.rng.choice(segment.legs)
    if other.node != leg.node:
        world.late(
            leg.node,
            f"neigh replace {other.ipv4} lladdr 02:00:00:00:00:{world.rng.randint(16, 99)} dev {leg.link} nud permanent",
        )
        world.features.append("wrong-neighbour")


def silent(world: World) -> None:
    """Somebody who does not answer ARP, or only for addresses of the link that hears it."""
    found = _leg(world)
    if found is None:
        return
    node, link = found[1].node, found[1].link
    if world.rng.random() < 0.5:
        world.sysctl(node, "ipv4/conf/all/arp_ignore", world.rng.choice("128"))
        world.features.append("arp_ignore")
    else:
        world.late(node, f"link set {link} arp off")
        world.features.append("noarp")


def proxy(world: World) -> None:
    """A router that answers for others, to a host without any route but "on link"."""
    node = _router(world)
    for segment, leg in world.legs[node]:
        world.sysctl(node, f"ipv4/conf/{leg.link}/proxy_arp", "1")
        for other in segment.legs:
            if other.node.startswith("h"):
                world.late(other.node, f"route replace 10.0.0.0/8 dev {other.link}")
                world.features.append("proxy_arp")
                return


def switch_ports(world: World) -> None:
    """Isolated ports, blocked ones, hairpins, VLANs that do not fit, no flooding."""
    found = [segment for segment in world.segments if segment.ports]
    if not found:
        return
    segment = world.rng.choice(found)
    port = world.rng.choice(segment.ports)
    what = world.rng.choice(("isolated", "blocking", "hairpin", "vlan", "flood", "learning"))
    if what == "vlan" and "vlan_filtering" not in world.have:
        what = "isolated"
    if what == "isolated":
        for one in segment.ports:
            if world.rng.random() < 0.6:
                world.bridge(segment.switch, f"link set dev {one} isolated on")
    elif what == "blocking":
        world.forced[port] = {"0": "disabled", "4": "blocking"}[state := world.rng.choice("04")]
        world.shell(segment.switch, f"bridge link set dev {port} state {state} || true")
    elif what == "vlan":
        world.bridge(segment.switch, f"vlan add dev {port} vid 77 pvid untagged")
    else:
        world.bridge(segment.switch, f"link set dev {port} {what} {'on' if what == 'hairpin' else 'off'}")
    world.features.append(f"port-{what}")


def _rule(world: World, hook: str) -> str:
    """A random match in nft's language, and a verdict."""
    rng = world.rng
    leg = rng.choice([leg for legs in world.legs.values() for _, leg in legs])
    match = rng.choice(
        (
            "meta l4proto icmp", "icmp type echo-request", "tcp dport 80", "udp dport { 53, 67 }", "tcp dport 1-100",
            f"ip saddr {leg.ipv4}", f"ip daddr {leg.ipv4}", f"ip daddr {_subnet(world)}", f"ip saddr != {_subnet(world)}",
            "ct state new", "ct state established,related", "meta mark 0x7", "th dport 8080", "ip6 nexthdr icmpv6",
            f"ip saddr . tcp dport {{ {leg.ipv4} . 80, {leg.ipv4} . 8080 }}", "fib daddr type local", "tcp flags syn",
            "meta nfproto ipv6", "ip daddr @hosts", "meta l4proto . th dport { tcp . 80, udp . 53 }",
        )
    )  # fmt: skip
    rejecting = "reject" in world.have and hook in ("input", "forward", "output")
    reject = "reject" if rejecting else "drop"
    verdict = rng.choice(
        (
            "drop",
            "accept",
            "accept",
            reject,
            "counter",
            "jump sub",
            "return",
            "meta mark set 0x7",
            "limit rate 1000/second accept",
        )
    )
    return f"{match} {verdict}"


def firewall(world: World) -> None:
    """An nft ruleset with random rules."""
    rng = world.rng
    node = _anybody(world)
    family = rng.choice(("inet", "ip"))
    hosts = ", ".join(
        sorted({leg.ipv4 for legs in world.legs.values() for _, leg in legs if rng.random() < 0.3})
    )
    elements = f"elements = {{ {hosts} }}" if hosts else ""
    hook = rng.choice(("input", "forward", "output", "prerouting", "postrouting"))
    name = f"t{len(world.features)}"

    def rules(count: int) -> str:
        lines = (_rule(world, hook) for _ in range(count))
        if family == "ip":
            lines = (line for line in lines if "6" not in line.replace("67", ""))
        return "\n".join(lines)

    sub = rules(2).replace("jump sub", "accept")
    chain = "route" if hook == "output" and rng.random() < 0.4 else "filter"
    policy = rng.choice(("accept", "accept", "drop"))
    world.nft(
        node,
        f"table {family} {name} {{\n set hosts {{ type ipv4_addr; {elements} }}\n chain sub {{\n{sub}\n }}\n"
        f" chain base {{ type {chain} hook {hook} priority {rng.choice((-150, 0, 10))}; policy {policy};\n{rules(rng.randint(1, 5))}\n }}\n}}",
    )
    world.features.append("nft")


def tables(world: World) -> None:
    """The same with iptables, the new one or the old one."""
    rng = world.rng
    node = _router(world) if rng.random() < 0.6 else _anybody(world)
    tool = rng.choice(("iptables-nft", LEGACY))
    leg = rng.choice([leg for legs in world.legs.values() for _, leg in legs])
    for _ in range(rng.randint(1, 4)):
        chain = rng.choice(("INPUT", "FORWARD", "OUTPUT"))
        match = rng.choice(
            (
                "-p icmp", "-p icmp --icmp-type echo-request", "-p tcp --dport 80", "-p udp -m multiport --dports 53,8080",
                f"-s {leg.ipv4}", f"! -d {leg.ipv4}", "-m conntrack --ctstate NEW", "-m conntrack --ctstate ESTABLISHED",
                "-m addrtype --dst-type LOCAL", "-p tcp --syn", "-m mark --mark 0x7", "-m comment --comment hello",
                f"-m iprange --dst-range {leg.ipv4}-10.99.0.0",
            )
        )  # fmt: skip
        world.shell(
            node, f"{tool} -A {chain} {match} -j {rng.choice(('DROP', 'ACCEPT', 'ACCEPT', 'REJECT'))}"
        )
    if rng.random() < 0.3:
        world.shell(node, f"{tool} -t mangle -A PREROUTING -p udp -j MARK --set-mark 7")
    world.features.append(tool)


def nat(world: World) -> None:
    """Addresses are rewritten: by nft or iptables, source or destination."""
    rng = world.rng
    node = _router(world)
    found = world.legs[node]
    if not found:
        return
    _, leg = rng.choice(found)
    target = rng.choice([one for legs in world.legs.values() for _, one in legs])
    what = rng.choice(("masquerade", "snat", "dnat", "dnat-port", "redirect", "map"))
    tool = rng.choice(("nft", "nft", "iptables-nft", LEGACY))
    port = rng.choice(PORTS)
    if tool == "nft":
        hook, priority = (
            ("postrouting", "srcnat") if what in ("masquerade", "snat") else ("prerouting", "dstnat")
        )
        rule = {
            "masquerade": f'oifname "{leg.link}" masquerade',
            "snat": f'oifname "{leg.link}" snat to {leg.ipv4}',
            "dnat": f"ip daddr {leg.ipv4} dnat to {target.ipv4}",
            "dnat-port": f"tcp dport {port} dnat to {target.ipv4}:8080",
            "redirect": f"udp dport {port} redirect to :53",
            "map": f"dnat ip to tcp dport map {{ {port} : {target.ipv4} }}",
        }[what]
        world.nft(
            node,
            f"table ip nat{len(world.features)} {{ chain c {{ type nat hook {hook} priority {priority};\n {rule}\n }}\n}}",
        )
    else:
        rule = {
            "masquerade": f"POSTROUTING -o {leg.link} -j MASQUERADE",
            "snat": f"POSTROUTING -o {leg.link} -j SNAT --to-source {leg.ipv4}",
            "dnat": f"PREROUTING -d {leg.ipv4} -j DNAT --to-destination {target.ipv4}",
            "dnat-port": f"PREROUTING -p tcp --dport {port} -j DNAT --to-destination {target.ipv4}:8080",
            "redirect": f"PREROUTING -p udp --dport {port} -j REDIRECT --to-ports 53",
            "map": f"PREROUTING -p tcp --dport {port} -j DNAT --to-destination {target.ipv4}",
        }[what]
        world.shell(node, f"{tool} -t nat -A {rule}")
    world.features.append(f"nat-{what}")


def bridged_filter(world: World) -> None:
    """Rules of family bridge on a switch, or those for IP that br_netfilter applies to what it switches."""
    rng = world.rng
    found = [segment for segment in world.segments if segment.ports]
    if not found:
        return
    segment = rng.choice(found)
    leg = rng.choice(segment.legs)
    match = rng.choice(
        (f"ip saddr {leg.ipv4}", f"ip daddr {leg.ipv4}", "meta l4proto icmp", "tcp dport 80", "udp dport 53")
    )
    if "br_netfilter" in world.have and rng.random() < 0.6:
        world.sysctl(segment.switch, "bridge/bridge-nf-call-iptables", "1")
        hook = rng.choice(("prerouting", "forward", "forward", "postrouting"))
        world.nft(
            segment.switch,
            f"table ip br {{ chain c {{ type filter hook {hook} priority 0;\n {match} drop\n }}\n}}",
        )
        world.features.append("br_netfilter")
    elif "bridge-nft" in world.have:
        hook = rng.choice(("prerouting", "forward", "postrouting"))
        world.nft(
            segment.switch,
            f"table bridge br {{ chain c {{ type filter hook {hook} priority 0;\n {match} drop\n }}\n}}",
        )
        world.features.append("bridge-nft")


TROUBLE: tuple[tuple[Callable[[World], None], int], ...] = (
    (no_forwarding, 2),
    (reverse_path, 3),
    (bad_route, 2),
    (policy, 3),
    (multipath, 1),
    (link_down, 2),
    (small_mtu, 2),
    (wrong_neighbour, 2),
    (silent, 2),
    (proxy, 1),
    (switch_ports, 4),
    (firewall, 6),
    (tables, 4),
    (nat, 5),
    (bridged_filter, 3),
)
PORTS = (53, 80, 8080)
