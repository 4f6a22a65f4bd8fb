"""`customer 17`: the alias of a link (`ip link set alias`), as a whole."""

from nswire.handles.family import LinkFamily, as_it_is

FAMILY = LinkFamily("alias", 6, as_it_is, lambda link: (link.fact.alias,) if link.fact.alias else ())
