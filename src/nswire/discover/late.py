"""Questions that are asked only when somebody wants to know: addresses, default routes, names of processes."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nswire.discover import visits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nswire.discover.state import Scan
    from nswire.model.values import Address, Gap, Gateway, NsKey

FEW = 8  # namespaces that are asked one by one, before it is cheaper to ask all that are left


class Late:
    """Asks the scanned machine (or recording) and remembers the answers; after a few questions of a kind, all of it."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._gateways: dict[NsKey, tuple[Gateway, ...]] = {}
        self._asked: Counter[str] = Counter()

    def addresses(self, ns: NsKey) -> tuple[Address, ...]:
        """The addresses of a namespace."""
        addresses = self._scan.facts.addresses
        if ns not in addresses:
            visits.read_addresses(self._scan, self._to_ask("addresses", ns, addresses))
        return addresses.get(ns, ())

    def gateways(self, ns: NsKey) -> tuple[Gateway, ...]:
        """The gateways of a namespace's default routes; none for a hidden one, whose routes cannot be read."""
        if ns not in self._gateways:
            visits.read_gateways(self._scan, self._to_ask("gateways", ns, self._gateways), self._gateways)
        return self._gateways.get(ns, ())

    def _to_ask(self, what: str, ns: NsKey, known: Mapping[NsKey, object]) -> set[NsKey]:
        self._asked[what] += 1
        return {ns} if self._asked[what] <= FEW else self._scan.facts.links.keys() - known.keys()

    def gaps(self) -> tuple[Gap, ...]:
        """What could not be seen, as far as was asked until now."""
        return tuple(self._scan.facts.gaps)

    def comm(self, pid: int) -> str:
        """The name of a process, as it calls itself; empty if it is gone."""
        answer = self._scan.system.host(f"comm/{pid}")
        return answer.decode("utf-8", "surrogateescape") if isinstance(answer, bytes) else ""
