#!/usr/bin/env bash
# Field: drawing networks with pydot, or with networkx through it: MACs, `eth0:1` and IPv6 addresses as node names.
# Guess: a name is a name; what DOT would misread is quoted, as `veth-a` and `vlan.100` are.
# Truth: what stands behind a colon is taken for a port of the node, and a node's statement is written without it: two MACs that begin with one byte are one node, `52`, and
#   networkx.nx_pydot writes eth0:1 and eth0:2 as one node eth0. No error, no warning. Names in quotes of one's own are left alone.
# Version: pydot 4.0.1, networkx 3.6.1. Source: graphs of two nodes.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install pydot==4.0.1 networkx==3.6.1 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
cat > try.py <<'P'
import sys
import networkx, pydot
def nodes(*names):
    graph = pydot.Dot()
    for name in names:
        graph.add_node(pydot.Node(name))
    return graph.to_string().split("{")[1].split("}")[0].split()
said = {
    "two MACs": nodes("52:54:00:00:00:01", "52:54:00:00:00:02"),
    "two MACs, quoted": nodes('"52:54:00:00:00:01"', '"52:54:00:00:00:02"'),
    "other names": nodes("veth-a", "vlan.100"),
}
pairs = networkx.Graph()
pairs.add_nodes_from(["eth0:1", "eth0:2"])
said["networkx"] = networkx.nx_pydot.to_pydot(pairs).to_string().split("{")[1].split("}")[0].split()
for what, written in said.items():
    print(f"{what:18} {written}")
sys.exit(said != {
    "two MACs": ["52;", "52;"],
    "two MACs, quoted": ['"52:54:00:00:00:01";', '"52:54:00:00:00:02";'],
    "other names": ['"veth-a";', '"vlan.100";'],
    "networkx": ["eth0;", "eth0;"],
})
P
v/bin/python try.py; echo "as described"
