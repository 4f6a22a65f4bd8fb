"""The engine: asks the sources, visits what they found, resolves, asks what that left open, and says what stays so."""

from nswire.discover.engine import scan

__all__ = ["scan"]
