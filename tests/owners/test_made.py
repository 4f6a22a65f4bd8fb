"""Engines that Debian 12 has not, or that cannot run in a container: by files made as theirs are, from their sources.

docs/engines.md says of each of them that it was looked at in this way only.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from nswire.model.values import Holder
from nswire.show.terminal import Paper
from nswire.show.text_show import write_link, write_namespace

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.owners.conftest import Host

A, B = 4026532001, 4026532002
UID = "0f1e2d3c-1111-2222-3333-444455556666"


@pytest.mark.made("cri-o")
def test_crio(host: Host, ids: Callable[[int], str]) -> None:
    """server/sandbox_run_linux.go: annotations of the OCI configuration, beside it the pid that conmon wrote."""
    path = "/run/netns/11111111-2222-3333-4444-555555555555"
    host.named(A, path)
    for seed, kind, name in ((1, "sandbox", "POD"), (2, "container", "nginx")):
        scope = f"/kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/crio-{ids(seed)}.scope"
        host.process(99 + seed, "pause", ns=A, cgroup=scope)
        annotations = {
            "io.kubernetes.cri-o.ContainerType": kind,
            "io.kubernetes.container.name": name,
            "io.kubernetes.pod.name": "web-0",
            "io.kubernetes.pod.namespace": "shop",
            "io.kubernetes.pod.uid": UID,
        }
        folder = f"run/containers/storage/overlay-containers/{ids(seed)}/userdata"
        host.file(f"{folder}/config.json", {"annotations": annotations, "process": {"env": ["TOKEN=x"]}})
        host.file(f"{folder}/pidfile", str(99 + seed))
    assert host.owners(A) == ["pod:shop/web-0", "container:nginx"]
    assert [owner.by for owner in host.topology().owners(A)] == ["kubernetes", "cri-o"]
    assert [owner.name for owner, _ in host.meant("pod:shop/web-0") if owner] == ["shop/web-0"]


@pytest.mark.made("nerdctl")
def test_nerdctl(host: Host, ids: Callable[[int], str]) -> None:
    """An annotation of its own (pkg/labels), and a folder of names (pkg/namestore)."""
    tasks = "run/containerd/io.containerd.runtime.v2.task/default"
    host.process(100, "nginx", ns=A, cgroup=f"/system.slice/nerdctl-{ids(1)}.scope")
    host.process(101, "nginx", ns=B, cgroup=f"/default/{ids(2)}")
    for seed, noted in ((1, {"nerdctl/name": "web"}), (2, {})):
        host.file(f"{tasks}/{ids(seed)}/config.json", {"annotations": noted})
        host.file(f"{tasks}/{ids(seed)}/init.pid", str(99 + seed))
    host.file("var/lib/nerdctl/1935db59/names/default/db", ids(2))
    assert (host.owners(A), host.owners(B)) == (["container:web"], ["container:db"])
    assert [links for _, links in host.meant("container:db")] == [[]]


@pytest.mark.made("docker (snap)")
def test_docker_of_a_snap(host: Host, ids: Callable[[int], str]) -> None:
    folder = f"var/snap/docker/common/var-lib-docker/containers/{ids(1)}"
    host.file(
        f"{folder}/config.v2.json", {"ID": ids(1), "Name": "/web", "State": {"Running": True, "Pid": 100}}
    )
    host.process(100, "nginx", ns=A, cgroup=f"/docker/{ids(1)}")
    assert host.owners(A) == ["container:web"]


@pytest.mark.made("containerlab")
def test_containerlab(host: Host, ids: Callable[[int], str]) -> None:
    """Its nodes are containers with labels; the names of its links are altnames, a handle like any other."""
    labels = {"containerlab": "demo", "clab-node-name": "srl1"}
    config = {"ID": ids(1), "Name": "/clab-demo-srl1", "State": {"Running": True, "Pid": 100}}
    host.file(f"var/lib/docker/containers/{ids(1)}/config.v2.json", config | {"Config": {"Labels": labels}})
    host.process(100, "sr_linux", ns=A, cgroup=f"/docker/{ids(1)}")
    (owner,) = host.topology().owners(A)
    assert (owner.name, dict(owner.data)) == ("clab-demo-srl1", {"lab": "demo", "node": "srl1"})


@pytest.mark.made("kubernetes")
def test_pods_of_which_only_the_logs_tell(host: Host, ids: Callable[[int], str]) -> None:
    """A plain user may not read the engine's files, but the folder of logs, which has the pod's name and uid in its name."""
    host.process(100, "nginx", ns=A, cgroup=f"/kubepods/burstable/pod{UID}/{ids(1)}")
    host.process(101, "etcd", ns=B, cgroup=f"/kubepods/pod{'ab' * 16}/{ids(2)}")
    (host.root / f"var/log/pods/shop_web-0_{UID}").mkdir(parents=True)
    (host.root / f"var/log/pods/kube-system_etcd_{'ab' * 16}").mkdir()
    assert host.owners(A) == ["pod:shop/web-0", f"container:{ids(1)[:12]}"]
    assert host.owners(B) == ["pod:kube-system/etcd", f"container:{ids(2)[:12]}"]


MACHINE = """# This is private data. Do not parse.
NAME={name}
SCOPE={scope}
ROOT=/var/lib/machines/web
CLASS={kind}
SERVICE={service}
LEADER={pid}
"""


@pytest.mark.made("machined")
def test_machined(host: Host) -> None:
    """src/machine/machine.c; SCOPE is a C string, so its backslashes are doubled."""
    host.process(100, "systemd", ns=A, cgroup=r"/machine.slice/machine-web\x2d1.scope/payload/init.scope")
    scope = r"machine-web\\x2d1.scope"
    host.file(
        "run/systemd/machines/web-1",
        MACHINE.format(name="web-1", scope=scope, kind="container", service="systemd-nspawn", pid=100),
    )
    assert host.told() == [("container", "web-1", "nspawn", 100, A, ())]
    host.process(100, "sshd", ns=B, cgroup="/system.slice/ssh.service")  # the pid is another one's by now
    (host.root / "run/systemd/machines/web-1").rename(host.root / "run/systemd/machines/old")
    assert host.owners(B) == ["unit:ssh.service"]


@pytest.mark.made("machined")
def test_nspawn_as_a_service_without_machined(host: Host) -> None:
    host.process(100, "systemd", ns=A, cgroup=r"/machine.slice/systemd-nspawn@web\x2d1.service/payload")
    host.process(101, "qemu", ns=B, cgroup=r"/machine.slice/machine-qemu\x2d1\x2ddb.scope/libvirt")
    assert host.owners(A) == ["container:web-1"]
    assert not any(name.startswith("container:") for name in host.owners(B))


@pytest.mark.made("podman")
@pytest.mark.parametrize(
    "path",
    [
        "/run/user/1000/netns/rootless-netns-e4da938bee66ec1d0e69",  # 4.x
        "/run/user/1000/containers/networks/rootless-netns/rootless-netns",  # 5.x
    ],
)
def test_where_the_networks_of_a_users_podman_are(host: Host, path: str) -> None:
    """It was the namespace of aardvark-dns."""
    host.process(54, "podman pause", comm="podman pause", uid=1000)
    host.process(168, "aardvark-dns", ns=A, uid=1000)
    host.hold(A, Holder("mount", 54, path=path))
    assert host.owners(A) == ["network:rootless-netns"]
    ((owner, _),) = host.meant("rootless-netns")
    assert owner is not None
    assert dict(owner.data) == {"user": "ada"}


@pytest.mark.made("LXD, Incus")
@pytest.mark.parametrize(
    ("folder", "by"),
    [
        ("/var/snap/lxd/common/lxd/containers", "lxd"),
        ("/var/lib/lxd/containers", "lxd"),
        ("/var/lib/incus/containers", "incus"),
        ("/var/lib/lxc", "lxc"),
    ],
)
def test_lxd_and_incus(host: Host, folder: str, by: str) -> None:
    """Each container's monitor has liblxc's title, with the folder that tells whose it is."""
    host.process(99, f"[lxc monitor] {folder} c1", comm="lxd")
    host.process(100, "/sbin/init", ns=A, cgroup="/lxc.payload.c1/init.scope", ppid=99, uid=1000000)
    assert host.told() == [("container", "c1", by, 100, A, ())]
    assert [owner.name for owner, _ in host.meant("container:c1") if owner] == ["c1"]


@pytest.mark.made("LXD, Incus")
def test_lxc_by_control_group_alone_and_the_innermost_of_several(host: Host) -> None:
    host.process(100, "/sbin/init", ns=A, cgroup="/lxc.payload.outer/init.scope")
    host.process(101, "/sbin/init", ns=B, cgroup="/lxc.payload.outer/lxc.payload.inner/init.scope")
    assert (host.owners(A), host.owners(B)) == (["container:outer"], ["container:inner"])


DOMAIN = """<!-- WARNING: THIS IS AN AUTO-GENERATED FILE. -->
<domstatus state='running' reason='booted' pid='{pid}'>
  <taint flag='high-privileges'/>
  <domain type='qemu' id='1'>
    <name>instance-0001</name>
    <uuid>{uuid}</uuid>
    <metadata>
      <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1"><nova:name>db1</nova:name></nova:instance>
    </metadata>
    <devices>
      <disk type='file'><target dev='vda' bus='virtio'/></disk>
      <interface type='bridge'><mac address='52:54:00:aa:bb:01'/><target dev='vnet0'/></interface>
      <interface type='vhostuser'><mac address='52:54:00:aa:bb:02'/><target dev='vhu1'/></interface>
      <graphics type='vnc' passwd='s3cret'/>
    </devices>
  </domain>
