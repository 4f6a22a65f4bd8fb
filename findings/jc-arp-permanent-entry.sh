#!/usr/bin/env bash
# Field: `arp -an` as JSON by jc.
# Guess: `iface` is the name of the interface, whatever flags an entry has.
# Truth: with a permanent entry (`[ether] PERM on eth0`), as tunnels and static neighbours have them, `iface` is the word "on": the fields are counted from the left. No error, nothing is left out.
# Version: jc 1.26.1, with net-tools 2.10-0.1+deb12u2. Source: arp's own output in a new network namespace. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install jc==1.26.1 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
apt-get download -qq net-tools=2.10-0.1+deb12u2 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/sbin:$T/root/usr/sbin:$PATH
cat > inside.sh <<'I'
set -euo pipefail
ip link add one type veth peer name two; ip addr add 192.0.2.1/24 dev one; ip link set one up; ip link set two up
ip neigh add 192.0.2.7 lladdr 02:00:00:00:00:07 dev one nud permanent
ip neigh add 192.0.2.8 lladdr 02:00:00:00:00:08 dev one nud reachable
arp -an | sort | tee arp.txt
v/bin/jc --arp < arp.txt > arp.json
python3 - <<'P'
import json, sys
said = {one["address"]: one["iface"] for one in json.load(open("arp.json"))}
print(said)
sys.exit(said != {"192.0.2.7": "on", "192.0.2.8": "one"})
P
I
unshare -n bash inside.sh; echo "as described"
