"""`69`: an ifindex, which many links of a host may have. `ifindex:69` if a link is called 69, too."""

from nswire.handles.matcher import LinkFamily, number

PREFIX = "ifindex:"

FAMILY = LinkFamily("ifindex", 3, number, lambda link: (str(link.fact.ifindex),), scoped=True)
TYPED = LinkFamily(
    "ifindex",
    0,
    lambda text: number(text.removeprefix(PREFIX)) if text.startswith(PREFIX) else None,
    lambda link: (str(link.fact.ifindex),),
    prefix=PREFIX,
    scoped=True,
)
