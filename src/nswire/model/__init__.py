"""Frozen values and the topology. No I/O, and nothing here knows how a fact was obtained."""
