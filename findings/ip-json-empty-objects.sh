#!/usr/bin/env bash
# Field: `ip -j`.
# Guess: `ip -j link show up` is a list of the links that are up, as the text is: `.[].ifname` is always there.
# Truth: for each link that the filter leaves out there is an empty object in the list, so that its length is the number of all links and `.ifname` is missing. `type bridge`, which
#   the kernel filters, and `ip -j -4 addr` leave them out.
# Version: iproute2 6.1.0-3 of Debian 12. Source: a new network namespace with lo, one veth that is up and one that is down. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iproute2=6.1.0-3 libbpf1 libmnl0 libelf1 libcap2 libbsd0 libmd0 libtirpc3 libdb5.3 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/bin:$T/root/sbin:$PATH LD_LIBRARY_PATH=$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu
cat > inside.sh <<'I'
set -euo pipefail
ip -V
ip link add one type veth peer name two; ip link set lo up; ip link set one up
ip -j link show up > up.json; ip -j link show type bridge > type.json; ip -j -4 addr show > addr.json
echo "text:  $(ip -br link show up | wc -l) lines"
python3 - <<'P'
import json, sys
up, kind, addr = (json.load(open(f"{name}.json")) for name in ("up", "type", "addr"))
print("link show up:         ", [one.get("ifname") for one in up])
print("link show type bridge:", kind)
print("-4 addr show:         ", [one.get("ifname") for one in addr])
sys.exit(not (up.count({}) == 1 and len(up) == 3 and kind == [] and {} not in addr))
P
I
unshare -n bash inside.sh; echo "as described"