</domstatus>
"""


@pytest.mark.made("libvirt")
def test_libvirt(host: Host) -> None:
    """/run/libvirt/qemu/NAME.xml: a VM by its name and UUID, and by the name that its owner in the cloud knows."""
    host.file("run/libvirt/qemu/instance-0001.xml", DOMAIN.format(pid=100, uuid=UID))
    host.process(
        100, "/usr/bin/qemu-system-x86_64", "-name", "guest=instance-0001,debug-threads=on", "-uuid", UID
    )
    host.tap(host.home, 7, "vnet0", 100)
    assert host.told() == [("vm", "instance-0001", "libvirt", 100, None, ("vnet0",))]
    for handle in (
        "vm:instance-0001",
        "vm:db1",
        f"vm:{UID[:8]}",
        "db1",
        "5254.00aa.bb02",  # of a NIC that has no link here
    ):
        ((owner, links),) = host.meant(handle)
        assert (owner is not None, links) == (True, ["vnet0"]), handle
    assert host.meant("52:54:00:AA:BB:01") == [(None, ["vnet0"])]
    assert host.meant("192.168.122.12") == []
    leased = {"ip-address": "192.168.122.12", "mac-address": "52:54:00:AA:BB:01", "hostname": "secret"}
    host.file("var/lib/libvirt/dnsmasq/virbr0.status", [leased])
    host.file("var/lib/neutron/dhcp/x/host", "52:54:00:aa:bb:01,host-10-0-0-3.local,10.0.0.3\n")
    for address in ("192.168.122.12", "10.0.0.3"):
        assert host.meant(address) == [(None, ["vnet0"])]
    (owner, *_), *_ = host.topology().owned()
    assert dict(owner.data) == {"nova": "db1", "guest_macs": "52:54:00:aa:bb:01 52:54:00:aa:bb:02"}


@pytest.mark.made("libvirt")
def test_a_domains_pid_that_is_another_vms_by_now(host: Host) -> None:
    host.file("run/libvirt/qemu/instance-0001.xml", DOMAIN.format(pid=100, uuid=UID))
    host.process(100, "/usr/bin/qemu-system-x86_64", "-name", "other", "-uuid", UID.replace("0f", "1f"))
    host.tap(host.home, 7, "tap7", 100)
    assert ("vm", "other", "qemu", 100, None, ("tap7",)) in host.told()
    assert host.meant("vm:instance-0001") == []


@pytest.mark.made("libvirt")
def test_a_domain_whose_descriptors_may_not_be_looked_at_and_one_without_links(host: Host) -> None:
    host.file("run/libvirt/qemu/one.xml", DOMAIN.format(pid=100, uuid=UID))
    host.link(host.home, 7, "vnet0", "tun")
    host.link(host.home, 8, "vda", "")
    assert host.told() == [("vm", "instance-0001", "libvirt", None, None, ("vnet0",))]
    host.file("run/libvirt/qemu/one.xml", DOMAIN.format(pid=100, uuid=UID).replace("vnet0", "vnet9"))
    host.process(100, "/usr/bin/qemu-system-x86_64", "-uuid", UID)
    assert ("vm", "instance-0001", "libvirt", 100, "host", ()) in host.told()


@pytest.mark.made("libvirt")
@pytest.mark.parametrize("evil", ["<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "<domstatus", "<a>" * 5000, ""])
def test_xml_that_is_none(host: Host, evil: str) -> None:
    host.file("run/libvirt/qemu/evil.xml", evil)
    assert host.told() == []
    assert host.gaps() == [
        "/run/libvirt/qemu/evil.xml: names of libvirt's domains: it makes no sense (half-written? ask again)"
    ]


@pytest.mark.made("qemu")
def test_the_json_that_newer_libvirts_give_to_qemu(host: Host) -> None:
    device = '{"driver":"virtio-net-pci","netdev":"hostnet0","id":"net0","mac":"52:54:00:AA:BB:01"}'
    host.process(
        100, "/usr/bin/qemu-system-x86_64", "-name", "guest=a,,b,debug-threads=on", "-device", device
    )
    host.tap(host.home, 7, "vnet0", 100)
    (owner, *_), *_ = host.topology().owned()
    assert (owner.name, dict(owner.data)) == ("a,b", {"guest_macs": "52:54:00:aa:bb:01"})


@pytest.mark.made("firecracker")
def test_firecracker(host: Host) -> None:
    """By the id that jailer gives it, or the name of its socket; in a namespace of its own, as jailer starts it."""
    host.process(100, "/firecracker", "--id", "vm-1", "--api-sock", "/run/api.socket", ns=A)
    host.process(101, "firecracker", "--api-sock", "/run/fc2.sock")
    host.tap(A, 2, "tap0", 100)
    host.tap(host.home, 7, "tap0", 101)
    told = [one for one in host.told() if one.type == "vm"]
    assert told == [
        ("vm", "fc2.sock", "firecracker", 101, None, ("tap0",)),
        ("vm", "vm-1", "firecracker", 100, None, ("tap0",)),
    ]
    assert [links for _, links in host.meant("vm:vm-1")] == [["tap0"]]


@pytest.mark.made("cloud-hypervisor")
def test_cloud_hypervisor(host: Host) -> None:
    """Its name is longer than what the kernel keeps of a process's name."""
    words = (
        "/usr/bin/cloud-hypervisor",
        "--api-socket",
        "path=/run/ch/db.sock",
        "--net",
        "tap=t0,mac=52:54:00:AA:BB:01",
    )
    host.process(100, *words, comm="cloud-hyperviso")
    host.tap(host.home, 7, "t0", 100)
    (owner, *_), *_ = host.topology().owned()
    assert (owner.name, owner.by) == ("db", "cloud-hypervisor")
    assert dict(owner.data) == {"guest_macs": "52:54:00:aa:bb:01"}


