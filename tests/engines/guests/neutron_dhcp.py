"""Runs Neutron's real DHCP agent for one made-up network, with the server's RPC replaced by a mock.

usage: neutron_dhcp.py CONFIG (linuxbridge|openvswitch) (veth|noveth)

Makes qdhcp-<uuid> with dnsmasq, wired by the named interface driver: a veth ns-xxxxxxxx-xx <-> tapxxxxxxxx-xx, or, with openvswitch
and noveth, an internal port of br-int moved into the namespace. Prints the ids of network and port as the server would give them.
"""

import eventlet

eventlet.monkey_patch()

import contextlib
import json
import os
import sys
import uuid
from unittest import mock

from neutron.agent import dhcp_agent
from neutron.agent.dhcp import agent
from neutron.agent.linux.dhcp import DictModel, NetModel
from neutron.common import config as common_config
from neutron.conf.agent import ovsdb_api
from oslo_config import cfg


def configure(config, driver, *, use_veth):
    conf = cfg.CONF
    dhcp_agent.register_options(conf)
    with contextlib.suppress(cfg.DuplicateOptError):
        ovsdb_api.register_ovsdb_api_opts()
    conf(["--config-file", config], project="neutron")
    conf.set_override("interface_driver", driver)
    conf.set_override("log_dir", os.environ["TMPDIR"])
    conf.set_override("lock_path", os.environ["TMPDIR"], "oslo_concurrency")
    if driver == "openvswitch":
        conf.set_override("ovs_use_veth", use_veth)
        conf.set_override("ovsdb_connection", "unix:/run/openvswitch/db.sock", "OVS")
    common_config.setup_logging()
    return conf


def network_and_port():
    network_id, subnet_id, port_id = (str(uuid.uuid4()) for _ in range(3))
    project = "a" * 32
    subnet = DictModel(
        id=subnet_id,
        network_id=network_id,
        ip_version=4,
        cidr="192.168.60.0/24",
        enable_dhcp=True,
        gateway_ip="192.168.60.1",
        dns_nameservers=[],
        host_routes=[],
        ipv6_ra_mode=None,
        ipv6_address_mode=None,
        allocation_pools=[],
        subnetpool_id=None,
        segment_id=None,
    )
    network = NetModel(
        id=network_id,
        subnets=[subnet],
        non_local_subnets=[],
        ports=[],
        tenant_id=project,
        project_id=project,
        mtu=1450,
        admin_state_up=True,
        port_security_enabled=False,
        namespace="qdhcp-" + network_id,
    )
    port = DictModel(
        id=port_id,
        network_id=network_id,
        mac_address="fa:16:3e:00:00:02",
        device_owner="network:dhcp",
        device_id="x",
        mtu=1450,
        tenant_id=project,
        fixed_ips=[DictModel(subnet_id=subnet_id, ip_address="192.168.60.2")],
        extra_dhcp_opts=[],
        dns_assignment=[],
        admin_state_up=True,
    )
    return network, port


def main():
    config, driver, wiring = sys.argv[1:]
    conf = configure(config, driver, use_veth=wiring == "veth")
    network, port = network_and_port()
    server = mock.Mock()
    server.create_dhcp_port.return_value = server.get_dhcp_port.return_value = (
        server.update_dhcp_port.return_value
    ) = port
    server.get_networks.return_value = []
    server.get_network_info.return_value = network
    with mock.patch("neutron.agent.dhcp.agent.DhcpPluginApi", return_value=server):
        dhcp = agent.DhcpAgent("fakehost", conf)
        dhcp.init_host()
        dhcp.configure_dhcp_for_network(network)
    told = {"network": network.id, "port": port.id, "namespace": network.namespace}
    print(json.dumps(told), flush=True)
    os._exit(0)  # the agent's green threads never end by themselves


if __name__ == "__main__":
    main()
