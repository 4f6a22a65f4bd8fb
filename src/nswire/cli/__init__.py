"""The command line: one file a verb, one row in `verbs.py`. Reads arguments, calls the rooms above, builds no logic.

Rules of the room:

* stdout is the answer, stderr is talk, in one form: `nswire VERB: SUBJECT: REASON`, then a hint.
* Whatever goes wrong, no traceback: see `main`.
* A verb is imported when it is called. `nswire --help` loads click and nothing else (start-up budget).
"""

from nswire.cli.entry import main

__all__ = ["main"]
