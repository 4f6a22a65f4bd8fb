"""Files of expectations: TOML, one `[[KIND]]` table each. Text in, values out; nothing here opens a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nswire.check.expect.table import TABLE
from nswire.check.expect.values import Expectation, nearest_key
from nswire.errors import ExpectationsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nswire.check.expect.values import Kind

MOST = 10_000  # expectations in one file


def read(data: bytes) -> list[Expectation]:
    """The expectations of a file, in its order by kind. ExpectationsError."""
    import tomllib

    try:
        document = tomllib.loads(data.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ExpectationsError(str(error), "it is to be TOML, as `nswire assert --write` makes it") from None
    except RecursionError:
        raise ExpectationsError("it is nested too deeply") from None
    found = [one for name, tables in document.items() for one in _of_kind(name, tables)]
    if not found:
        raise ExpectationsError("it expects nothing", f"it needs a table such as {', '.join(_forms())}")
    if len(found) > MOST:
        raise ExpectationsError(f"it has {len(found)} expectations; at most {MOST} are judged at once")
    return found


def _forms() -> list[str]:
    return [f"[[{name}]]" for name in TABLE]


def _of_kind(name: str, tables: object) -> Iterator[Expectation]:
    kind = TABLE.get(name)
    if kind is None:
        near = nearest_key(name, TABLE)
        raise ExpectationsError(
            f"{name!r} is no kind of expectation",
            f"did you mean [[{near}]]?" if near else f"there are {', '.join(_forms())}",
        )
    if not isinstance(tables, list):
        raise ExpectationsError(f"{name} is to be a list of tables", f"write [[{name}]], with two brackets")
    for number, given in enumerate(tables, 1):
        if not isinstance(given, dict):
            raise ExpectationsError(f"{name} {number} is no table", f"write [[{name}]] above it")
        _fits(kind, number, given)
        yield Expectation(name, number, given)


def _fits(kind: Kind, number: int, given: Mapping[str, object]) -> None:
    where = f"[[{kind.name}]] {number}"
    for key, value in given.items():
        if key not in kind.keys:
            near = nearest_key(key, kind.keys)
            raise ExpectationsError(
                f"{where}: there is no key {key!r}",
                f"did you mean {near}?" if near else f"there are {', '.join(kind.keys)}",
            )
        wanted = kind.keys[key]
        if isinstance(value, bool) or not isinstance(value, wanted):
            types = wanted if isinstance(wanted, tuple) else (wanted,)
            raise ExpectationsError(f"{where}: {key} is to be {' or '.join(WORDS[one] for one in types)}")
        right = kind.wrong(key, value)
        if right:
            raise ExpectationsError(f"{where}: {key} cannot be {value!r}", f"it is to be {right}")
    missing = [key for key in kind.required if key not in given]
    if missing:
        raise ExpectationsError(f"{where}: it does not say {' and '.join(missing)}")


WORDS: Mapping[type, str] = {str: "a text", int: "a number", list: "a list of texts"}


def block(kind: str, given: Mapping[str, object]) -> str:
    """An expectation as a file has it. UnicodeEncodeError for what no text can hold, such as a name that is no UTF-8."""
    lines = (f"{key} = {_value(value)}\n" for key, value in given.items())
    text = f"[[{kind}]]\n{''.join(lines)}"
    text.encode()
    return text


def _value(value: object) -> str:
    """A value in TOML, whose strings and lists of strings are JSON's, if DEL is escaped, too (toml.io: basic strings)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
