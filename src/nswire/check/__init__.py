"""What is wrong: one file a rule (`rules/`), whose docstring is its published page (docs/rules/).

Rules of the room:

* A rule looks at a `Network` and yields findings. It knows of no other rule; `under` in its row names those whose finding
  would explain its own.
* What it cannot see is a gap of the rule: `skipped`, a third outcome besides found and not found.
* When in doubt it is silent: a laboratory shows that it fires, and another one, different in one fact, that it does not.
"""

from nswire.check.rule import SEVERITIES, Fact, Failed, Finding, Found, Rule, Severity, Skipped
from nswire.check.run import Report, narrow, run

__all__ = [
    "SEVERITIES",
    "Fact",
    "Failed",
    "Finding",
    "Found",
    "Report",
    "Rule",
    "Severity",
    "Skipped",
    "narrow",
    "run",
]
