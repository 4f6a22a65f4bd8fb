#!/usr/bin/env bash
# Field: `-j` of ip and tc.
# Guess: what takes `-j` and ends with 0 has printed JSON (or nothing), or `-j` is refused where there is none, as ethtool does.
# Truth: `ip -j xfrm policy`, `ip -j monitor` and `tc -j class show` (htb) take it, end with 0 and print their text; `tc -j qdisc show` of the same link is JSON.
# Version: iproute2 6.1.0-3 of Debian 12. Source: a policy, an htb class and a changed MTU in a new network namespace. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iproute2=6.1.0-3 libbpf1 libmnl0 libelf1 libcap2 libbsd0 libmd0 libtirpc3 libdb5.3 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/bin:$T/root/sbin:$PATH LD_LIBRARY_PATH=$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu
cat > inside.sh <<'I'
set -euo pipefail
ip -V
ip link add one type veth peer name two
ip xfrm policy add src 10.0.0.1 dst 10.0.0.2 dir out
tc qdisc add dev one root handle 1: htb default 10; tc class add dev one parent 1: classid 1:10 htb rate 1mbit
ip -j monitor link > monitor & watcher=$!
until [ -s monitor ]; do ip link set one mtu $((1000 + RANDOM % 400)); done
kill $watcher; wait $watcher || true
ip -j xfrm policy > policy; echo "ip -j xfrm policy: $?"
tc -j class show dev one > class; echo "tc -j class show: $?"
tc -j qdisc show dev one > qdisc; echo "tc -j qdisc show: $?"
json() { python3 -c 'import json, sys; json.load(open(sys.argv[1]))' "$1" 2>/dev/null && echo yes || echo no; }
seen="monitor $(json monitor), policy $(json policy), class $(json class), qdisc $(json qdisc)"
echo "is it JSON? $seen"; head -qn 1 monitor policy class
[ "$seen" = "monitor no, policy no, class no, qdisc yes" ]
I
unshare -n bash inside.sh; echo "as described"
