#!/usr/bin/env bash
# Field: MACs in YAML (netplan, cloud-init network-config, nmstate, inventories).
# Guess: a MAC without quotes is a string; only `yes`, `off` and numbers with a leading zero are traps.
# Truth: with YAML 1.1 six groups of decimal digits below 60 are one number to the base of 60: 52:54:00:12:34:56 is 41135085296, while 02:42:0a:00:00:02 is a string. So one machine
#   of a fleet differs from the next by the letters in its MAC. ruamel.yaml, of YAML 1.2, keeps strings.
# Version: PyYAML 6.0.4, ruamel.yaml 0.19.1. Source: a document of two MACs as qemu and Docker give them.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install PyYAML==6.0.4 ruamel.yaml==0.19.1 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
cat > try.py <<'P'
import sys
import yaml
from ruamel.yaml import YAML
TEXT = "vm: {macaddress: 52:54:00:12:34:56}\ncontainer: {macaddress: 02:42:0a:00:00:02}\n"
old = {name: one["macaddress"] for name, one in yaml.safe_load(TEXT).items()}
new = {name: one["macaddress"] for name, one in YAML(typ="safe").load(TEXT).items()}
print("PyYAML      ", old)
print("ruamel.yaml ", new)
sys.exit((old, new) != (
    {"vm": 41135085296, "container": "02:42:0a:00:00:02"},
    {"vm": "52:54:00:12:34:56", "container": "02:42:0a:00:00:02"},
))
P
v/bin/python try.py; echo "as described"
