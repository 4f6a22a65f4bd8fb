"""Rules in nft's own way of writing, so that whoever greps `nft list ruleset` for one finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

Json = Any
SILENT = ("counter", "comment", "last")
"""What is left out: it differs each time that it is listed."""
OF_MAPS = {
    "counter": "counter name", "quota": "quota name", "limit": "limit name", "synproxy": "synproxy name", "ct helper": "ct helper set",
    "ct timeout": "ct timeout set", "ct expectation": "ct expectation set", "secmark": "meta secmark set",
}  # fmt: skip
"""Named objects, as they are written where a map has them."""
HEX = ("mark",)
FLAGS = ("state", "status")
QUOTED = {
    "iifname",
    "oifname",
    "iifkind",
    "oifkind",
    "ibrname",
    "obrname",
    "sdifname",
    "iif",
    "oif",
    "day",
    "hour",
    "time",
}
BARE = {"mark", "iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup"}
"""Keys of meta that nft writes without that word; of these `meta mark` alone has it."""
DAY = 86400


def said(thing: Json) -> str:
    """Something of a rule."""
    if isinstance(thing, list):
        return ", ".join(map(said, thing))
    if not isinstance(thing, dict):
        return "" if thing is None else str(thing)
    (name, value), *_ = thing.items() or (("", None),)
    if name in OF_MAPS and isinstance(value, dict) and "map" in value:
        return f"{OF_MAPS[name]} {_mapping('map', _name)(value['map'])}"
    speaker = SPEAKERS.get(name)
    if speaker is not None:
        return speaker(value)
    if name == "xt":
        return (
            f"xt {value.get('type', '')} {value.get('name', '')}".strip() if isinstance(value, dict) else "xt"
        )
    if name in SILENT and not isinstance(value, str):
        return ""
    return f"{name} {_inside(value)}".strip()


def rule(statements: list[Json]) -> str:
    """A whole rule."""
    return " ".join(filter(None, map(_safely, statements)))


def _safely(statement: Json) -> str:
    """As it is written; whatever a newer nft has that cannot be written so, as JSON has it."""
    try:
        return " ".join(said(statement).split())
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return str(statement)


def _inside(value: Json) -> str:
    if not isinstance(value, dict):
        return said(value)
    return " ".join(f"{key} {said(one)}" for key, one in value.items())


def _key_of(left: Json) -> str:
    """What the values of a comparison are: `mark`, `ct mark`, `iifname`."""
    while isinstance(left, dict) and ({"&", "|", "^", ">>", "<<"} & set(left)):
        left = next(iter(left.values()))[0]
    if isinstance(left, dict):
        (kind, value), *_ = left.items()
        if kind in ("meta", "ct", "fib") and isinstance(value, dict):
            return str(value.get("key", value.get("result")))
    return ""


def _value(key: str, value: Json) -> str:
    """A value as nft writes those of that key: marks in hex, names in quotes."""
    if isinstance(value, dict):
        if "set" in value:
            inside = value["set"] if isinstance(value["set"], list) else [value["set"]]
            return f"{{ {', '.join(_value(key, one) for one in inside)} }}"
        if "range" in value:
            return "-".join(_value(key, one) for one in value["range"])
        if "prefix" in value:
            return f"{_value(key, value['prefix']['addr'])}/{value['prefix']['len']}"
        if "elem" in value and isinstance(value["elem"], dict):
            return _value(key, value["elem"].get("val"))
        return said(value)
    if isinstance(value, list):
        return ",".join(_value(key, one) for one in value) if key in FLAGS else said(value)
    if isinstance(value, bool):
        return "exists" if value else "missing"
    if isinstance(value, int) and key in HEX:
        return f"0x{value:08x}"
    if isinstance(value, str) and key in QUOTED and not value.startswith("@") and not value.isdigit():
        return f'"{value}"'
    return said(value)


def _match(value: Json) -> str:
    left, right, key = value["left"], value["right"], _key_of(value["left"])
    op = "" if value["op"] in ("==", "in") else f" {value['op']}"
    if isinstance(left, dict) and "&" in left and value["op"] == "==":
        inner, mask = left["&"]
        if isinstance(mask, list):  # of flags
            flags = right if isinstance(right, list) else [right]
            return f"{said(inner)} {','.join(map(said, flags))} / {','.join(map(said, mask))}"
        op = " =="
    if isinstance(right, list) and value["op"] in ("in", "!"):
        return f"{said(left)}{op} {','.join(map(said, right))}"
    return f"{said(left)}{op} {_value(key, right)}"


def _binary(sign: str) -> Callable[[Json], str]:
    def speak(value: Json) -> str:
        key = _key_of(value[0])
        left = (
            f"({said(value[0])})"
            if sign in (">>", "<<") and isinstance(value[0], dict) and "&" in value[0]
            else said(value[0])
        )
        return f"{left} {sign} {f' {sign} '.join(_value(key, one) for one in value[1:])}"

    return speak


def _payload(value: Json) -> str:
    if "protocol" in value:
        return f"{value['protocol']} {value.get('field', '')}".strip()
    return f"@{value.get('base')},{value.get('offset')},{value.get('len')}"


def _meta(value: Json) -> str:
    key = str(value["key"])
    return key if key in BARE and key != "mark" else f"meta {key}"


def _fib(value: Json) -> str:
    flags = value["flags"]
    return f"fib {' . '.join(flags) if isinstance(flags, list) else flags} {value['result']}"


def _ct(value: Json) -> str:
    return f"ct {value['dir']} {value['key']}" if "dir" in value else f"ct {value['key']}"


def _numgen(value: Json) -> str:
    offset = f" offset {value['offset']}" if value.get("offset") else ""
    return f"numgen {value['mode']} mod {value['mod']}{offset}"


def _hash(name: str) -> Callable[[Json], str]:
    def speak(value: Json) -> str:
        what = f" {said(value['expr'])}" if "expr" in value else ""
        seed = f" seed 0x{value['seed']:x}" if value.get("seed") else ""
        offset = f" offset {value['offset']}" if value.get("offset") else ""
        return f"{name}{what} mod {value['mod']}{seed}{offset}"

    return speak


def _option(name: str) -> Callable[[Json], str]:
    """`frag frag-off`, `exthdr hbh`, `tcp option maxseg size`."""

    def speak(value: Json) -> str:
        if "field" not in value:
            return f"{name} {value['name']}"
        return f"{'' if name == 'exthdr' else name + ' '}{value['name']} {value['field']}"

    return speak


def _set(value: Json) -> str:
    if isinstance(value, dict):
        inner = "".join(f" {said(one)}" for one in value.get("stmt", ()))
        return f"{value.get('op', 'add')} {said(value.get('set'))} {{ {said(value.get('elem'))}{inner} }}"
    elements = value if isinstance(value, list) else [value]
    parts = (
        f"{said(one[0])} : {said(one[1])}" if isinstance(one, list) and len(one) == 2 else said(one)
        for one in elements
    )
    return f"{{ {', '.join(parts)} }}"


def _element(value: Json) -> str:
    if not isinstance(value, dict):
        return said(value)
    timeout = f" timeout {_duration(value['timeout'])}" if "timeout" in value else ""
    return f"{said(value.get('val'))}{timeout}"


def _duration(seconds: Json) -> str:
    if not isinstance(seconds, int):
        return str(seconds)
    parts = (
        (seconds // DAY, "d"),
        (seconds // 3600 % 24, "h"),
        (seconds // 60 % 60, "m"),
        (seconds % 60, "s"),
    )
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"


def _name(of: Json) -> str:
    return f'"{of}"'


def _mapping(word: str, of: Callable[[Json], str] = said) -> Callable[[Json], str]:
    def speak(value: Json) -> str:
        key, data = _key_of(value["key"]), value["data"]
        if isinstance(data, dict) and isinstance(data.get("set"), list):
            told = ", ".join(f"{_value(key, one[0])} : {of(one[1])}" for one in data["set"])
            return f"{said(value['key'])} {word} {{ {told} }}"
        return f"{said(value['key'])} {word} {said(data)}"

    return speak


def _nat(name: str) -> Callable[[Json], str]:
    def speak(value: Json) -> str:
        value = value or {}
        address, port = said(value.get("addr")), said(value.get("port"))
        flags = value.get("flags", ())
        listed = [flags] if isinstance(flags, str) else list(flags)
        words = [name]
        if address:
            prefix = "prefix" in str(value.get("type_flags", ""))
            words += [
                *([str(value["family"])] if "family" in value else []),
                *(["prefix"] if prefix else []),
                "to",
            ]
            words.append(
                f"[{address}]:{port}" if port and ":" in address else f"{address}:{port}" if port else address
            )
        elif port:
            words += ["to", f":{port}"]
        told = ",".join(one for one in listed if one != "netmap")
        return " ".join([*words, *([told] if told else [])])

    return speak


def _limit(value: Json) -> str:
    if not isinstance(value, dict):
        return f'limit name "{value}"'
    over = "over " if value.get("inv") else ""
    unit = f" {value['rate_unit']}" if "rate_unit" in value else ""
    burst = value.get("burst", 0)
    told = f" burst {burst} {value.get('burst_unit', 'packets')}" if burst and burst != 5 else ""
    return f"limit rate {over}{value.get('rate')}{unit}/{value.get('per')}{told}"


def _quota(value: Json) -> str:
    if not isinstance(value, dict):
        return f'quota name "{value}"'
    return f"quota {'over ' if value.get('inv') else ''}{value.get('val')} {value.get('val_unit')}"


def _reject(value: Json) -> str:
    if not isinstance(value, dict):
        return "reject"
    if value.get("type") == "tcp reset":
        return "reject with tcp reset"
    if value.get("expr") == "port-unreachable" and value.get("type") == "icmpx":
        return "reject"
    return f"reject with {value.get('type')} {said(value.get('expr'))}".strip()


def _mangle(value: Json) -> str:
    return f"{said(value['key'])} set {_value(_key_of(value['key']), value['value'])}"


def _log(value: Json) -> str:
    return f'log prefix "{value["prefix"]}"' if isinstance(value, dict) and "prefix" in value else "log"


SPEAKERS: dict[str, Callable[[Json], str]] = {
    "match": _match,
    "payload": _payload,
    "meta": _meta,
    "ct": _ct,
    "fib": _fib,
    "numgen": _numgen,
    "rt": lambda value: f"rt {value['family'] + ' ' if 'family' in value else ''}{value['key']}",
    **{name: _hash(name) for name in ("jhash", "symhash")},
    **{name: _option(name) for name in ("exthdr", "tcp option", "ip option", "sctp chunk")},
    "concat": lambda value: " . ".join(map(said, value)),
    "prefix": lambda value: f"{said(value['addr'])}/{value['len']}",
    "range": lambda value: "-".join(map(said, value)),
    "set": _set,
    "elem": _element,
    "vmap": _mapping("vmap"),
    "map": _mapping("map"),
    "mangle": _mangle,
    "limit": _limit,
    "quota": _quota,
    "ct count": lambda value: f"ct count {'over ' if value.get('inv') else ''}{value.get('val')}",
    "counter": lambda value: f'counter name "{value}"' if isinstance(value, str) else "",
    "jump": lambda value: f"jump {value['target']}",
    "goto": lambda value: f"goto {value['target']}",
    **{name: _nat(name) for name in ("snat", "dnat", "masquerade", "redirect", "tproxy")},
    "reject": _reject,
    "log": _log,
    **{sign: _binary(sign) for sign in ("&", "|", "^", "<<", ">>")},
}
