"""Bytes and texts to facts, and requests to bytes. No I/O: no socket and no file in sight."""
