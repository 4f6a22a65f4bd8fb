"""Real engines: each file starts one in the private host that the suite runs in, and knows what is true of it from its own CLI.

The suite runs each engine in a private host of its own: what an engine leaves behind, in firewalls and bridges, ends with that,
and so does everything that a failed test did not stop.
"""
