"""libvirt with a paused qemu: the VM lives on without its daemon, and its name, UUID and MACs lie in libvirt's own files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from .place import kill
from .qemu import PROGRAM
from .truth import Engine, Row, Truth

if TYPE_CHECKING:
    from .place import Place

# No systemd, no udev, no user of its own, no control groups of the machine's: what a VM is, is all the same.
SETTINGS = """user = "root"
group = "root"
security_driver = "none"
cgroup_controllers = []
namespaces = []
remember_owner = 0
stdio_handler = "file"
"""
USER = "libvirt-qemu"  # which it looks for whatever its settings say; another package of Debian's makes it
DOMAIN = """<domain type='qemu'>
  <name>db1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
  <os><type arch='x86_64' machine='pc'>hvm</type></os>
  <devices>
    <emulator>/usr/bin/{program}</emulator>
    <interface type='bridge'>
      <source bridge='virbr0'/><mac address='52:54:00:aa:00:01'/><model type='virtio'/><rom enabled='no'/>
    </interface>
    <interface type='ethernet'>
      <target dev='db1-storage'/><mac address='52:54:00:aa:00:02'/><model type='virtio'/><rom enabled='no'/>
    </interface>
  </devices>
</domain>
"""


def start(place: Place) -> Engine:
    """A VM with a tap that libvirt named, on a bridge, and one with a name of its administrator's."""
    Path("/etc/libvirt").mkdir(exist_ok=True)
    Path("/etc/libvirt/qemu.conf").write_text(SETTINGS)
    if f"{USER}:" not in Path("/etc/passwd").read_text():
        place.run("useradd", "--system", "--user-group", "--no-create-home", USER)
    place.run("ip", "link", "add", "virbr0", "type", "bridge")
    place.run("ip", "link", "set", "virbr0", "up")
    daemon = place.daemon("libvirtd", until=place.answers("virsh", "-c", "qemu:///system", "version"))
    domain = place.folder / "domain.xml"
    domain.write_text(DOMAIN.format(program=PROGRAM))
    virsh = ("virsh", "-q", "-c", "qemu:///system")
    place.run(*virsh, "create", "--paused", str(domain))
    pid = int(Path("/run/libvirt/qemu/db1.pid").read_text())
    place.undo(lambda: kill([pid]))
    uuid = place.run(*virsh, "domuuid", "db1").strip()
    name = place.run(*virsh, "domname", uuid).strip()
    rows = [line.split() for line in place.run(*virsh, "domiflist", "db1").splitlines() if line.split()]
    assert [row[1] for row in rows] == ["bridge", "ethernet"]
    truth = Truth(
        f"vm:{name}",
        "vm",
        name,
        "libvirt",
        0,
        served={row[0]: pid for row in rows},
        data={"guest_macs": " ".join(row[-1] for row in rows)},
        also=(f"vm:{uuid}", f"vm:{uuid[:8]}"),
        guests={row[0]: row[-1] for row in rows},
        id=uuid,
    )
    version = place.run("libvirtd", "--version").split()[-1]
    return Engine("libvirt", version, [truth], [daemon.pid], lambda: kill([daemon.pid]))


ROW = Row("libvirt", ("libvirtd", "virsh", PROGRAM, "useradd", "/dev/net/tun"), start)
