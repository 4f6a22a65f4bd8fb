"""Names from outside as words of a shell command; harmless on a terminal is what `nswire.escape` makes them."""

from __future__ import annotations

import shlex

from nswire.escape import is_byte, visible

_ANSI_C = {"\n": "\\n", "\t": "\\t", "\r": "\\r", "\x1b": "\\e", "'": "\\'", "\\": "\\\\"}


def shell_word(text: str) -> str:
    """The text as one word of a shell command, to be pasted.

    As it is, in quotes, or, with control characters or bytes that are no UTF-8, as `$'..'` (bash, zsh, ksh).
    """
    if visible(text.replace("\\", "").replace(" ", "")) == text.replace("\\", "").replace(" ", ""):
        return shlex.quote(text)
    return "$'" + "".join(_ANSI_C.get(character) or _byte_wise(character) for character in text) + "'"


def _byte_wise(character: str) -> str:
    if character == " " or visible(character) == character:
        return character
    encoded = character.encode("utf-8", "surrogateescape" if is_byte(character) else "surrogatepass")
    return "".join(f"\\{byte:03o}" for byte in encoded)
