"""CNI's cache, /var/lib/cni/results: which sandbox a plugin was called for, with the pod's name among its arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nswire.model.values import Owner
from nswire.owners.owner import Claim, Source
from nswire.owners.port_mappings import published, told
from nswire.owners.state_files import as_mounted, documents, number, paths, readable, text, unreadable, unseen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from nswire.host.client import Client
    from nswire.model.gaps import Gap
    from nswire.model.values import NsKey, Published

RESULTS = "var/lib/cni/results/*"
KEYS = ("containerId", "networkName", "cniArgs", "result/interfaces", "capabilityArgs/portMappings")
NAMES_UNREAD = unseen("cni.owners", "whose CNI's sandboxes are")


def find(client: Client, _: Collection[NsKey]) -> Iterator[Claim | Gap]:
    """The sandboxes that still stand: pods where the arguments say so, else the container's id, by CNI."""
    found = documents(client, "json", RESULTS, *KEYS)
    mounted = paths(client) if found else {}
    for _path, said in found:
        if not readable(said):
            continue
        ns, owner = _sandbox(said, mounted), _owner(said)
        if ns is not None and owner is not None:
            yield Claim(owner, ns)
    yield from unreadable(found, NAMES_UNREAD)


def _sandbox(said: dict[str, Any], mounted: Mapping[str, NsKey]) -> NsKey | None:
    interfaces = said.get("result/interfaces")
    for one in interfaces if isinstance(interfaces, list) else ():
        path = text(one.get("sandbox")) if isinstance(one, dict) else ""
        if as_mounted(path) in mounted:
            return mounted[as_mounted(path)]
    return None


def _owner(said: dict[str, Any]) -> Owner | None:
    """Podman calls its containers pods, too, which are alone in a namespace of Kubernetes of their own name."""
    pairs = said.get("cniArgs")
    words = {pair[0]: pair[1] for pair in pairs if _is_pair(pair)} if isinstance(pairs, list) else {}
    space, name, uid = (words.get(f"K8S_POD_{key}", "") for key in ("NAMESPACE", "NAME", "UID"))
    number_ = text(said.get("containerId"))
    ports = _ports(said)
    data = (("network", text(said.get("networkName"))), *told(ports))
    if name and (uid or name != space):
        return Owner("pod", f"{space}/{name}", uid, "cni", data=data, published=ports)
    return (
        Owner("container", name or number_, number_, "cni", data=data, published=ports) if number_ else None
    )


def _is_pair(pair: object) -> bool:
    return isinstance(pair, list) and len(pair) == 2 and all(isinstance(one, str) for one in pair)


def _ports(said: dict[str, Any]) -> tuple[Published, ...]:
    """[{"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": ""}]; containerd's begin with capitals."""
    ports = said.get("capabilityArgs/portMappings")
    mappings = [
        {key.lower(): value for key, value in one.items()}
        for one in (ports if isinstance(ports, list) else ())
        if isinstance(one, dict)
    ]
    return published(
        (
            text(one.get("hostip")),
            number(one.get("hostport")),
            number(one.get("containerport")),
            text(one.get("protocol")).lower(),
        )
        for one in mappings
    )


SOURCE = Source("cni", find)
