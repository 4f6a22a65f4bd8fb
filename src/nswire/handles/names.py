"""The names of a link: `tap39d60faa-aa` (ifname), `enp3s0` (altname, `ip link property add`), `customer 17` (alias, as a whole)."""

from nswire.handles.matcher import LinkFamily, as_it_is

IFNAME = LinkFamily("ifname", 1, as_it_is, lambda link: (link.fact.ifname,), scoped=True)
ALTNAME = LinkFamily("altname", 2, as_it_is, lambda link: link.fact.altnames, scoped=True)
ALIAS = LinkFamily("alias", 6, as_it_is, lambda link: (link.fact.alias,) if link.fact.alias else ())
