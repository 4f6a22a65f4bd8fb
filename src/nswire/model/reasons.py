"""Reasons as values: a `Reason` is a row (code, template, the kernel's drop reason), a `Cause` is such a row about somebody.

A reason is declared at the top of the file that uses it. Programs and our own logic compare its code, people read its text;
docs/reasons.md is made of all of them (`tools/reasons`). The drop reasons are those of the kernel's include/net/dropreason-core.h.
"""

from __future__ import annotations

import functools
import string
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Collection


class Reason(msgspec.Struct, frozen=True):
    """A row: what can be the matter.

    `code` is stable and unique, `area.what`. `template` is its sentence, with the names of values in braces. `drop` is the
    kernel's `skb_drop_reason` for it, without SKB_DROP_REASON_; empty: the kernel has none, or nothing is dropped.
    `unknown`: this is why what becomes of a packet is not known. `hint`: what helps against it.
    """

    code: str
    template: str
    drop: str = ""
    unknown: bool = False
    hint: str = ""

    def __call__(self, **values: str | int | Cause) -> Cause:
        """This reason, about these values. KeyError if they are not those of the template."""
        named(self.code, self.template, values)
        return Cause(self, tuple(values.items()))


def named(code: str, template: str, values: Collection[str]) -> None:
    """Raise KeyError unless these are the names of the values of a template."""
    if _names(template) != frozenset(values):
        raise KeyError(f"{code} is about {sorted(_names(template))}, and not {sorted(values)}")


@functools.cache
def _names(template: str) -> frozenset[str]:
    """The names in braces."""
    return frozenset(name for _, name, _, _ in string.Formatter().parse(template) if name is not None)


class Cause(msgspec.Struct, frozen=True):
    """What is the matter: a reason, and what it is about. A value may be another cause, which led to this one."""

    reason: Reason
    pairs: tuple[tuple[str, str | int | Cause], ...] = ()

    @property
    def code(self) -> str:
        """The code of the reason."""
        return self.reason.code

    @property
    def drop(self) -> str:
        """The kernel's drop reason, of this or of what led to it; empty if there is none."""
        inner = (value.drop for _, value in self.pairs if isinstance(value, Cause))
        return self.reason.drop or next(filter(None, inner), "")

    @property
    def values(self) -> dict[str, str | int | Cause]:
        """What it is about, by name."""
        return dict(self.pairs)

    @property
    def root(self) -> Cause:
        """The first of all causes: what led to this one, and so on."""
        inner = next((value for _, value in self.pairs if isinstance(value, Cause)), None)
        return self if inner is None else inner.root

    @property
    def unknown(self) -> bool:
        """Whether this, or what led to it, is why something is not known."""
        return self.reason.unknown or any(
            value.unknown for _, value in self.pairs if isinstance(value, Cause)
        )

    @property
    def text(self) -> str:
        """The sentence."""
        return self.reason.template.format_map(
            {name: str(value) for name, value in self.pairs},
        )

    def __str__(self) -> str:
        """The sentence, as in the middle of another one."""
        return self.text
