"""Questions that are asked only when somebody wants to know: addresses, default routes, names of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import route
from nswire.codec.netlink.framing import KernelError, Malformed
from nswire.discover import visits
from nswire.host import questions
from nswire.host.system import Errand

if TYPE_CHECKING:
    from nswire.discover.state import Scan
    from nswire.host.system import Answer
    from nswire.model.values import Address, Gap, Gateway, NsKey


FEW = 8  # namespaces whose addresses are asked for one by one, before it is cheaper to ask all


class Late:
    """Asks the scanned machine (or recording) and remembers the answers. A refusal is an empty answer."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._gateways: dict[NsKey, tuple[Gateway, ...]] = {}
        self._asked = 0

    def addresses(self, ns: NsKey) -> tuple[Address, ...]:
        """The addresses of a namespace. After a few of them, those of all others are asked for in one go."""
        facts = self._scan.facts
        if ns not in facts.addresses and ns in facts.links:
            self._asked += 1
            visits.read_addresses(
                self._scan, (ns,) if self._asked <= FEW else facts.links.keys() - facts.addresses.keys()
            )
        return facts.addresses.get(ns, ())

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen, as far as was asked until now."""
        return tuple(self._scan.facts.gaps)

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes; none for a hidden one, whose routes cannot be read."""
        if ns not in self._gateways:
            self._gateways[ns] = ()
            door = self._scan.doors.get(ns)
            if door is not None and ns in self._scan.facts.links:
                self._scan.system.visit((Errand(door, (questions.ROUTES,)),), self._deliver)
        return self._gateways[ns]

    def _deliver(self, errand: Errand, answers: list[Answer]) -> None:
        try:
            if isinstance(answers[0], bytes):
                self._gateways[errand.door.inode] = route.gateways(answers[0])
        except (KernelError, Malformed):
            return

    def comm(self, pid: int) -> str:
        """The name of a process, as it calls itself; empty if it is gone."""
        answer = self._scan.system.host(f"comm/{pid}")
        return answer.decode("utf-8", "surrogateescape") if isinstance(answer, bytes) else ""
