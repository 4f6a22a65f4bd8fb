"""CNI's cache, /var/lib/cni/results: which sandbox a plugin was called for, with the pod's name among its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.model.values import Gap, Owner
from nswire.owners.asked import files, namespace_at, readable, text
from nswire.owners.owner import Claim, Source

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from nswire.model.values import NsKey
    from nswire.owners.owner import Asking

RESULTS = "var/lib/cni/results/*"
KEYS = ("containerId", "networkName", "ifName", "cniArgs", "result/interfaces")


def find(asking: Asking, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The sandboxes that still stand: pods where the arguments say so, else the container's id, by CNI."""
    told = set()
    for path, said in files(asking, "json", RESULTS, *KEYS):
        if not readable(said):
            yield Gap(path, "whose sandbox it is", "it cannot be read, or makes no sense")
            continue
        ns = _sandbox(asking, said)
        owner = _owner(said)
        if ns is not None and owner is not None and (ns, owner) not in told:
            told.add((ns, owner))
            yield Claim(owner, ns)


def _sandbox(asking: Asking, said: dict[str, Any]) -> NsKey | None:
    interfaces = said.get("result/interfaces")
    for one in interfaces if isinstance(interfaces, list) else ():
        path = text(one.get("sandbox")) if isinstance(one, dict) else ""
        ns = namespace_at(asking, path) if path else None
        if ns is not None:
            return ns
    return None


def _owner(said: dict[str, Any]) -> Owner | None:
    pairs = said.get("cniArgs")
    words = {pair[0]: pair[1] for pair in pairs if _is_pair(pair)} if isinstance(pairs, list) else {}
    network = (("network", text(said.get("networkName"))),)
    if words.get("K8S_POD_NAME"):
        name = f"{words.get('K8S_POD_NAMESPACE', '')}/{words['K8S_POD_NAME']}"
        return Owner("pod", name, words.get("K8S_POD_UID", ""), "cni", data=network)
    number = text(said.get("containerId"))
    return Owner("container", number, number, "cni", data=network) if number else None


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)


SOURCE = Source("cni", find)
