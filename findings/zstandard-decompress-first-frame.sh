#!/usr/bin/env bash
# Field: journals and archives that are appended to a zstd frame at a time.
# Guess: decompress() gives all that is in the bytes, as gzip.decompress does with members, or says that something is left.
# Truth: zstandard.decompress() gives the first frame, and no error. stream_reader() and open() read all frames in this version, and so does pyzstd.decompress().
# Version: zstandard 0.25.0, pyzstd 0.20.0. Source: two frames of four bytes each, one behind the other.
set -euo pipefail
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT; cd "$T"
python3 -m venv v && v/bin/pip -q install zstandard==0.25.0 pyzstd==0.20.0 2>pip.log || { cat pip.log; echo "could not be tried"; exit 2; }
cat > try.py <<'P'
import gzip, io, sys
import pyzstd, zstandard
frames = zstandard.compress(b"one\n") + zstandard.compress(b"two\n")
said = {
    "gzip.decompress": gzip.decompress(gzip.compress(b"one\n") + gzip.compress(b"two\n")),
    "zstandard.decompress": zstandard.decompress(frames),
    "zstandard.ZstdDecompressor().decompress": zstandard.ZstdDecompressor().decompress(frames),
    "zstandard.ZstdDecompressor().stream_reader": zstandard.ZstdDecompressor().stream_reader(io.BytesIO(frames)).read(),
    "zstandard.open": zstandard.open(io.BytesIO(frames)).read(),
    "pyzstd.decompress": pyzstd.decompress(frames),
}
for who, what in said.items():
    print(f"{who:42} {what}")
sys.exit({who for who, what in said.items() if what != b"one\ntwo\n"} != {"zstandard.decompress", "zstandard.ZstdDecompressor().decompress"})
P
v/bin/python try.py; echo "as described"
