"""Runs the agents of a whole host of Neutron's: DHCP, L3 (with metadata), Linux bridge, security groups.

usage: neutron_host.py CONFIG < WORLD

The server is a mock that answers what WORLD says (JSON: networks, router, ports, security groups; see neutron_lab.py). All that is
done to the machine, namespaces, links, bridges, rules, daemons, is done by Neutron's own code. With Open vSwitch: but for the tags of ports and the flows, which are in neutron_ovs_lab.py as its agent has them.
"""

import eventlet

eventlet.monkey_patch()

import json
import os
import sys
from contextlib import ExitStack, suppress
from unittest import mock

from neutron.agent import dhcp_agent, l3_agent
from neutron.agent.dhcp import agent as dhcp
from neutron.agent.l3 import agent as l3
from neutron.agent.linux.dhcp import DictModel, NetModel
from neutron.agent.linux.iptables_firewall import IptablesFirewallDriver, OVSHybridIptablesFirewallDriver
from neutron.agent.linux.iptables_manager import IptablesManager, binary_name
from neutron.common import config as common_config
from neutron.conf.agent import ovsdb_api
from neutron.conf.agent import securitygroups_rpc as groups
from neutron.conf.plugins.ml2.drivers import linuxbridge
from neutron.plugins.ml2.drivers.linuxbridge.agent import arp_protect
from neutron.plugins.ml2.drivers.linuxbridge.agent.linuxbridge_neutron_agent import LinuxBridgeManager
from oslo_config import cfg

AGENTS = L3, BRIDGE, SWITCH = "neutron-l3-agent", "neutron-linuxbridge-agent", "neutron-openvswitch-agent"
TUNNEL = "10.99.0.1"  # where this host's VXLANs end


def configure(config, driver):
    conf = cfg.CONF
    dhcp_agent.register_options(conf)
    for register in (
        l3_agent.register_opts,
        linuxbridge.register_linuxbridge_opts,
        groups.register_securitygroups_opts,
    ):
        with suppress(cfg.DuplicateOptError):
            register(conf) if register is l3_agent.register_opts else register()
    with suppress(cfg.DuplicateOptError):
        ovsdb_api.register_ovsdb_api_opts()
    conf(["--config-file", config], project="neutron")
    conf.set_override("interface_driver", driver)
    conf.set_override("log_dir", os.environ["TMPDIR"])
    conf.set_override("lock_path", os.environ["TMPDIR"], "oslo_concurrency")
    conf.set_override("firewall_driver", "iptables", "SECURITYGROUP")
    if driver == "openvswitch":
        conf.set_override(name="ovs_use_veth", override=False)
        conf.set_override("ovsdb_connection", "unix:/run/openvswitch/db.sock", "OVS")
    else:
        conf.set_override("local_ip", TUNNEL, "VXLAN")
    common_config.setup_logging()
    return conf


def called(program):
    """Rules are called after the agent that makes them, by its first 16 characters; here one program is several agents."""
    init = IptablesManager.__init__
    names = (binary_name, *(name[:16] for name in AGENTS))
    init.__defaults__ = tuple(program[:16] if one in names else one for one in init.__defaults__)


def subnet_of(network):
    return DictModel(
        id=network["subnet"],
        network_id=network["id"],
        ip_version=4,
        cidr=network["cidr"],
        enable_dhcp=True,
        gateway_ip=network["gateway"],
        dns_nameservers=[],
        host_routes=[],
        ipv6_ra_mode=None,
        ipv6_address_mode=None,
        allocation_pools=[],
        subnetpool_id=None,
        segment_id=None,
    )


def serve_dhcp(conf, network, world):
    """The DHCP agent, for one network: qdhcp-UUID, a veth, dnsmasq."""
    subnet = subnet_of(network)

    def port_of(port, owner):
        return DictModel(
            id=port["id"],
            network_id=network["id"],
            mac_address=port["mac"],
            device_owner=owner,
            device_id="x",
            mtu=network["mtu"],
            tenant_id=network["project"],
            fixed_ips=[DictModel(subnet_id=subnet.id, ip_address=port["address"])],
            extra_dhcp_opts=[],
            dns_assignment=[],
            admin_state_up=True,
        )

    own = port_of(network["dhcp"], "network:dhcp")
    guests = [port_of(one, "compute:nova") for one in world["instances"] if one["network"] == network["id"]]
    told = NetModel(
        id=network["id"],
        subnets=[subnet],
        non_local_subnets=[],
        ports=guests,
        tenant_id=network["project"],
        project_id=network["project"],
        mtu=network["mtu"],
        admin_state_up=True,
        port_security_enabled=True,
        namespace="qdhcp-" + network["id"],
    )
    server = mock.Mock()
    server.create_dhcp_port.return_value = server.get_dhcp_port.return_value = own
    server.update_dhcp_port.return_value = own
    server.get_networks.return_value = []
    server.get_network_info.return_value = told
    with mock.patch.object(dhcp, "DhcpPluginApi", return_value=server):
        agent = dhcp.DhcpAgent(conf.host, conf)
        agent.init_host()
        agent.configure_dhcp_for_network(told)


