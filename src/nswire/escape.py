r"""Names from outside made harmless, and still told apart: what cannot be seen is shown by its number.

Whoever runs a container chooses the names of links, namespaces and processes, and they end in the terminal of an
administrator. Shown as `\x1b`: control characters; as `\u202e`: bidi controls, zero-width, other invisible and
unassigned characters; as `\xff`: bytes that are no UTF-8; as `\\`: the backslash, so that no name can look like
another one's escape. What is printable stays as it is, in any script.
"""

from __future__ import annotations

import re

# Printable by their category, but drawn as nothing: Default_Ignorable_Code_Point of Unicode 16 outside of Cf and Cn,
# and the blank Braille pattern. Patterns are compiled (and kept by `re`) when a name needs them: that takes 3 ms.
_INVISIBLE = (
    "\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180d\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef"
)
_HIDDEN = f"[{_INVISIBLE}\\\\]"
_SUSPECT = f"{_HIDDEN}|  +|^ | $|[^\x21-\x7e ]"
_COMBINING_FIRST = "[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]+"
_ASCII, _BMP = 0x7F, 0xFFFF


def visible(text: str) -> str:
    """The text as it is shown to people: one line, no character with an effect on what stands around it.

    Runs of spaces, and those at the ends, are escaped, too: they could forge the columns of a table.
    """
    if (
        text.isascii()
        and text.isprintable()
        and "\\" not in text
        and "  " not in text
        and text.strip() == text
    ):
        return text
    first = re.match(_COMBINING_FIRST, text)
    if first:  # it would be drawn over what stands before the name
        return "".join(map(_number, first[0])) + re.sub(_SUSPECT, _escaped, text[first.end() :])
    return re.sub(_SUSPECT, _escaped, text)


def _escaped(match: re.Match[str]) -> str:
    found = match[0]
    if found == "\\":
        return "\\\\"
    if found[0] == " ":
        return "\\x20" * len(found)
    return found if found.isprintable() and not re.match(_HIDDEN, found) else _number(found)


def _number(character: str) -> str:
    code = ord(character)
    if is_byte(character):
        return f"\\x{code - 0xDC00:02x}"
    if code <= _ASCII:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= _BMP else f"\\U{code:08x}"


def is_byte(character: str) -> bool:
    """True for a byte that is no UTF-8, as surrogateescape keeps it."""
    return "\udc80" <= character <= "\udcff"
