"""`tap39d60faa-aa`: the name of a link."""

from nswire.handles.family import LinkFamily, as_it_is

FAMILY = LinkFamily("ifname", 1, as_it_is, lambda link: (link.fact.ifname,), scoped=True)
