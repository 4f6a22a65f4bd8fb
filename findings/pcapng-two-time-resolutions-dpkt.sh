#!/usr/bin/env bash
# Field: captures of several interfaces in one pcapng file, read with dpkt.
# Guess: a reader uses the if_tsresol of the interface that a packet names, since the format has one per interface description.
# Truth: dpkt keeps the resolution of the first interface for all packets: a packet of the second one, in nanoseconds, is 54 000 years off. scapy and python-pcapng read both right.
# Version: dpkt 1.9.8, scapy 2.8.0, python-pcapng 2.1.1. Source: a file of 200 bytes with two interfaces and one packet of each, made here by the specification.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install dpkt==1.9.8 scapy==2.8.0 python-pcapng==2.1.1 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
cat > try.py <<'P'
import logging, struct, sys
logging.disable()
import dpkt, pcapng
from scapy.utils import rdpcap
def block(kind, body):
    size = len(body) + 12
    return struct.pack("<II", kind, size) + body + struct.pack("<I", size)
def interface(resolution):
    options = struct.pack("<HHB3xHH", 9, 1, resolution, 0, 0)
    return block(1, struct.pack("<HHI", 1, 0, 0) + options)
def packet(number, time, data):
    return block(6, struct.pack("<5I", number, time >> 32, time & 0xFFFFFFFF, len(data), len(data)) + data)
AT, ARP = 1_700_000_000, b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x08\x06" + bytes(30)
with open("f.pcapng", "wb") as file:
    file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + interface(6) + interface(9))
    file.write(packet(0, AT * 10**6, ARP) + packet(1, AT * 10**9, ARP))
with open("f.pcapng", "rb") as file:
    said = {"dpkt": [time for time, _ in dpkt.pcapng.Reader(file)]}
with open("f.pcapng", "rb") as file:
    said["python-pcapng"] = [one.timestamp for one in pcapng.FileScanner(file) if hasattr(one, "timestamp")]
said["scapy"] = [float(one.time) for one in rdpcap("f.pcapng")]
for who, times in said.items():
    print(f"{who:14} {times}")
right = [AT, AT]
sys.exit(not (said["scapy"] == said["python-pcapng"] == right and said["dpkt"] == [AT, AT * 1000]))
P
v/bin/python try.py; echo "as described"
