"""What an operator typed, to the links and namespaces it stands for: all of them, ranked.

It asks nothing by itself: what is not in the topology yet (who listens, owners), that asks through its `Inspector`.

Rules of the room:

* One file a family of handles, one row in `table.py`; nothing else here knows a family by name.
* A bare word is tried as everything. A word with a family's prefix (`pid:`, `net:[`) is tried as that alone, so that
  nobody can take over a typed handle by giving that name to an interface of theirs.
* Never the first match: all of them, each with a handle that finds nothing else. Of links with one name `own` is the one that
  `ip` would take; whoever uses it says how many more there are.
"""

from nswire.handles.lookup import Match, find, nearest, own, unique_handle, unique_namespace

__all__ = ["Match", "find", "nearest", "own", "unique_handle", "unique_namespace"]
