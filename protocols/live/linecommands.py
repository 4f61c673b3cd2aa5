"""`record`, `rows` and `status`: what programs run again and again, mostly of a node that runs.

They load what speaks to its socket and no more; the other commands are loaded with the book.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from protocols.errors import InputError, SetupError
from protocols.live import commands
from protocols.live.commands import LocalDoor, door, show
from protocols.live.options import Option, json_option, passphrase_option
from protocols.live.talk import EXIT_NOT_WRITABLE, told


def record_command(data_option: Option) -> click.Command:
    """Return `record`, which HQ has not."""

    @click.command("record", help="Read JSON lines, write each down, answer each once durable.")
    @data_option
    @passphrase_option
    def record(folder: Path, passphrase_file: Path | None) -> None:
        with told(fault=EXIT_NOT_WRITABLE), door(folder, passphrase_file) as book:
            if isinstance(book, LocalDoor):
                commands.attach(book.client)
            sys.exit(commands.record_stream(book, sys.stdin.fileno()))

    return record


def rows_command(data_option: Option) -> click.Command:
    """Return `rows`."""

    @click.command("rows", help="Print rows of a kind, one JSON object a line.")
    @click.argument("kind")
    @data_option
    @passphrase_option
    @click.option("--since", type=int, default=0, help="Cursor: only rows changed after it.")
    @click.option("--follow", is_flag=True, help="Go on with rows as they change.")
    def rows(
        kind: str, folder: Path, passphrase_file: Path | None, since: int, follow: bool
    ) -> None:
        with told(), door(folder, passphrase_file) as book:
            commands.print_rows(book, kind, since, follow=follow)

    return rows


def status_command(data_option: Option, said: str) -> click.Command:
    """Return `status`.

    Args:
        said: Its help.
    """

    @click.command("status", help=said)
    @data_option
    @passphrase_option
    @json_option
    def status(folder: Path, passphrase_file: Path | None, as_json: bool) -> None:
        with told():
            try:
                with door(folder, passphrase_file) as book:
                    found = commands.full_status(book, folder)
            except (InputError, SetupError) as error:
                # A program asks how the node is; that nobody opens it is an answer.
                if not as_json or error.code not in commands.CLOSED:
                    raise
                found = commands.closed_status(folder, error.code)
        if as_json:
            show(found)
        else:
            commands.print_status(found)

    return status
