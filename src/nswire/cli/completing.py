"""Completion of handles, from a quick scan. A shell gets plain names only: nothing in them that it could act on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]{1,256}")


def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of links and namespaces that start with what was typed. A failure offers nothing."""
    del param
    try:
        import nswire

        recording = ctx.params.get("recording")
        topology = nswire.load(recording) if recording else nswire.scan(sources=("names", "mounts"))
    except Exception:  # noqa: BLE001 (a completion that talks destroys the line it is typed on)
        return []
    names = {link.ifname: None for link in topology.links() if not link.loopback}
    names.update(
        (f"{link.netns.label}/{link.ifname}", None) for link in topology.links() if "/" in incomplete
    )
    names.update((ns.label, None) for ns in topology.namespaces.values())
    return [name for name in names if name.startswith(incomplete) and PLAIN.fullmatch(name)]
