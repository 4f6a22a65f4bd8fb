"""What reading and walking a large ruleset costs, beside `nft -j list ruleset` itself, in one run.

    bench/firewall.py            50 000 rules, a set of 100 000 elements

The target: at most twice the processor time of the list itself. No number fails.
"""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src")]

import nswire  # noqa: E402 (beside this file)
from nswire.lab.private import PrivateHostError, call_in_private_host  # noqa: E402
from nswire.path import Flow, trace  # noqa: E402

RULES, ELEMENTS = 50_000, 100_000
UDP = 17


def ruleset() -> str:
    """Rules that none of our packets is taken by, so that it meets all of them, and then the set."""
    number = random.Random(1)
    elements = number.sample(range(0x0B000000, 0x0BFFFFFF), ELEMENTS)
    kinds = (
        "ip saddr {a} tcp dport {p} drop",
        "ip daddr {a} udp dport {p} accept",
        'iifname "eth{p}" ip saddr {a} counter drop',
        "meta mark 0x{p:x} accept",
    )
    rules = (
        kinds[at % 4].format(a=_address(number.randrange(0x0B000000, 0x0BFFFFFF)), p=1000 + at % 60_000)
        for at in range(RULES)
    )
    return (
        f"table inet big {{ set s {{ type ipv4_addr; elements = {{ {', '.join(map(_address, elements))} }}; }}\n"
        "chain c { type filter hook output priority 0;\n" + "\n".join(rules) + "\nip saddr @s drop\n}\n}\n"
    )


def _address(number: int) -> str:
    return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))


def measure() -> tuple[float, float, float, str]:
    """Processor time of the list, of the first walk without the programs that it runs, of a second walk; and the verdict."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["nft", "-f", "-"], input=ruleset(), text=True, check=True)
    before = _children()
    subprocess.run(["nft", "-j", "list", "ruleset"], stdout=subprocess.DEVNULL, check=True)
    listed = _children() - before
    topology = nswire.scan()
    lookups = topology.lookups()
    home = os.stat("/proc/self/ns/net").st_ino
    spent = []
    for _ in range(2):
        start = time.process_time()
        found = trace(topology, lookups, home, Flow("127.0.0.1", "", UDP, 0, 9))
        spent.append(time.process_time() - start)
    return listed, spent[0], spent[1], found.forward.fate


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    """Measure, and print."""
    try:
        listed, first, again, fate = call_in_private_host(measure)
    except PrivateHostError as error:
        sys.exit(f"bench/firewall.py: {error}")
    print(f"{RULES} rules, a set of {ELEMENTS} elements, the packet {fate}\n")
    print("| what | CPU s | of the list |\n|---|---|---|")
    for what, spent in (
        ("`nft -j list ruleset`", listed),
        ("reading that and walking all of it", first),
        ("a second walk", again),
    ):
        print(f"| {what} | {spent:.2f} | {spent / listed:.2f} |")


if __name__ == "__main__":
    main()
