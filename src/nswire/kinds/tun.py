"""tun and tap: links whose other side is a process, or nobody for now. Who it is: facets/taps.py."""

from nswire.kinds.fields import U8, U32, Field, switch, words
from nswire.kinds.kind import Kind

TUN = {
    1: Field("user", U32),
    2: Field("group", U32),
    3: Field("type", words(U8, {1: "tun", 2: "tap"})),
    4: Field("pi", switch),
    5: Field("vnet_hdr", switch),
    6: Field("persist", switch),
    7: Field("multi_queue", switch),
    8: Field("numqueues", U32),
}

KINDS = (Kind("tun", fields=TUN, brief={"type": None}, leaf=True, served=True),)
