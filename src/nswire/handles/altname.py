"""`enp3s0`: another name of a link (`ip link property add altname`)."""

from nswire.handles.family import LinkFamily, as_it_is

FAMILY = LinkFamily("altname", 2, as_it_is, lambda link: link.fact.altnames, scoped=True)