@pytest.mark.made("snap")
@pytest.mark.parametrize(
    ("group", "name"),
    [
        ("/system.slice/snap.nextcloud.apache.service", "nextcloud.apache"),
        ("/system.slice/snap.lxd.daemon.service", "lxd.daemon"),
        (
            f"/user.slice/user-1000.slice/user@1000.service/app.slice/snap.firefox.firefox.{UID}.scope",
            "firefox.firefox",
        ),
        (
            f"/user.slice/user-1000.slice/user@1000.service/app.slice/snap.firefox.firefox-{UID}.scope",
            "firefox.firefox",
        ),
        (rf"/user.slice/user-1000.slice/user@1000.service/app.slice/snap.a\x2db.c-{UID}.scope", "a-b.c"),
    ],
)
def test_snap(host: Host, group: str, name: str) -> None:
    """snapd's sandbox/cgroup/tracking.go."""
    host.process(100, "x", ns=A, cgroup=group)
    assert host.owners(A) == [f"app:{name}"]
    assert host.topology().owners(A)[0].by == "snap"


@pytest.mark.made("flatpak")
def test_flatpak(host: Host) -> None:
    """An application without the network permission, in a scope that flatpak asked systemd for; bwrap is its parent."""
    scope = (
        "/user.slice/user-1000.slice/user@1000.service/app.slice/app-flatpak-org.gnome.Calculator-4242.scope"
    )
    host.process(99, "bwrap", "--args", "42", "--unshare-net", cgroup=scope, uid=1000)
    host.process(100, "bwrap", "--args", "42", ns=A, cgroup=scope, uid=1000, ppid=99)
    host.process(101, "gnome-calculator", ns=A, cgroup=scope, uid=1000, ppid=100)
    (owner,) = host.topology().owners(A)
    assert (owner.type, owner.name, owner.by) == ("app", "org.gnome.Calculator", "flatpak")
    assert dict(owner.data) == {"user": "ada"}


