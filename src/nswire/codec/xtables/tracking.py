"""The matches that look at the connection of a packet: xt_conntrack.c, xt_state.c, xt_connmark.c."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec import protocol_numbers
from nswire.codec.xtables import made
from nswire.codec.xtables.matches import address_of, mask_of, number_of, opaque
from nswire.codec.xtables.rows import Extension, each, extension, spec
from nswire.model.firewall import Key, Opaque, Test

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import Where
    from nswire.codec.xtables.words import Option, Part
    from nswire.model.firewall import Row, Statement

STATUS = {"none": 0, "expected": 1, "seen_reply": 2, "assured": 4, "confirmed": 8}
TRANSLATED = {"snat": 16, "dnat": 32}  # in --ctstate, though they are bits of the status
WITHOUT = protocol_numbers.CT_STATES["invalid"] | protocol_numbers.CT_STATES["untracked"]


def _states(one: Option, _: Where) -> Iterable[Statement]:
    words = one.value.lower().split(",")
    bits = 0
    for word in words:
        bits |= 0 if word in TRANSLATED else protocol_numbers.CT_STATES[word]
    status = sum({TRANSLATED[word] for word in words if word in TRANSLATED})
    if not status:
        yield made.among("ct state", [(bits, bits)], negate=one.negate, bits=True)
    elif not bits:
        yield made.among("ct status", [(status, status)], negate=one.negate, bits=True)
    elif (
        bits & WITHOUT or one.negate
    ):  # what is not tracked has no status, which these are true of all the same
        yield Opaque(one.text)
    else:
        yield Test((Key("ct state"), Key("ct status", mask=status)), tuple(_either(bits, status)))


def _either(bits: int, status: int) -> Iterable[Row]:
    """One of these states, or one of these bits of the status."""
    for bit in protocol_numbers.CT_STATES.values():
        if bit & bits:
            yield (bit, bit), made.ANY
    for value in range(1, status + 1):
        if value & status == value:
            yield made.ANY, (value, value)


def _status(one: Option, _: Where) -> Iterable[Statement]:
    """`--ctstatus NONE` is true of nothing, negated of all that is tracked: it asks whether any of no bits is set."""
    bits = 0
    for word in one.value.lower().split(","):
        bits |= STATUS[word]
    yield made.among("ct status", [(bits, bits)], negate=one.negate, bits=True)


def _direction(one: Option, _: Where) -> Iterable[Statement]:
    yield made.equal("ct direction", {"ORIGINAL": 0, "REPLY": 1}[one.value], negate=one.negate)


def _protocol(one: Option, _: Where) -> Iterable[Statement]:
    yield made.protocol(one.value, negate=one.negate, key="ct protocol")


_each = each(
    {
        "--ctstate": _states,
        "--state": _states,
        "--ctproto": _protocol,
        "--ctstatus": _status,
        "--ctdir": _direction,
        "--ctexpire": opaque,
        "--ctorigsrc": address_of("ct original {ip} saddr"),
        "--ctorigdst": address_of("ct original {ip} daddr"),
        "--ctreplsrc": address_of("ct reply {ip} saddr"),
        "--ctrepldst": address_of("ct reply {ip} daddr"),
        "--ctorigsrcport": number_of("ct original proto-src", largest=0xFFFF),
        "--ctorigdstport": number_of("ct original proto-dst", largest=0xFFFF),
        "--ctreplsrcport": number_of("ct reply proto-src", largest=0xFFFF),
        "--ctrepldstport": number_of("ct reply proto-dst", largest=0xFFFF),
    }
)


def _conntrack(part: Part, where: Where) -> Iterable[Statement]:
    """All of them have to hold; but what is not tracked is asked for its state alone, if that is asked for (conntrack_mt)."""
    made_of = list(_each(part, where))
    state = next((one for one in part.options if one.name == "--ctstate"), None)
    if state is None or len(part.options) == 1:
        return made_of
    without = bool({"INVALID", "UNTRACKED"} & set(state.value.upper().split(",")))
    return [*_states(state, where), Opaque(part.text)] if without != state.negate else made_of


def _label(part: Part, _: Where) -> Iterable[Statement]:
    """connlabel_mt: a bit of the connection; what has none, of labels or connections, has not that one."""
    given = {one.name: one for one in part.options}
    if "--set" in given:
        return [Opaque(part.text)]
    bit = 1 << made.number(given["--label"].value)  # a name is one of a file on that machine: ValueError
    negate = given["--label"].negate
    return [Test((Key("ct label"),), (((bit, bit),),), negate=negate, bits=True, lax=True)]


def _bytes(part: Part, _: Where) -> Iterable[Statement]:
    """connbytes_mt: of a connection that is counted, as all are while there is such a rule."""
    given = {one.name: one for one in part.options}
    way = {"original": "original ", "reply": "reply ", "both": ""}[given["--connbytes-dir"].value]
    what = {"bytes": "bytes", "packets": "packets", "avgpkt": "avgpkt"}[given["--connbytes-mode"].value]
    asked = given["--connbytes"]
    cell = made.span(asked.value, (1 << 64) - 1)
    return [made.among(f"ct {way}{what}", [cell], negate=asked.negate)]


def _cluster(part: Part, _: Where) -> Iterable[Statement]:
    """cluster_mt: a hash of the source says which node it is; where all of them are this one, it does not matter."""
    given = {one.name: one for one in part.options}
    nodes, mine = made.number(given["--cluster-total-nodes"].value), given["--cluster-local-nodemask"]
    if made.number(mine.value) != (1 << nodes) - 1:
        return [Opaque(part.text)]
    return [made.among("ct direction", [(0, 1)], negate=mine.negate)]


TRACKING: dict[str, Extension] = {
    "conntrack": Extension(
        _conntrack,
        spec(
            "--ctstate --ctproto --ctstatus --ctdir --ctexpire --ctorigsrc --ctorigdst --ctreplsrc --ctrepldst "
            "--ctorigsrcport --ctorigdstport --ctreplsrcport --ctrepldstport"
        ),
        tracks=True,
    ),
    "state": extension({"--state": _states}, tracks=True),
    "connbytes": Extension(_bytes, spec("--connbytes --connbytes-dir --connbytes-mode"), tracks=True),
    "connlabel": Extension(_label, spec("--label --set:0"), tracks=True),
    "cluster": Extension(
        _cluster,
        spec("--cluster-total-nodes --cluster-local-node --cluster-local-nodemask --cluster-hash-seed"),
        tracks=True,
    ),
    "connmark": extension({"--mark": mask_of("ct mark")}, tracks=True),
}
