"""An owner in a few words, as every text and drawing tells it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nswire.model.values import Owner

WORDS = {
    "container": "{name}",
    "pod": "pod {name}",
    "vm": "VM {name}",
    "dhcp": "dhcp of network {name}",
    "router": "router {name}",
    "snat": "snat of router {name}",
    "fip": "floating IPs of network {name}",
    "metadata": "metadata of network {name}",
    "port": "{of} {name}",
    "network": "network {name}",
    "unit": "{name}",
    "app": "{name}",
    "process": "{name}",
}
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def called(one: Owner) -> str:
    """An owner by what and who it is: `pod shop/web`, `dhcp of network fabc7ead`. Escape it like any text from outside."""
    name = one.name[:8] if UUID.fullmatch(one.name) else one.name
    of = dict(one.data).get("of", one.type)
    return WORDS.get(one.type, "{type} {name}").format(type=one.type, name=name, of=of)
