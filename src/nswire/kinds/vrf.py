"""VRFs: a routing table of their own for their ports. A master, but no way further by layer 2."""

from nswire.kinds.fields import U32, Field
from nswire.kinds.kind import Kind

TABLE = {1: Field("table", U32)}

KINDS = (Kind("vrf", fields=TABLE, brief={"table": None}, port_fields=TABLE, routes=True),)
