"""An IPv6 address is not used, since somebody else was found to have it, or since that cannot be found out.

## Why it is bad

An address with `dadfailed` is answered for by nobody here, and is no source of any packet. One that stays `tentative` waits for
duplicate address detection to end, which it does not.

## When it is not

For a second or two after an address was added it is tentative. What is found is looked at again five seconds later. Addresses of
a link without a carrier wait for that, and are not told, nor are link-local ones that are tentative.

## Example

    # ip -6 address show dev eth0
    inet6 2001:db8::2/64 scope global dadfailed tentative

## Fix

Find who has it (`nswire show ADDRESS`), give one of the two another, and add it anew; `nodad` where detection can never end.

## Source

net/ipv6/addrconf.c, addrconf_dad_failure, addrconf_dad_begin; moby#48609, debops#2065.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.check.network import carries
from nswire.check.rule import Fact, Finding, Rule
from nswire.model.reasons import Reason
from nswire.model.values import DADFAILED, OPTIMISTIC
from nswire.path.values import Mend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.check.network import Network

FAILED = Reason(
    "dad-failed.duplicate",
    "{address} of {link} is not used: somebody on its segment has it already (dadfailed)",
)
WAITS = Reason(
    "dad-failed.tentative", "{address} of {link} is not used yet: detection of duplicates does not end"
)


def find(network: Network) -> Iterator[Finding]:
    """Addresses that are refused, or still not decided on, of links that packets pass."""
    for link in network.links():
        for address in link.addresses:
            failed = address.flags & DADFAILED
            waits = "tentative" in address.trouble and not address.flags & OPTIMISTIC
            if not failed and not (waits and carries(link)):
                continue
            told = {"address": address.address, "link": network.name(link)}
            command = ("ip", "address", "del", address.address, "dev", link.ifname)
            yield Finding(
                cause=FAILED(**told) if failed else WAITS(**told),
                subjects=(link.end,),
                facts=(Fact(link.end, "address", address.address), Fact(link.end, "dadfailed", bool(failed))),
                mend=Mend("takes it away; add another one, or the same with nodad", link.end.ns, command),
            )


RULE = Rule("dad-failed", "error", find, under=("duplicate-ip",), settles=5.0)
