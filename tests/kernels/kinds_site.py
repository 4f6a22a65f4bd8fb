"""The site that laboratories of kinds are built on: namespaces by name, iproute2 in long batches, and the truth so far."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from kinds_truth import HOME, Made, Tie, Truth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kinds_nics import Nic
    from kinds_truth import Shown
    from nswire.lab.lab import Lab
    from nswire.lab.netns import Ns

SAYS = ("RTNETLINK answers: ", "Error: ")
"""How iproute2 begins what the kernel says: an errno, or the kernel's own words."""
MISSING = "Cannot find device"
COMPARED = (
    *("ifname", "link", "link_index", "link_netnsid", "link_netns", "master", "linkinfo"),
    *("permaddr", "parentbus", "parentdev"),
)
"""What is kept of `ip -j -d link`."""


class Site:
    """A laboratory, its namespaces by name, and what is true of it."""

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.spaces: dict[str, Ns] = {HOME: lab.home}
        self.truth = Truth(spaces={HOME: lab.home.inode})
        self.waits: list[tuple[str, int, Callable[[dict[str, Any]], bool]]] = []
        """Links whose description changes by itself for a while: where, and what iproute2 calls their linkinfo when that is over."""
        self.nics: list[Nic] = []
        """The NICs of home of which nothing is made yet."""
        self.placed: list[Made] = []
        """Those that have their places."""

    def space(self, *names: str) -> None:
        """Make namespaces, called so in /run/netns, too."""
        for name in names:
            self._keep(name, self.lab.namespace("named", name))

    def hidden(self, name: str, marker: str) -> None:
        """A namespace that only a descriptor in flight holds, to be known by its link `marker`."""
        self._keep(name, self.lab.namespace("in-flight"))
        self.truth.hidden[name] = marker

    def _keep(self, name: str, ns: Ns) -> None:
        self.spaces[name] = ns
        self.truth.spaces[name] = ns.inode

    def forget(self, name: str) -> None:
        """End a namespace."""
        self.spaces.pop(name).close()
        del self.truth.spaces[name]

    # -- building ---------------------------------------------------------------------------------------------------

    def attempt(self, ns: str, lines: Sequence[str]) -> dict[str, str]:
        """Run these commands of iproute2 in a namespace; return the reason for each that the kernel refused.

        What was not made cannot be deleted either, and is none. Raises RuntimeError for anything else.
        """
        command = ["ip", "-force", "-batch", "-"]
        with self.spaces[ns].entered():
            done = subprocess.run(
                command, input="\n".join(lines), capture_output=True, text=True, check=False
            )
        refused: dict[str, str] = {}
        said: list[str] = []
        for line in done.stderr.splitlines():
            if not line.startswith("Command failed -:"):
                said.append(line)
                continue
            reasons = [one for one in said if one.startswith(SAYS)]
            failed = lines[int(line.rpartition(":")[2]) - 1]
            if not reasons and failed.startswith("link del") and said[-1].startswith(MISSING):
                said = []
                continue
            if not reasons:
                raise RuntimeError(f"ip {failed}: {' '.join(said)}")
            refused[failed] = reasons[-1].partition(": ")[2].rstrip(".")
            said = []
        if done.returncode > 1:  # iproute2 leaves some mistakes by exit()
            raise RuntimeError(f"ip -n {ns} -batch ended with status {done.returncode}: {' '.join(said)}")
        return refused

    def run(self, ns: str, lines: Sequence[str]) -> None:
        """The same for what must not fail."""
        refused = self.attempt(ns, lines)
        if refused:
            raise RuntimeError("; ".join(f"ip -n {ns} {line}: {why}" for line, why in refused.items()))

    def made(
        self,
        case: str,
        variant: str,
        kind: str,
        ns: str,
        ifindex: int,
        ifname: str,
        ties: Iterable[Tie] = (),
        **more: Any,
    ) -> None:
        """Note a link as true."""
        self.truth.links.append(Made(case, variant, kind, ns, ifindex, ifname, tuple(ties), **more))

    def can(self, *cases: str) -> bool:
        """True if the kernel makes all of these."""
        return not any(case in self.truth.refused for case in cases)

    def needs(self, case: str, *others: str) -> bool:
        """True if the kernel makes what this case is made of; else the case is refused for the same reason."""
        for other in others:
            if other in self.truth.refused:
                self.truth.refused[case] = f"{other}: {self.truth.refused[other]}"
                return False
        return True

    def veth(
        self,
        case: str,
        end: tuple[str, str, int],
        peer: tuple[str, str, int],
        *ties: Tie,
        peer_ties: Sequence[Tie] = (),
        variant: str = "",
        goes: str = "",
    ) -> str:
        """The command, for the namespace of `end`, that makes a veth pair; noted as true.

        An end is (namespace, name, ifindex). `ties` are what it is tied to besides; `goes` is where it is moved later on.
        """
        at = (goes or end[0], *end[1:])
        for (ns, name, index), other, more in ((at, peer, ties), (peer, at, peer_ties)):
            self.made(case, variant, "veth", ns, index, name, [Tie("peer", other[0], other[2]), *more])
        elsewhere = "" if peer[0] == end[0] else f" netns {peer[0]}"
        return (
            f"link add name {end[1]} index {end[2]} type veth peer name {peer[1]} index {peer[2]}{elsewhere}"
        )

    # -- the oracle ---------------------------------------------------------------------------------------------------

    def show(self, ns: str) -> list[dict[str, Any]]:
        """What `ip -j -d link` says in a namespace that can be found."""
        where = [] if ns == HOME else ["-n", ns]
        done = subprocess.run(["ip", *where, "-j", "-d", "link"], capture_output=True, check=True)
        links: list[dict[str, Any]] = json.loads(done.stdout or b"[]")
        return links

    def shown(self) -> Shown:
        """The same of all of them, as far as it is compared."""
        return {
            ns: {
                link["ifindex"]: {word: _quiet(link[word]) for word in COMPARED if word in link}
                for link in self.show(ns)
            }
            for ns in self.spaces
            if ns not in self.truth.hidden
        }


def _quiet(value: Any) -> Any:
    """Without what changes all the time."""
    if not isinstance(value, dict):
        return value
    return {word: _quiet(inner) for word, inner in value.items() if not word.endswith("_timer")}
