"""`nswire serve`: the picture as a page that keeps itself up to date, and the same answers for programs.

    browser ──HTTP──> front (no privileges) ──socketpair──> worker (reads the machine)

Rules of the room:

* Two processes. The front speaks HTTP, knows tokens and sessions, and has nothing to lose: no privileges, no file, nothing
  of nswire but this room. The worker has the rights of whoever started it, and only answers what is in its tables.
* What can be asked is a row of `answers.TABLE`; its documents are those of the command line.
* Starlette and uvicorn are imported by `front` and what it imports; by nothing else (docs/decisions/0010-serving.md).
"""
