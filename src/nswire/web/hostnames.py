"""The names by which the page may be called (the header Host), without ports: a tunnel has a port of its own."""

LOOPBACK = frozenset({"localhost", "127.0.0.1", "[::1]"})
ANY_ADDRESS = "*"  # whatever is written as an address: nobody can have rebound that
