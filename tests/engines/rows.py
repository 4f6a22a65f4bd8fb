"""The engines that are started for real: one file an engine, one row here."""

from . import (
    containerd,
    cri,
    docker,
    libvirt,
    lxc,
    nested,
    neutron,
    neutron_lab,
    neutron_ovs_lab,
    nspawn,
    ovs,
    podman,
    qemu,
    rootless,
)
from .truth import Row

ROWS: tuple[Row, ...] = (
    docker.ROW,
    nested.ROW,
    podman.ROW,
    rootless.ROW,
    containerd.ROW,
    cri.ROW,
    lxc.ROW,
    nspawn.ROW,
    qemu.ROW,
    libvirt.ROW,
    ovs.ROW,
    ovs.KERNEL,
    neutron.BRIDGE,
    neutron.SWITCH,
    neutron.KERNEL,
    neutron_lab.ROW,
    neutron_ovs_lab.ROW,
)
