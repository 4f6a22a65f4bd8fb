"""The scripts of `nswire completion`, in the shells themselves: a handle has colons in it, and each shell has its own idea of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from nswire.lab.lab import Lab

NETWORK = "qdhcp-fabc7ead-6132-4920-af57-2ad5e199e1c1"
PATH = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
BASH = """source <(nswire completion bash)
COMP_LINE="$1"; COMP_POINT=${#1}; compopt() { :; }
_nswire_completion nswire
printf '%s\\n' "${COMPREPLY[@]}"
"""
# what zsh's own completion would be given
ZSH = """compdef() { : }; compadd() { print -l -- "${(@P)@[-1]}" }; _describe() { print described }
source <(nswire completion zsh)
words=(${(z)1}); [[ $1 == *' ' ]] && words+=(''); CURRENT=$#words
_nswire_completion
"""
FISH = 'nswire completion fish | source; complete -C "$argv[1]"'


@pytest.fixture
def port(lab: Lab) -> str:
    """The handle of a Neutron port, which is on this host."""
    lab.namespace("named", NETWORK)
    subprocess.run(
        ["ip", "-n", NETWORK, "link", "add", "ns-39d60faa-aa", "type", "bridge"],
        check=True,
        capture_output=True,
    )
    return "port:39d60faa-aa"


def said(*words: str) -> list[str]:
    done = subprocess.run(
        words,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PATH": PATH, "HOME": "/nonexistent"},
    )
    return [line for line in done.stdout.splitlines() if line]


@pytest.mark.needs("bash")
@pytest.mark.parametrize("line", ["nswire peer port:39d", "nswire peer port:", "nswire ls eth0 port:39"])
def test_bash(port: str, line: str) -> None:
    """It replaces what follows the last colon, and is given that alone."""
    assert said("bash", "--norc", "-c", BASH, "bash", line) == [port.partition(":")[2]]


@pytest.mark.needs("bash")
def test_bash_with_colons_that_end_no_word(port: str) -> None:
    """Where somebody took them out of COMP_WORDBREAKS, the whole word is replaced."""
    script = 'COMP_WORDBREAKS="${COMP_WORDBREAKS//:}"\n' + BASH
    assert said("bash", "--norc", "-c", script, "bash", "nswire peer port:39d") == [port]


@pytest.mark.needs("bash")
def test_bash_completes_the_rest_as_ever(port: str) -> None:
    assert NETWORK in said("bash", "--norc", "-c", BASH, "bash", "nswire peer ")
    assert said("bash", "--norc", "-c", BASH, "bash", "nswire net") == ["netns"]
    assert port not in said("bash", "--norc", "-c", BASH, "bash", "nswire peer ns-")


@pytest.mark.needs("zsh")
@pytest.mark.parametrize("line", ["nswire peer port:39d", "nswire peer port:"])
def test_zsh(port: str, line: str) -> None:
    assert said("zsh", "-f", "-c", ZSH, "zsh", line) == [port]


@pytest.mark.needs("fish")
@pytest.mark.parametrize("line", ["nswire peer port:39d", "nswire peer port:"])
def test_fish(port: str, line: str) -> None:
    assert said("fish", "--no-config", "-c", FISH, line) == [port]
