#!/usr/bin/env bash
# Field: looking into network namespaces from a thread that has entered one (setns is per thread).
# Guess: psutil tells of the namespace of the thread that calls it, or at least of one namespace in all its answers.
# Truth: net_if_addrs() is of the thread's namespace, net_io_counters() of the main thread's (it reads /proc/net/dev, which is /proc/self/net/dev), and net_if_stats(), which takes names from the one and asks in the other,
#   has only those that are in both: lo.
# Version: psutil 7.2.2. Source: two network namespaces with a veth pair each. Needs root.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install psutil==7.2.2 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
cat > try.py <<'P'
import ctypes, os, sys, threading
import psutil
libc = ctypes.CDLL(None, use_errno=True)
NEWNET = 0x40000000
def links(names):
    os.system(f"ip link add {names}-a type veth peer name {names}-b")
said = {}
def elsewhere():
    assert libc.unshare(NEWNET) == 0, os.strerror(ctypes.get_errno())
    links("inner")
    said["net_if_addrs"] = sorted(psutil.net_if_addrs())
    said["net_if_stats"] = sorted(psutil.net_if_stats())
    said["net_io_counters"] = sorted(psutil.net_io_counters(pernic=True))
links("outer")
thread = threading.Thread(target=elsewhere)
thread.start()
thread.join()
for what, names in said.items():
    print(f"{what:16} {names}")
sys.exit(said != {
    "net_if_addrs": ["inner-a", "inner-b", "lo"],
    "net_if_stats": ["lo"],
    "net_io_counters": ["lo", "outer-a", "outer-b"],
})
P
unshare -n v/bin/python try.py; echo "as described"
