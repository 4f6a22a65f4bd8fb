"""Questions that are asked only when somebody wants to know: default routes, names of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.codec.netlink import route
from nswire.codec.netlink.framing import KernelError, Malformed
from nswire.host import questions
from nswire.host.system import Errand

if TYPE_CHECKING:
    from nswire.discover.engine import Scan
    from nswire.host.system import Answer
    from nswire.model.values import Gateway, NsKey


class Late:
    """Asks the scanned machine (or recording) and remembers the answers. A refusal is an empty answer."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._gateways: dict[NsKey, tuple[Gateway, ...]] = {}

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
