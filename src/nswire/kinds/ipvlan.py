"""ipvlan and ipvtap: addresses of their own on a lower link, with its MAC."""

from nswire.kinds.fields import U16, Field, bits, words
from nswire.kinds.kind import Kind
from nswire.model.values import LinkFact

IPVLAN = {
    1: Field("mode", words(U16, {0: "l2", 1: "l3", 2: "l3s"})),
    2: Field("", bits("private", "vepa", read=U16)),
}


def _ipvtap(fact: LinkFact) -> tuple[int, ...]:
    """IFLA_LINK, left out where it equals the own ifindex, and never an IFLA_LINK_NETNSID: see `netns_unsaid`."""
    return (fact.link or fact.ifindex,)


KINDS = (
    Kind("ipvlan", "lower", fields=IPVLAN, brief={"mode": None}, family="ipvlan"),
    # The driver has no get_link_net, so a moved one looks as if its lower link were in its own namespace (5.10 to 7.3).
    Kind(
        "ipvtap",
        "lower",
        _ipvtap,
        fields=IPVLAN,
        brief={"mode": None},
        leaf=True,
        served=True,
        netns_unsaid=True,
        family="ipvlan",
    ),
)
