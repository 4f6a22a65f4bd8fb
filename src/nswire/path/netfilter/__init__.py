"""Netfilter: what the rules of a namespace do with a packet.

`hooks` has the order of chains, `rules` runs them, `compare` and `fields` judge conditions (`headers`, `fibs`: what they look
at), `conntrack` and `nat` are what the kernel calls so.
"""

from __future__ import annotations

from nswire.path.netfilter.fields import Sight
from nswire.path.netfilter.hook_point import Place
from nswire.path.netfilter.hooks import Outcome, traverse

__all__ = ["Outcome", "Place", "Sight", "traverse"]
