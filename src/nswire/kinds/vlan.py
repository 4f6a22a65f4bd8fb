"""VLANs: a tag on a lower link; and macsec, which encrypts on one."""

from nswire.kinds.fields import BE16, U8, U16, Field, number, switch, words
from nswire.kinds.kind import Kind

VLAN = {
    1: Field("id", U16),
    5: Field("protocol", words(BE16, {0x8100: "802.1Q", 0x88A8: "802.1ad"})),
}


def _sci(value: bytes) -> str | None:
    """IFLA_MACSEC_SCI: eight bytes, written in hex as they are on the wire."""
    return value.hex() if len(value) == 8 else None


MACSEC = {
    1: Field("sci", _sci),
    4: Field(
        "cipher_suite",
        words(
            number("=Q"),
            {
                0x0080020001000001: "GCM-AES-128",  # DEFAULT_CIPHER_ID of before 2015 stands for the first, too
                0x0080C20001000001: "GCM-AES-128",
                0x0080C20001000002: "GCM-AES-256",
                0x0080C20001000003: "GCM-AES-XPN-128",
                0x0080C20001000004: "GCM-AES-XPN-256",
            },
        ),
    ),
    6: Field("encoding_sa", U8),
    7: Field("encrypt", switch),
    8: Field("protect", switch),
    12: Field("replay_protect", switch),
    13: Field("validation", words(U8, {0: "disabled", 1: "check", 2: "strict"})),
    15: Field("offload", words(U8, {0: "off", 1: "phy", 2: "mac"})),
}

KINDS = (
    Kind("vlan", "lower", fields=VLAN, brief={"protocol": "802.1Q", "id": None}),
    Kind("macsec", "lower", fields=MACSEC),
)
