#!/usr/bin/env bash
# Field: health checks over all network namespaces by `ip -all netns exec CMD`.
# Guess: the exit status is not 0 if CMD failed in some namespace, as `ip netns exec NAME CMD` passes CMD's status on.
# Truth: it is 0 although CMD failed in every namespace; the output alone tells. `ip netns exec NAME` with the same CMD gives CMD's status.
# Version: iproute2 6.1.0-3 of Debian 12. Source: two new namespaces, and a route that none of them has. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
apt-get download -qq iproute2=6.1.0-3 libbpf1 libmnl0 libelf1 libcap2 libbsd0 libmd0 libtirpc3 libdb5.3 2>apt.log || { cat apt.log; echo "could not be tried"; exit 2; }
for d in *.deb; do dpkg -x "$d" root; done
export PATH=$T/root/bin:$T/root/sbin:$PATH LD_LIBRARY_PATH=$T/root/usr/lib/x86_64-linux-gnu:$T/root/lib/x86_64-linux-gnu
cat > inside.sh <<'I'
set -uo pipefail
mount -t tmpfs none /run; mount -t sysfs none /sys 2>/dev/null
ip -V
ip netns add one; ip netns add two
ip netns exec one ip route get 192.0.2.1 >/dev/null 2>&1; single=$?
ip -all netns exec ip route get 192.0.2.1 >all.txt 2>&1; all=$?
failed=$(grep -c unreachable all.txt)
echo "ip netns exec one: $single; ip -all netns exec: $all, where $failed of 2 failed"
[ $single = 2 ] && [ $all = 0 ] && [ "$failed" = 2 ]
I
unshare -n -m bash inside.sh; echo "as described"
