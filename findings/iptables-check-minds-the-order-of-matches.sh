#!/usr/bin/env bash
# Field: idempotent firewall scripts by `iptables -C RULE || iptables -A RULE`.
# Guess: a rule is there if it has the same conditions; their order on the command line means nothing, as all of them must hold.
# Truth: the matches are compared one by one in their order: the same rule with `-m comment` before `--dport`, or with two `-m` exchanged, "does not exist", and such a script appends
#   it once more. Options of the IP header (-s, -d, -p) may stand anywhere. iptables-nft and iptables-legacy agree.
# Version: iptables 1.8.9-2 of Debian 12. Source: one rule in a new network namespace, asked for in three orders. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iptables=1.8.9-2 libxtables12 libip4tc2 libip6tc2 libmnl0 libnftnl11 libnfnetlink0 libnetfilter-conntrack3 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
L=$T/root/usr/lib/x86_64-linux-gnu
export PATH=$T/root/usr/sbin:$PATH LD_LIBRARY_PATH=$L:$T/root/lib/x86_64-linux-gnu XTABLES_LIBDIR=$L/xtables XTABLES_LOCKFILE=$T/lock
cat > inside.sh <<'I'
set -uo pipefail
status=0
for tool in iptables-nft iptables-legacy; do
    $tool -V
    $tool -A INPUT -s 192.0.2.0/24 -p tcp --dport 80 -m comment --comment web -j ACCEPT || exit 2
    there() { $tool -C INPUT "$@" -j ACCEPT 2>/dev/null && echo found || echo missing; }
    seen="$(there -s 192.0.2.0/24 -p tcp --dport 80 -m comment --comment web) $(there -p tcp --dport 80 -m comment --comment web -s 192.0.2.0/24) $(there -s 192.0.2.0/24 -p tcp -m comment --comment web --dport 80 -m tcp) $(there -s 192.0.2.0/24 -m comment --comment web -p tcp --dport 80)"
    echo "$tool: as added, -s last, comment before --dport, comment before -p: $seen"
    [ "$seen" = "found found missing missing" ] || status=1
done
exit $status
I
unshare -n -m bash inside.sh; echo "as described"
