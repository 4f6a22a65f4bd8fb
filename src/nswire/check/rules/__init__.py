"""The rules, in the order in which those of one severity are told. A new one is a file in this room and a row here."""

from nswire.check.rule import Rule
from nswire.check.rules import half_up, mtu_wire

__all__ = ["TABLE", "Rule", "named"]

TABLE: tuple[Rule, ...] = (
    mtu_wire.RULE,
    half_up.RULE,
)
_BY_ID = {rule.id: rule for rule in TABLE}


def named(name: str) -> Rule | None:
    """The rule of that id; None: there is none."""
    return _BY_ID.get(name)
