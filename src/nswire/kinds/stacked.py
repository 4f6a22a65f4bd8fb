"""Kinds that stand on a lower link and say nothing of themselves that matters here."""

from nswire.kinds.kind import Kind

KINDS = (
    Kind("ipoib", "lower"),
    Kind("rmnet", "lower"),
    Kind("lowpan", "lower"),
    Kind("virt_wifi", "lower"),
)