def serve_router(conf, world):
    """The L3 agent, for one router: qrouter-UUID, a veth for each port of it, SNAT, floating IPs, the metadata proxy."""
    router = world["router"]

    def port_of(port, owner):
        return {
            "id": port["id"],
            "network_id": port["network"],
            "mac_address": port["mac"],
            "mtu": port["mtu"],
            "device_owner": owner,
            "admin_state_up": True,
            "fixed_ips": [
                {"subnet_id": port["subnet"], "ip_address": port["address"], "prefixlen": port["prefixlen"]}
            ],
            "subnets": [{"id": port["subnet"], "cidr": port["cidr"], "gateway_ip": port["gateway"]}],
            "extra_subnets": [],
            "address_scopes": {"4": None, "6": None},
        }

    told = {
        "id": router["id"],
        "ha": False,
        "distributed": False,
        "enable_snat": True,
        "routes": [],
        "external_gateway_info": {"network_id": router["gateway"]["network"]},
        "gw_port": port_of(router["gateway"], "network:router_gateway"),
        "_interfaces": [port_of(one, "network:router_interface") for one in router["ports"]],
        "_floatingips": [
            {
                "id": one["id"],
                "floating_ip_address": one["address"],
                "fixed_ip_address": one["fixed"],
                "port_id": one["port"],
                "fixed_ip_address_scope": None,
            }
            for one in router["floating"]
        ],
    }
    server = mock.Mock()
    server.get_host_ha_router_count.return_value = 0
    server.get_service_plugin_list.return_value = []
    with ExitStack() as patches:
        patches.enter_context(mock.patch.object(l3, "L3PluginApi", return_value=server))
        patches.enter_context(mock.patch.object(l3.agent_rpc, "create_consumers"))
        patches.enter_context(mock.patch.object(l3.n_rpc, "Connection", create=True))
        agent = l3.L3NATAgent(conf.host, conf)
        agent._process_router_if_compatible(told)


def plug(world):
    """The Linux bridge agent: a bridge for each network, VXLANs, the flat network."""
    manager = LinuxBridgeManager({}, world["physical"])
    for port in world["taps"]:
        assert manager.add_tap_interface(
            port["network"],
            port["type"],
            port.get("physical"),
            port.get("segment"),
            port["tap"],
            port["owner"],
            port["mtu"],
        ), port


def protect(world, firewall, device_of, *, arp):
    """The agent's protection of each instance's port: security groups by iptables and sets; ARP and MACs by ebtables."""
    for group, rules in world["groups"].items():
        firewall.update_security_group_rules(group, rules)
        members = [(one["address"], one["mac"]) for one in world["instances"] if one["group"] == group]
        firewall.update_security_group_members(group, {"IPv4": members, "IPv6": []})
    firewall.filter_defer_apply_on()
    for one in world["instances"]:
        details = {
            "device": device_of(one),
            "mac_address": one["mac"],
            "fixed_ips": [one["address"]],
            "network_id": one["network"],
            "device_owner": "compute:nova",
            "port_security_enabled": True,
            "security_groups": [one["group"]],
            "security_group_source_groups": [one["group"]],
            "security_group_rules": [],
            "allowed_address_pairs": [],
        }
        firewall.prepare_port_filter(details)
        if arp:
            arp_protect.setup_arp_spoofing_protection(
                one["tap"], details | {"fixed_ips": [{"ip_address": one["address"]}]}
            )
    firewall.process_trusted_ports(
        [one["tap"] for one in world["taps"] if not one["owner"].startswith("compute:")]
    )
    firewall.filter_defer_apply_off()


def main():
    world = json.load(sys.stdin)
    conf = configure(sys.argv[1], world["driver"])
    for network in world["networks"]:
        serve_dhcp(conf, network, world)
    called(L3)
    serve_router(conf, world)
    if world["driver"] == "openvswitch":
        called(SWITCH)
        protect(world, OVSHybridIptablesFirewallDriver(), lambda one: one["id"], arp=False)
    else:
        called(BRIDGE)
        plug(world)
        protect(world, IptablesFirewallDriver(), lambda one: one["tap"], arp=True)
    print("{}", flush=True)
    os._exit(0)  # the agents' green threads never end by themselves


if __name__ == "__main__":
    main()
