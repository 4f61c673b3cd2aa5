"""Options that commands of both apps take, said once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Option = Callable[[Callable[..., Any]], Callable[..., Any]]


def data_option(name: str, owner: str) -> Option:
    """Return `--data`: the folder of the node or of HQ.

    Args:
        name: The folder's own name below this user's data when none is named.
        owner: What the help calls it, as in 'the node'.
    """
    return click.option(
        "--data",
        "folder",
        type=click.Path(path_type=Path, file_okay=False),
        default=lambda: _own_folder() / name,
        help=f"Data folder of {owner}.",
    )


def _own_folder() -> Path:
    # Only whoever names no folder pays for finding out where this system keeps such things.
    import platformdirs

    return Path(platformdirs.user_data_dir("fieldmesh"))


passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(path_type=Path, allow_dash=True),
    help="File whose first line is the passphrase; - for standard input.",
)
new_passphrase_option = click.option(
    "--new-passphrase-file",
    "new_file",
    type=click.Path(path_type=Path),
    help="File whose first line is the new passphrase.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
peer_option = click.option(
    "--peer", "peers", multiple=True, help="HOST:PORT to keep a link to; repeatable."
)
no_discovery_option = click.option(
    "--no-discovery", is_flag=True, help="Do not look for peers on the local network."
)
source_option = click.option(
    "--from", "source", type=click.Path(path_type=Path, exists=True), required=True
)
target_option = click.option(
    "--to", "target", type=click.Path(path_type=Path), required=True, help="New file."
)
