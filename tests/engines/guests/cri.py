"""Makes pods over containerd's socket as a kubelet does, and prints what CRI says of them: one JSON list."""

from __future__ import annotations

import json
from typing import Any

import cri_pb2 as cri
import grpc

SOCKET = "unix:///run/containerd/containerd.sock"
IMAGE = cri.ImageSpec(image="localhost/nsw-busybox:latest")
HOST_NETWORK = 2


def call(channel: Any, method: str, request: Any, reply: Any) -> Any:
    """One unary call of runtime.v1.RuntimeService."""
    invoke = channel.unary_unary(
        f"/runtime.v1.RuntimeService/{method}",
        request_serializer=type(request).SerializeToString,
        response_deserializer=reply.FromString,
    )
    return invoke(request, timeout=30)


def config(name: str, uid: str, *, host_network: bool = False, host_port: int = 0) -> Any:
    """What a kubelet asks for."""
    labels = {"io.kubernetes.pod.name": name, "io.kubernetes.pod.namespace": "default", "app": "web"}
    made = cri.PodSandboxConfig(
        metadata=cri.PodSandboxMetadata(name=name, uid=uid, namespace="default"),
        log_directory="/run/pods",
        labels=labels,
    )
    if host_network:
        made.linux.security_context.namespace_options.network = HOST_NETWORK
    if host_port:
        made.port_mappings.append(cri.PortMapping(container_port=80, host_port=host_port))
    return made


def start(channel: Any, made: Any) -> dict[str, Any]:
    """A pod with a container in it, and who it is."""
    request = cri.RunPodSandboxRequest(config=made)
    pod = call(channel, "RunPodSandbox", request, cri.RunPodSandboxResponse).pod_sandbox_id
    container = cri.ContainerConfig(
        metadata=cri.ContainerMetadata(name="app"),
        image=IMAGE,
        command=["/bin/sleep", "infinity"],
        labels={"io.kubernetes.container.name": "app", **made.labels},
    )
    request = cri.CreateContainerRequest(pod_sandbox_id=pod, config=container, sandbox_config=made)
    number = call(channel, "CreateContainer", request, cri.CreateContainerResponse).container_id
    call(channel, "StartContainer", cri.StartContainerRequest(container_id=number), cri.Empty)
    request = cri.PodSandboxStatusRequest(pod_sandbox_id=pod, verbose=True)
    said = call(channel, "PodSandboxStatus", request, cri.PodSandboxStatusResponse)
    return {
        "name": said.status.metadata.name,
        "uid": said.status.metadata.uid,
        "pid": json.loads(said.info["info"])["pid"],
        "container": number,
    }


with grpc.insecure_channel(SOCKET) as opened:
    pods = (
        config("web-1", "5b1d9a3e-0001-4000-8000-000000000001", host_port=18090),
        config("web-2", "5b1d9a3e-0002-4000-8000-000000000002"),
        config("node-agent", "5b1d9a3e-0003-4000-8000-000000000003", host_network=True),
    )
    print(json.dumps([start(opened, pod) for pod in pods]))
