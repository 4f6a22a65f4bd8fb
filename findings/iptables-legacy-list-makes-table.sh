#!/usr/bin/env bash
# Field: looking at iptables in somebody's network namespace.
# Guess: `iptables -L` only reads; a program that lists changes nothing.
# Truth: `iptables-legacy -t nat -L` in a namespace that has no such table makes it: the kernel registers it with the first question, and from then on it is in /proc/net/ip_tables_names, and nft warns of it.
#   `iptables-nft -t nat -L` makes nothing.
# Version: iptables 1.8.9-2 and nftables 1.0.6-2+deb12u2 of Debian 12, Linux 6.18. Source: a new network namespace. Needs root, and ip_tables in the kernel.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iptables=1.8.9-2 libip4tc2=1.8.9-2 libip6tc2=1.8.9-2 libxtables12=1.8.9-2 nftables=1.0.6-2+deb12u2 libnftables1=1.0.6-2+deb12u2 libnftnl11=1.2.4-2 libmnl0=1.0.4-3 libjansson4=2.14-2 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export LD_LIBRARY_PATH=$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu PATH=$T/root/usr/sbin:$T/root/sbin:$PATH XTABLES_LIBDIR=$T/root/usr/lib/x86_64-linux-gnu/xtables
cat > inside.sh <<'I'
set -euo pipefail
iptables-legacy -V; uname -r
iptables-nft -t nat -L > /dev/null; after_nft=$(cat /proc/net/ip_tables_names); rules=$(nft list ruleset)
iptables-legacy -t nat -L > /dev/null; after_legacy=$(cat /proc/net/ip_tables_names)
echo "tables after iptables-nft -t nat -L: [$after_nft] [$rules]; after iptables-legacy -t nat -L: [$after_legacy]"
[ -z "$after_nft$rules" ] && [ "$after_legacy" = nat ]
I
unshare -n bash inside.sh; echo "as described"
