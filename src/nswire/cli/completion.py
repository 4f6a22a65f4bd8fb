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

# click's own takes the words as bash divides them: `container:we` is three. Here words end at spaces alone, and what bash
# takes for the word before the last colon is not given to it a second time.
BASH = """\
%(complete_func)s() {
    local IFS=$' \\t\\n' line="${COMP_LINE:0:COMP_POINT}" word before="" completion type value response
    local -a words
    read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=("")
    word="${words[${#words[@]}-1]}"
    [[ $COMP_WORDBREAKS == *:* && $word == *:* ]] && before="${word%%"${word##*:}"}"
    response=$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((${#words[@]} - 1)) %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    while IFS=',' read -r type value; do
        if [[ $type == dir ]]; then
            compopt -o dirnames
        elif [[ $type == file ]]; then
            compopt -o default
        elif [[ $type == plain ]]; then
            COMPREPLY+=("${value#"$before"}")
        fi
    done <<< "$response"
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(("bash", "zsh", "fish")))
def command(shell: str) -> int:
    """Print the script that makes a shell complete verbs, options, and the names of links, namespaces and owners."""
    from nswire.cli.entry import command as root

    made = get_completion_class(shell)
    if made is None:  # pragma: no cover (click knows these three)
        raise click.UsageError(f"no completion for {shell}")
    one = made(root, {}, "nswire", "_NSWIRE_COMPLETE")
    if shell == "bash":
        one.source_template = BASH  # type: ignore[misc] # of this one alone
    # the base class's source: bash's own also runs bash to ask for its version
    click.echo(ShellComplete.source(one))
    return 0
