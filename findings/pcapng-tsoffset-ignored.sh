#!/usr/bin/env bash
# Field: pcapng files whose times are relative (if_tsoffset), as written by devices that count from their start.
# Guess: the seconds of if_tsoffset are part of every time that a reader gives.
# Truth: scapy and python-pcapng leave them out without a word, dpkt adds them: the same file is from 1970 or from 2023.
# Version: scapy 2.8.0, python-pcapng 2.1.1, dpkt 1.9.8. Source: a file with one interface, if_tsoffset 1700000000 and a packet at 5 s, made here by the specification.
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
AT, ARP = 1_700_000_000, b"\xff" * 6 + b"\2\0\0\0\0\1" + b"\x08\x06" + bytes(30)
with open("f.pcapng", "wb") as file:
    file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)))
    file.write(block(1, struct.pack("<HHI", 1, 0, 0) + struct.pack("<HHqHH", 14, 8, AT, 0, 0)))
    file.write(block(6, struct.pack("<5I", 0, 0, 5_000_000, len(ARP), len(ARP)) + ARP))
with open("f.pcapng", "rb") as file:
    said = {"dpkt": [time for time, _ in dpkt.pcapng.Reader(file)]}
with open("f.pcapng", "rb") as file:
    said["python-pcapng"] = [one.timestamp for one in pcapng.FileScanner(file) if hasattr(one, "timestamp")]
said["scapy"] = [float(one.time) for one in rdpcap("f.pcapng")]
for who, times in said.items():
    print(f"{who:14} {times}")
sys.exit(said != {"dpkt": [AT + 5], "python-pcapng": [5], "scapy": [5]})
P
v/bin/python try.py; echo "as described"
