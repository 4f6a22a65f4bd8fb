"""What cannot be read of a firewall: it is unknown only for a packet that would meet it. And what can be read, though not by everyone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from filter_site import C, Case, Sent, Site, has_arptables, wrong

import nswire
from nswire.host import firewall_tools

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

XT = "iptables-nft -A FORWARD -m comment --comment c -m addrtype --dst-type LOCAL -j DROP\n"
NATIVE: list[tuple[str, str]] = [
    ("ip saddr { 10.0.1.9, 10.0.1.8 } drop", "P"),
    ("ip saddr { 10.0.1.2, 10.0.1.8 } drop", "D"),
    ("udp dport vmap { 7000 : drop }", "D"),
    ("udp dport vmap { 7001 : drop }", "P"),
    ('iifname { "br0", "lo" } drop', "D"),
    ("ip daddr set 10.0.2.77", "D"),
]
INCOMPATIBLE = "nft add rule ip filter FORWARD ct state established drop\n"
ARP_RULE = "ebtables-nft -A FORWARD -p ARP --arp-ip-src 10.0.1.77 -j DROP\n"


def without(monkeypatch: pytest.MonkeyPatch, folder: Path, *names: str) -> None:
    """As if these programs were not installed: all others, in a folder of our own."""
    folder.mkdir(exist_ok=True)
    for path in (Path(one) for one in firewall_tools.FOLDERS.split(":")):
        for program in path.glob("*tables*"):
            link = folder / program.name
            if program.name not in names and not link.is_symlink():
                link.symlink_to(program)
    (folder / "nft").symlink_to("/usr/sbin/nft")
    monkeypatch.setattr(firewall_tools, "FOLDERS", os.fspath(folder))


@pytest.mark.needs("ip", "iptables-nft", "iptables-legacy", "ipset", "nft")
def test_native_rules_beside_extensions(lab: Lab) -> None:
    """iptables-nft-save leaves out what it has no words for: nft tells it."""
    site = Site(lab)
    assert not wrong(
        site, [Case(f"{XT}nft 'add rule ip filter FORWARD {rule}'", fate) for rule, fate in NATIVE]
    )


@pytest.mark.needs("ip", "iptables-nft", "iptables-legacy", "ipset", "nft")
def test_a_table_that_iptables_refuses(lab: Lab) -> None:
    """An extension that nobody tells of is a condition at its place: what nft tells of its rule is decided first."""
    site = Site(lab)
    rule = "iptables-nft -A FORWARD {} -m addrtype --dst-type LOCAL -j DROP\n" + INCOMPATIBLE
    cases = [Case(rule.format("-p udp --dport 7000"), "?"), Case(rule.format("-p udp --dport 7001"), "P")]
    assert not wrong(site, cases)


@pytest.mark.needs("ip", "ebtables-nft", "iptables-legacy", "ipset", "nft")
def test_a_rule_of_frames_is_no_rule_of_packets(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neutron's ARP protection on a compute node, where ebtables-nft-save is not there: it can take ARP alone."""
    site = Site(lab)
    site.shell("r", ARP_RULE)
    without(monkeypatch, tmp_path / "programs", "ebtables-nft-save")
    topology = nswire.scan()
    assert site.foretold(Sent()).fate == "delivered"
    assert site.foretold(Sent(dst=C)).fate == "delivered"
    site.shell("a", "ip neigh del 10.0.1.3 dev ea")
    assert site.foretold(Sent(dst=C)).fate == "unknown"
    topology.lookups().firewall(site.spaces["r"].inode)
    assert any("ebtables-nft-save is not installed" in gap.why for gap in topology.gaps)
    monkeypatch.undo()
    assert site.foretold(Sent(dst=C)).fate == "delivered"


@pytest.mark.needs("ip", "arptables-legacy", "iptables-legacy", "ipset", "nft")
def test_tables_of_arp_without_their_program(
    lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has to be asked for by ARP cannot be known; what needs no question is not concerned."""
    site = Site(lab)
    if not has_arptables(site):
        pytest.skip("this kernel has no arp_tables")
    site.shell("r", "arptables-legacy -A OUTPUT -s 1.2.3.4 -j DROP")
    without(monkeypatch, tmp_path / "programs", "arptables-legacy")
    assert site.foretold(Sent()).fate == "delivered"
    site.shell("r", "ip neigh del 10.0.2.2 dev rb")
    assert site.foretold(Sent()).fate == "unknown"
    monkeypatch.undo()
    assert site.foretold(Sent()).fate == "delivered"


@pytest.mark.needs("ip", "iptables-legacy", "iptables-nft", "ipset", "nft")
def test_recordings_have_it_all(lab: Lab, tmp_path: Path) -> None:
    """Sets, tables of ARP and extensions: a recording says the same as the machine."""
    site = Site(lab)
    rules = {
        "set": "ipset create s hash:ip; ipset add s 10.0.1.2; iptables-legacy -A FORWARD -m set --match-set s src -j DROP",
        "extension": "iptables-nft -A FORWARD -m addrtype --src-type UNICAST -j DROP",
        "arp": "ip neigh del 10.0.2.2 dev rb; arptables-legacy -A OUTPUT -d 10.0.2.2 -j DROP",
        "seen": "iptables-legacy -A FORWARD -m recent ! --rcheck --name x -j DROP",
        "frames": "ebtables-nft -A FORWARD -p IPv4 --ip-proto udp --ip-dport 7000 -j DROP",
    }
    for name, rule in rules.items():
        if name == "arp" and not has_arptables(site):
            continue
        site.shell("r", rule)
        sent = Sent(dst=C) if name == "frames" else Sent()
        assert site.foretold(sent).fate == "dropped"
        assert site.foretold(sent, os.fspath(tmp_path / name)).fate == "dropped", name
        site.clean("iptables-legacy", rule)
        if name == "arp":
            site.shell("r", "arptables-legacy -F; ip neigh replace 10.0.2.2 lladdr 02:00:00:00:02:02 dev rb")
        site.clean("iptables-nft", "")
