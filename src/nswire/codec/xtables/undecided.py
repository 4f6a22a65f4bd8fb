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


def _opaque(part: Part, _: Where) -> Iterable[Statement]:
    yield Opaque(part.text)


_REASONS = {
    "bpf": "a program decides",
    "cgroup": "which control group sent it is known to the sender's socket alone",
    "cluster": "a hash of the address",
    "connbytes": "how much went over the connection before",
    "connlabel": "labels are set by whoever likes to",
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
    "statistic": "chance",
    "string": "what is in the packet",
    "tcpmss": "what the sender's stack offers",
    "time": "when it is sent",
    "u32": "bytes of the packet",
}
_ARITY = {
    # texts that may look like an option
    "string": spec("--string --hex-string --algo --from --to --icase:0"),
    "hashlimit": spec(
        "--hashlimit-name --hashlimit-mode --hashlimit-upto --hashlimit-above --hashlimit-burst"
    ),
    "connlabel": spec("--label --set:0"),
    "cgroup": spec("--cgroup --path"),
    "nfacct": spec("--nfacct-name"),
    "bpf": spec("--bytecode --object-pinned"),
    "u32": spec("--u32"),
    "rateest": spec("--rateest1 --rateest2 --rateest:1 --rateest-delta:0 --rateest-bps --rateest-pps"),
}
_TRACKING = {"connbytes", "connlabel", "connlimit", "cluster"}
UNDECIDED: dict[str, Extension] = {
    name: Extension(_opaque, _ARITY.get(name, {}), name in _TRACKING) for name in _REASONS
}
HARMLESS = {
    "AUDIT": "tells the audit system",
    "CHECKSUM": "fills in a checksum that the hardware would have",
    "CONNSECMARK": "labels for security modules",
    "ECN": "clears ECN's bits of TCP, which no route looks at",
    "IDLETIMER": "starts a timer",
    "LED": "switches a light on",
    "LOG": "writes a line",
    "NFLOG": "copies it to a program",
    "RATEEST": "counts",
    "SECMARK": "a label for security modules",
    "TCPMSS": "changes a TCP option, which no route looks at",
    "TCPOPTSTRIP": "removes TCP options, which no route looks at",
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
