"""The grammar of what iptables-save(8) and its like print: words, tables, chains, and the options of a rule.

xtables_save_string (libxtables/xtables.c): a text stands in double quotes unless it is of letters, digits, `_` and `-` only; so
`-j` may be a comment, and how many words an option takes must be known (`arity`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?=\s|$)|(\S+)', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


class Word(str):
    """A word. `quoted`: it stood in quotes, so it is no option, whatever it looks like."""

    __slots__ = ()
    quoted = False


class Quoted(Word):
    """A word in quotes."""

    __slots__ = ()
    quoted = True


class Option(NamedTuple):
    """`! --dport 80`: what it is called, whether it was negated, its words."""

    name: str
    negate: bool = False
    values: tuple[str, ...] = ()

    @property
    def value(self) -> str:
        """Its only word. ValueError if it has none, or several."""
        (word,) = self.values
        return word

    @property
    def text(self) -> str:
        """As it was written, but for quotes."""
        return " ".join((*("!",) * self.negate, self.name, *self.values))


class Part(NamedTuple):
    """A match or a target of a rule, with its options; `name` empty: what every rule may have (`-s`, `-p`, `-i` ...)."""

    name: str
    options: tuple[Option, ...] = ()

    @property
    def text(self) -> str:
        """As it was written."""
        named = (f"-m {self.name}",) if self.name else ()
        return " ".join((*named, *(one.text for one in self.options)))


class Saved(NamedTuple):
    """A chain in such a text: its policy (`-`: it has none, others jump to it), and its rules, each as its own line."""

    table: str
    name: str
    policy: str
    rules: list[str]


def words(line: str) -> list[Word]:
    """A line in words, quotes taken off."""
    return [Word(plain) if plain else _unquoted(quoted) for quoted, plain in _WORD.findall(line)]


def _unquoted(text: str) -> Word:
    return Quoted(_ESCAPED.sub(r"\1", text) if "\\" in text else text)


def saved(answer: bytes) -> list[Saved]:
    """The chains of all tables. ValueError if that is no such text."""
    chains: dict[tuple[str, str], Saved] = {}
    table = ""
    for line in answer.decode("utf-8", "surrogateescape").split("\n"):
        if line.startswith("*"):
            table = line[1:].strip()
        elif line.startswith(":"):
            name, policy, *_ = line[1:].split()
            chains[table, name] = Saved(table, name, policy, [])
        elif line.startswith("-A "):
            key = (table, line.split(maxsplit=2)[1])
            if key not in chains:
                raise ValueError("a rule for a chain that there is not")
            chains[key].rules.append(line)
    return list(chains.values())


def options(given: Iterable[Word], arity: Mapping[str, int]) -> Iterator[Option]:
    """Words as options. Those that `arity` does not have take all words up to what looks like the next one.

    `! --dport 80`, as iptables writes it, and `--ip-dport ! 80`, as ebtables does.
    """
    rest = list(given)
    at = 0
    while at < len(rest):
        negate = _bang(rest[at])
        at += negate
        if at == len(rest):
            return
        name = str(rest[at])
        at += 1
        if at < len(rest) and _bang(rest[at]) and not (at + 1 < len(rest) and _is_option(rest[at + 1])):
            negate, at = not negate, at + 1
        end = at
        if name in arity:
            end = min(at + arity[name], len(rest))
        else:
            while end < len(rest) and not _is_option(rest[end]) and not _bang(rest[end]):
                end += 1
        yield Option(name, negate, tuple(map(str, rest[at:end])))
        at = end


def _bang(word: Word) -> bool:
    return word == "!" and not word.quoted


def _is_option(word: Word) -> bool:
    return not word.quoted and len(word) > 1 and word.startswith("-") and not word[1:2].isdigit()
