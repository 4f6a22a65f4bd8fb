"""VLANs: a tag more on the lower link, a tag less above it (net/8021q). macsec: the same with encryption."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from nswire import kinds
from nswire.model.reasons import Reason
from nswire.path.devices.device import Device

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.topology import Link
    from nswire.path.context import PathContext
    from nswire.path.values import Frame, Landing, Steps

LOWER_UNKNOWN = Reason("vlan.lower_unknown", "what {link} stands on cannot be seen", unknown=True)
DECRYPTION = Reason("macsec.decryption", "whether {link} can decrypt it is not known", unknown=True)

MACSEC = "macsec"


def send(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """Out by the lower link, with the tag."""
    lower = link.lower
    if lower is None:
        yield ctx.l2.unknown(link, frame, steps, LOWER_UNKNOWN(link=link.ifname))
        return
    if link.kind == MACSEC:
        yield from ctx.l2.send(lower, frame, steps)
        return
    yield from ctx.l2.send(lower, replace(frame, vlans=(*frame.vlans, tag(link))), steps)


def tag(link: Link) -> tuple[str, int]:
    """The tag of a VLAN link."""
    details = kinds.details(link.fact)
    number = details.get("id", 0)
    return str(details.get("protocol", "802.1Q")), number if isinstance(number, int) else 0


def taking(link: Link, outer: tuple[str, int]) -> Link | None:
    """The VLAN link on this one that takes frames with that tag."""
    return next((upper for upper in link.uppers if upper.kind == "vlan" and tag(upper) == outer), None)


def decrypted(ctx: PathContext, link: Link, frame: Frame, steps: Steps) -> Iterator[Landing]:
    """What comes in for a macsec link on this one: whether the keys fit is not for us to know."""
    upper = next(upper for upper in link.uppers if upper.kind == MACSEC)
    if ctx.l2.light:
        yield from ctx.l2.arrive(upper, frame, steps)
        return
    yield ctx.l2.unknown(link, frame, steps, DECRYPTION(link=upper.ifname))


DEVICES = (Device(("vlan",), transmit=send), Device((MACSEC,), transmit=send, from_lower=decrypted))
