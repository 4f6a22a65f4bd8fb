"""The options that say which packet is meant, of each verb that follows one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import click

from nswire.cli.errors import Failure

if TYPE_CHECKING:
    from collections.abc import Callable

    from nswire.path.query import Wanted

F = TypeVar("F", bound="Callable[..., Any]")

OPTIONS = (
    click.option(
        "--proto", metavar="PROTO", help="icmp, tcp, udp or a number (default: icmp; tcp with a port)."
    ),
    click.option("--sport", type=click.IntRange(1, 65535), help="Source port (default: any)."),
    click.option("--dport", type=click.IntRange(1, 65535), help="Destination port."),
    click.option("--mark", metavar="N", help="The packet's mark, as ip rule and nft see it."),
    click.option(
        "--uid",
        type=click.IntRange(0, 0xFFFFFFFE),
        metavar="N",
        help="The user whose packet it is, for rules by user.",
    ),
    click.option(
        "--gid",
        type=click.IntRange(0, 0xFFFFFFFE),
        metavar="N",
        help="The group whose packet it is, for rules by group.",
    ),
    click.option("--src", metavar="IP", help="Source address (default: as the kernel chooses)."),
    click.option("--size", type=click.IntRange(28, 65535), help="Bytes, with DF set: does it fit?"),
    click.option("-4", "family", flag_value=4, type=int, help="IPv4."),
    click.option("-6", "family", flag_value=6, type=int, help="IPv6."),
)
NAMES = ("proto", "sport", "dport", "mark", "uid", "gid", "src", "size", "family")


def options(command: F) -> F:
    """Give a command these options."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


def given(values: dict[str, Any]) -> list[str]:
    """The names of those that were given."""
    return [name for name in NAMES if values[name] is not None]


def wanted(values: dict[str, Any], *, reply: bool = True) -> Wanted:
    """The packet. Failure."""
    from nswire.path.query import Wanted

    return Wanted(
        proto=values["proto"] or "",
        sport=values["sport"] or 0,
        dport=values["dport"] or 0,
        mark=_number(values["mark"] or "0", "--mark"),
        src=values["src"] or "",
        size=values["size"] or 0,
        uid=values["uid"],
        gid=values["gid"],
        family=values["family"] or 0,
        reply=reply,
    )


def _number(word: str, option: str) -> int:
    try:
        number = int(word, 0) if word.isascii() else -1
    except ValueError:
        number = -1
    if not 0 <= number < 1 << 32:
        raise Failure(f"{option} {word}", "that is no number of 32 bits", "such as 7 or 0x10")
    return number
