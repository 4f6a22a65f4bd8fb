"""What is expected of a network (`nswire assert`): a file of expectations, each judged by what the other verbs answer.

An expectation is a table of a TOML file; what kinds there are is in `table.py`, one file a kind.
"""

from nswire.check.expect.files import block, read
from nswire.check.expect.table import TABLE, judge
from nswire.check.expect.values import Expectation, Outcome

__all__ = ["TABLE", "Expectation", "Outcome", "block", "judge", "read"]
