"""The old ebtables, on kernels that have it: nft knows nothing of it. Packets are sent through a bridge, and foretold."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from filter_frames import FRAMES
from filter_site import C, Case, Sent, Site, wrong

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

TO_C = Sent(dst=C)


@pytest.mark.needs("ip", "ebtables-legacy", "iptables-legacy", "ipset", "nft")
def test_frames_of_the_old_tables(lab: Lab) -> None:
    """As the new ones: with its list, and with a kernel that tells which tables are in use or does not."""
    site = Site(lab)
    if not _has_ebtables(site):
        pytest.skip("this kernel has no tables of ebtables")
    more = [("-t nat -A POSTROUTING -o pc -j DROP", "D"), ("-t broute -A BROUTING -p IPv4 -j DROP", "?")]
    cases = [
        Case(f"ebtables-legacy {rule}".replace("EBT", "ebtables-legacy"), fate, TO_C)
        for rule, fate in [*FRAMES, *more]
    ]
    assert not wrong(site, cases, ("ebtables-legacy",))


def _has_ebtables(site: Site) -> bool:
    with site.spaces["r"].entered():
        return subprocess.run(["ebtables-legacy", "-L"], check=False, capture_output=True).returncode == 0
