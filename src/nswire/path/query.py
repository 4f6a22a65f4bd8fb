"""The question that people ask, made complete: from whom, to whom, which packet. What was not said is chosen as the kernel would."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from nswire.codec.checked import is_decimal
from nswire.errors import PathQueryError
from nswire.handles import find
from nswire.path import endpoints, trace
from nswire.path.endpoints import OUT, Receiver, Sender
from nswire.path.values import ICMP, ICMPV6, TCP, UDP, Flow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nswire.model.topology import Link, Topology
    from nswire.model.values import Namespace, Owner
    from nswire.path.values import Trace

PROTOCOLS = {"icmp": ICMP, "tcp": TCP, "udp": UDP}


class Party(NamedTuple):
    """Somebody as a handle names him: the word itself, his links, his namespace if it is that which is meant, who he is."""

    word: str
    links: Sequence[Link] = ()
    namespace: Namespace | None = None
    owner: Owner | None = None


class Wanted(NamedTuple):
    """Which packet. Empty, 0 or None: whatever fits. `size` in bytes, with DF set; `uid`, `gid`: the user and group who send it."""

    proto: str = ""
    sport: int = 0
    dport: int = 0
    mark: int = 0
    src: str = ""
    size: int = 0
    uid: int | None = None
    gid: int | None = None
    family: int = 0
    reply: bool = True


class Question(NamedTuple):
    """A complete question, and what was assumed."""

    sender: Sender
    receiver: Receiver
    flow: Flow
    notes: tuple[str, ...]


def complete(topology: Topology, sender: Party, receiver: Party | None, wanted: Wanted) -> Question:
    """The question. `receiver` None: the internet; an address needs no links. PathQueryError, with the word that it is about."""
    try:
        begin = endpoints.sender(topology, sender.word, sender.links, sender.namespace, sender.owner)
    except PathQueryError as error:
        raise error.of(sender.word) from None
    address = endpoints.address(receiver.word) if receiver is not None else ""
    family = wanted.family or _family(wanted.src or address) or _only_family(begin.addresses)
    if receiver is not None and not address:
        try:
            behind = endpoints.means_guest(receiver.word, receiver.links, receiver.owner)
            end = endpoints.receiver(receiver.links, family, guest=behind)
        except PathQueryError as error:
            raise error.of(receiver.word) from None
    else:
        end = Receiver(address or OUT[family or 4])
    family = _family(end.address)
    source = wanted.src or next((one for one in begin.addresses if _family(one) == family), "")
    if source and _family(source) != family:
        raise PathQueryError(
            f"{end.address} cannot be reached from it: one is IPv4, the other IPv6", subject=source
        )
    if begin.by is not None and not source:
        reason, hint = "the addresses of what is behind it are not known", "give one: --src ADDRESS"
        raise PathQueryError(reason, hint, sender.word)
    if wanted.src and not begin.oif and begin.by is None:
        begin = endpoints.bound(topology, begin, wanted.src)
    proto = _protocol(wanted.proto, family, ports=bool(wanted.sport or wanted.dport))
    out = f"{end.address} stands for the internet" if receiver is None else ""
    notes = tuple(note for note in (begin.note, out) if note)
    return Question(begin, end, Flow(end.address, source, proto, wanted.sport, wanted.dport), notes)


def ported(topology: Topology, to: str, wanted: Wanted) -> tuple[str, Wanted]:
    """TO without the protocol and the port that people write around it, and the packet with these. PathQueryError: it says another one.

    What is a handle as it stands (`tcp:8080`, whoever listens there) is one.
    """
    if endpoints.address(to) or find(topology, to):
        return to, wanted
    host, port, proto = endpoints.split(to)
    if not port:
        return to, wanted
    for name, one, other in (("dport", port, wanted.dport), ("proto", proto, wanted.proto)):
        if one and other and one != other:
            word = f"port {one}" if name == "dport" else one
            raise PathQueryError(f"it names {word}, and --{name} is {other}", "give one of the two", to)
    return host, wanted._replace(dport=port, proto=proto or wanted.proto)


def follow(topology: Topology, question: Question, wanted: Wanted) -> Trace:
    """The answer."""
    begin = question.sender
    return trace(
        topology,
        topology.lookups(),
        begin.ns,
        question.flow,
        to=question.receiver.ns,
        by=begin.by,
        oif=begin.oif,
        mark=wanted.mark,
        size=wanted.size,
        uid=wanted.uid,
        gid=wanted.gid,
        reply=wanted.reply,
    )


def _family(address: str) -> int:
    return 0 if not address else 6 if ":" in address else 4


def _only_family(addresses: tuple[str, ...]) -> int:
    """The family of a sender that has addresses of one alone."""
    found = {_family(one) for one in addresses}
    return found.pop() if len(found) == 1 else 0


def _protocol(word: str, family: int, *, ports: bool) -> int:
    word = word or ("tcp" if ports else "icmp")
    if is_decimal(word) and int(word) < 256:
        return int(word)
    if word in ("icmp", "icmpv6", "icmp6"):
        return ICMPV6 if family == 6 else ICMP
    if word not in PROTOCOLS:
        raise PathQueryError("there is no such protocol", f"{', '.join(PROTOCOLS)} or a number", word)
    return PROTOCOLS[word]
