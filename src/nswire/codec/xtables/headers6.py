"""The matches for IPv6's extension headers: net/ipv6/netfilter/ip6t_*.c.

Each is true only of packets that have such a header, also without an option. What is asked about a header that is there
nobody can say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.xtables import made
from nswire.codec.xtables.rows import Extension, spec
from nswire.model.firewall import Key, Opaque, Test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import Reader, Where
    from nswire.codec.xtables.words import Part
    from nswire.model.firewall import Statement

KINDS = {
    "hop-by-hop": "hbh", "hop": "hbh", "ipv6-opts": "dst", "dst": "dst", "ipv6-route": "rt", "route": "rt",
    "ipv6-frag": "frag", "frag": "frag", "ah": "ah", "auth": "ah",
    "protocol": "protocol", "prot": "protocol",
}  # fmt: skip
"""What `ipv6header` calls them; all else that it knows are protocols. `protocol`: what is behind all of them."""


def _header(name: str) -> Reader:
    def read(part: Part, _: Where) -> Iterable[Statement]:
        yield made.equal(f"exthdr {name}", 1)
        if part.options:
            yield Opaque(part.text)

    return read


def _headers(part: Part, _: Where) -> Iterable[Statement]:
    """`ipv6header --header ipv6-frag --soft`: any of these (soft), or exactly these. ValueError: protocols are among them."""
    given = {one.name: one for one in part.options}
    one = given["--header"]
    words = one.value.split(",")
    if one.negate or not set(words) <= set(KINDS):
        yield Opaque(part.text)
        return
    keys = tuple(Key(f"exthdr {KINDS[word]}") for word in words)
    there = (1, 1)
    if "--soft" in given:
        rows = tuple(
            tuple(there if at == column else made.ANY for column in range(len(keys)))
            for at in range(len(keys))
        )
        yield Test(keys, rows)
    else:
        yield Test(keys, ((there,) * len(keys),))
        yield Opaque(part.text)


HEADERS6: dict[str, Extension] = {
    "frag": Extension(
        _header("frag"), spec("--fragid --fraglen --fragres:0 --fragfirst:0 --fragmore:0 --fraglast:0")
    ),
    "hbh": Extension(_header("hbh"), spec("--hbh-len --hbh-opts")),
    "dst": Extension(_header("dst"), spec("--dst-len --dst-opts")),
    "rt": Extension(
        _header("rt"),
        spec("--rt-type --rt-segsleft --rt-len --rt-0-res:0 --rt-0-addrs --rt-0-not-strict:0"),
    ),
    "ah": Extension(_header("ah"), spec("--ahspi --ahlen --ahres:0")),
    "mh": Extension(_header("mh"), spec("--mh-type")),
    "srh": Extension(_header("srh"), {}),
    "ipv6header": Extension(_headers, spec("--header --soft:0")),
    "eui64": Extension(lambda _, __: [made.equal("eui64", 1)], {}),
}
