"""Answers as text and as JSON documents. No I/O but writing to the stream that it is given.

Rules of the room:

* Everything that comes from outside goes through `escape.visible` (text) or `jsonout` (JSON) before it is written.
* Documents are built from the topology in `documents`; the texts beside them in `text*`. Neither concludes anything.
"""
