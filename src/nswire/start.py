"""Where the program begins, before anything else is loaded: Ctrl-C ends it in silence from here on, until `cli.entry` takes over."""

import _signal  # type: ignore[import-not-found] # the part of `signal` that costs nothing

try:
    if (
        _signal.getsignal(_signal.SIGINT) != _signal.SIG_IGN
    ):  # as with nohup, or in the background of a script
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
except ValueError:  # not the main thread: somebody else's program
    pass


def main() -> None:
    """Run nswire and exit."""
    from nswire.cli.entry import main as run

    run()
