#!/usr/bin/env bash
# Field: policy routing rules by `ip -j rule`.
# Guess: `src` and `dst` are prefixes as in the text and as in `ip -j route`: "10.0.0.0/8".
# Truth: they are addresses without a length; the length is in `srclen` and `dstlen` beside them, and missing for a host. A reader of `src` alone takes a rule of a /8 for one of
#   the single address 10.0.0.0. `ip -j route` of the same prefix has it in one string; a mark and its mask are apart too, both as hexadecimal text.
# Version: iproute2 6.1.0-3 of Debian 12. Source: three rules and a route in a new network namespace. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iproute2=6.1.0-3 libbpf1 libmnl0 libelf1 libcap2 libbsd0 libmd0 libtirpc3 libdb5.3 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/bin:$T/root/sbin:$PATH LD_LIBRARY_PATH=$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu
cat > inside.sh <<'I'
set -euo pipefail
ip -V; ip link set lo up
ip rule add pref 10 from 10.0.0.0/8 fwmark 0x1/0xff table 100
ip rule add pref 11 to 10.0.0.0/8 table 100
ip rule add pref 12 from 10.0.0.0 table 100
ip route add 10.0.0.0/8 dev lo table 100
ip rule show pref 10; ip rule show pref 12
ip -j rule > rules.json; ip -j route show table 100 > routes.json
python3 - <<'P'
import json, sys
rules = {one["priority"]: one for one in json.load(open("rules.json"))}
route, = json.load(open("routes.json"))
for number in (10, 11, 12):
    print(rules[number])
print(route)
sys.exit(not ((rules[10]["src"], rules[10]["srclen"]) == ("10.0.0.0", 8) and (rules[11]["dst"], rules[11]["dstlen"]) == ("10.0.0.0", 8)
              and rules[12]["src"] == "10.0.0.0" and "srclen" not in rules[12] and route["dst"] == "10.0.0.0/8" and rules[10]["fwmask"] == "0xff"))
P
I
unshare -n bash inside.sh; echo "as described"