@pytest.mark.made("systemd")
@pytest.mark.parametrize(
    ("group", "name", "user"),
    [
        ("/system.slice/nginx.service", "nginx.service", None),
        ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", None),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/nginx.service", "nginx.service", "ada"),
        ("/user.slice/user-1000.slice/session-3.scope", None, None),
        ("/user.slice/user-1000.slice/user@1000.service/init.scope", None, None),
        ("/init.scope", None, None),
        ("/system.slice/evil.service/nginx.service", "evil.service", None),
        ("/user.slice/user-1000.slice/session-3.scope/nginx.service", None, None),
        ("/nginx", None, None),
    ],
)
def test_units(host: Host, group: str, name: str | None, user: str | None) -> None:
    """PrivateNetwork=, NetworkNamespacePath=. What a service or a user calls control groups of its own counts for nothing."""
    host.process(100, "nginx", ns=A, cgroup=group)
    owners = [owner for owner in host.topology().owners(A) if owner.type == "unit"]
    assert [owner.name for owner in owners] == ([name] if name else [])
    assert [dict(owner.data).get("user") for owner in owners] == ([user] if name else [])
    if name == "nginx.service":
        assert [owner.name for owner, _ in host.meant("unit:nginx") if owner] == [name]


@pytest.mark.made("systemd")
def test_several_units_in_one_namespace(host: Host) -> None:
    for pid, name in ((100, "vpn"), (101, "proxy"), (102, "vpn")):
        host.process(pid, name, ns=A, cgroup=f"/system.slice/{name}.service")
    assert host.owners(A) == ["unit:vpn.service", "unit:proxy.service"]


