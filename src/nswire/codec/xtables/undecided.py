"""Matches that nobody can decide, and targets that change nothing about where a packet goes, each with the reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.xtables.rows import Extension, spec
from nswire.model.firewall import Opaque

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nswire.codec.xtables.rows import Where
    from nswire.codec.xtables.words import Part
    from nswire.model.firewall import Statement


LASTING = {"osf", "string"}
"""Of a packet it is the same wherever it is asked."""


def _opaque(part: Part, _: Where) -> Iterable[Statement]:
    yield Opaque(part.text, lasting=part.text if part.name in LASTING else "")


_REASONS = {
    "cgroup": "which control group sent it is known to the sender's socket alone",
    "connlimit": "how many connections there are at that moment",
    "cpu": "which CPU happens to have the packet",
    "esp": "the SPI; of all other protocols `-p esp` is false before",
    "hashlimit": "a rate",
    "ipcomp": "the CPI; of all other protocols `-p ipcomp` is false before",
    "ipvs": "what IPVS made of it",
    "ipv4options": "options in the header, which a program may set",
    "l2tp": "what is in the tunnel",
    "limit": "a rate",
    "nfacct": "a quota that others use up",
    "osf": "who sent it, by guess",
    "quota": "what is left of it",
    "rateest": "a rate",
    "socket": "whether a program has a socket for it",
    "string": "what is in the packet",
}
_ARITY = {
    # texts that may look like an option
    "string": spec("--string --hex-string --algo --from --to --icase:0"),
    "hashlimit": spec(
        "--hashlimit-name --hashlimit-mode --hashlimit-upto --hashlimit-above --hashlimit-burst"
    ),
    "cgroup": spec("--cgroup --path"),
    "nfacct": spec("--nfacct-name"),
    "rateest": spec("--rateest1 --rateest2 --rateest:1 --rateest-delta:0 --rateest-bps --rateest-pps"),
}
_TRACKING = {"connlimit"}
UNDECIDED: dict[str, Extension] = {
    name: Extension(_opaque, _ARITY.get(name, {}), name in _TRACKING) for name in _REASONS
}
HARMLESS = {
    "AUDIT": "tells the audit system",
    "CHECKSUM": "fills in a checksum that the hardware would have",
    "CONNSECMARK": "labels for security modules",
    "IDLETIMER": "starts a timer",
    "LED": "switches a light on",
    "LOG": "writes a line",
    "NFLOG": "copies it to a program",
    "RATEEST": "counts",
    "SECMARK": "a label for security modules",
    "TRACE": "the kernel tells what becomes of it",
    "ULOG": "copies it to a program",
}
HARMLESS_ARITY = {
    "LOG": spec(
        "--log-prefix --log-level --log-tcp-sequence:0 --log-tcp-options:0 --log-ip-options:0 --log-uid:0 --log-macdecode:0"
    ),
    "NFLOG": spec("--nflog-prefix --nflog-group --nflog-range --nflog-size --nflog-threshold"),
    "ULOG": spec("--ulog-prefix --ulog-nlgroup --ulog-cprange --ulog-qthreshold"),
}
