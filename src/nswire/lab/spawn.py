"""Children of the laboratory: a fresh interpreter that imports this room and nothing else of nswire."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_START = (
    "import sys;"
    # A stand-in package: nswire/__init__.py, and what it imports, stays unread.
    "p=type(sys)('nswire');p.__path__=[sys.argv.pop(1)];sys.modules['nswire']=p;"
    "from nswire.lab.{module} import main;main(sys.argv[1:])"
)


def command(module: str, *arguments: str) -> list[str]:
    """The command line that runs `main(arguments)` of a module of this room, without site packages."""
    package = os.fspath(Path(__file__).resolve().parent.parent)
    return [sys.executable, "-S", "-I", "-c", _START.format(module=module), package, *arguments]
