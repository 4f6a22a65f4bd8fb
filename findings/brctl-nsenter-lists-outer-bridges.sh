#!/usr/bin/env bash
# Field: old bridge tools in a network namespace that was entered with nsenter.
# Guess: `nsenter --net=FILE brctl show` lists the bridges of that namespace, as `nsenter --net=FILE ip link` does.
# Truth: it lists those of the mount namespace's /sys: the bridges outside, and none of that namespace, while `brctl showmacs` of a bridge inside works in the same place. `ip netns exec` mounts a new /sys, and is right.
# Version: bridge-utils 1.7.1-1 of Debian 12. Source: a bridge in each of two network namespaces. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq bridge-utils=1.7.1-1 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/sbin:$T/root/usr/sbin:$PATH
cat > inside.sh <<'I'
set -euo pipefail
mount -t tmpfs none /run; mount -t sysfs none /sys
ip netns add inner; ip link add br-outer type bridge; ip -n inner link add br-inner type bridge
names() { awk 'NR > 1 { print $1 }' | tr '\n' ' '; }
one=$(nsenter --net=/run/netns/inner brctl show | names)
two=$(ip netns exec inner brctl show | names)
three=$(nsenter --net=/run/netns/inner brctl showmacs br-inner | wc -l)
echo "nsenter --net: $one; ip netns exec: $two; nsenter --net ... showmacs br-inner: $three line(s), no error"
[ "$one" = "br-outer " ] && [ "$two" = "br-inner " ] && [ "$three" = 1 ]
I
unshare -n -m bash inside.sh; echo "as described"