@pytest.mark.made("Neutron (Open vSwitch, OVN, routers)")
def test_neutron_by_its_names(host: Host) -> None:
    """A network's and a router's whole UUID is in the namespace's name, a port's first part in the link's."""
    network, port = "fabc7ead-6132-4920-af57-2ad5e199e1c1", "39d60faa-aa11-4b4c-8c59-000000000001"
    for ns, name in ((A, f"qdhcp-{network}"), (B, f"qrouter-{UID}")):
        host.named(ns, f"/run/netns/{name}")
    host.process(812, "dnsmasq", "--no-hosts", ns=A)
    host.link(A, 2, "ns-39d60faa-aa")
    host.link(B, 2, "qr-0123abcd-ef")
    host.link(host.home, 7, "tap39d60faa-aa")
    (host.root / f"var/lib/neutron/dhcp/{network}").mkdir(parents=True)
    topology = host.topology()
    (dhcp,), (router,) = topology.owners(A), topology.owners(B)
    assert (dhcp.type, dhcp.name, dhcp.pid, dict(dhcp.data)) == (
        "dhcp",
        network,
        812,
        {"of": "network", "daemon": "dnsmasq"},
    )
    assert (router.type, router.name) == ("router", UID)
    for handle in ("port:39d60faa", f"port:{port}"):  # the whole UUID, of which the name has a part
        ((owner, links),) = host.meant(handle)
        assert sorted(links) == ["ns-39d60faa-aa", "tap39d60faa-aa"], "one port, with all of its links"
        assert owner is not None
        assert dict(owner.data)["of"] == "port of a DHCP server"
    assert host.meant("port:39d60fab") == []
    assert [links for owner, links in host.meant(network[:8]) if owner] == [["ns-39d60faa-aa"]]
    assert [owner.id for owner, _ in host.meant(f"qrouter-{UID[:8]}") if owner] == [UID]
    assert len(host.meant(f"qrouter-{UID}")) == 1, "the whole name is that of the namespace, and nothing else"
    assert host.meant(f"qdhcp-{UID[:8]}") == []
    out = io.StringIO()
    write_namespace(Paper(out, columns=None, color=False), topology, topology.namespaces[A])
    write_link(Paper(out, columns=None, color=False), topology.link("tap39d60faa-aa"))
    told = [
        line.split(maxsplit=1)[1] for line in out.getvalue().splitlines() if line.strip().startswith("owner ")
    ]
    assert told == [
        "dhcp of network fabc7ead (neutron, dnsmasq pid 812)",
        "port of a DHCP server 39d60faa-aa (neutron)",
    ], "each thing is said once"
