"""Real network topologies, built to order: for the demo, the tests and the benchmarks.

Rules of this room:

* Standard library only, and no other room of nswire: a laboratory must not share a mistake with what it tests.
* What is true is known from construction (`nswire.lab.lab.Lab`), never read back.
* Whatever is made is undone in reverse order, and children die with their parent.
* Nothing here is for a machine in production: build in a private host (`nswire.lab.private`).
"""
