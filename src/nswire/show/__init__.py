"""Answers as text and as JSON documents.

It writes to the stream that it is given, and asks nothing by itself: what is not in the topology yet (owners, details), that asks through its `Inspector`.

Rules of the room:

* Everything that comes from outside goes through `escape.visible` (text) or `jsonout` (JSON) before it is written.
* Documents are built from the topology in `documents`; the texts beside them in `text*`. Neither concludes anything.
"""
