"""macvlan and macvtap: MACs of their own on a lower link."""

from nswire.kinds.fields import S32, U32, Field, words
from nswire.kinds.kind import Kind

MACVLAN = {
    1: Field("mode", words(U32, {1: "private", 2: "vepa", 4: "bridge", 8: "passthru", 16: "source"})),
    9: Field("bccutoff", S32),
}

KINDS = (
    Kind("macvlan", "lower", fields=MACVLAN, brief={"mode": None}),
    Kind("macvtap", "lower", fields=MACVLAN, brief={"mode": None}, leaf=True, served=True),
)
