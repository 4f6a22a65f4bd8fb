"""`nswire completion`."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

EPILOG = """\b
Examples:
  bash   nswire completion bash > /etc/bash_completion.d/nswire
  zsh    nswire completion zsh > "${fpath[1]}/_nswire"
  fish   nswire completion fish > ~/.config/fish/completions/nswire.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print the script that makes a shell complete verbs, options, and the names of links and namespaces."""
    from nswire.cli.entry import command as root

    made = get_completion_class(shell)
    if made is None:  # pragma: no cover (click knows these three)
        raise click.UsageError(f"no completion for {shell}")
    # the base class's source: bash's own also runs bash to ask for its version
    click.echo(ShellComplete.source(made(root, {}, "nswire", "_NSWIRE_COMPLETE")))
    return 0
