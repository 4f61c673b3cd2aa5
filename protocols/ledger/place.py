"""The names of a book's files, and what can be told of a folder without opening it."""

from __future__ import annotations

from pathlib import Path

from protocols.ledger.safefile import disk_trouble

DATABASE_NAME = "ledger.db"
ORDERS_NAME = "orders"
"""What was ordered to be erased, under the book's key: it outlives a database that is lost."""
MARK_NAME = "last_backup"
"""Says when the last backup was made."""
UNATTENDED_NAME = "ledger.unattended"
"""Holds the database key itself: an explicit choice at `init`, whose risk is stated there."""


def holds_book(folder: Path) -> bool:
    """Whether there is a book in this folder.

    Raises:
        SetupError: `place_closed` when the folder is closed to us.
    """
    with disk_trouble():
        return (folder / DATABASE_NAME).exists()


def opens_unattended(folder: Path) -> bool:
    """Whether the folder was made to open without a passphrase."""
    return (folder / UNATTENDED_NAME).exists()


def last_backup_ms(folder: Path) -> int | None:
    """When the last backup of a folder was made, Unix milliseconds, or None."""
    try:
        return int((folder / MARK_NAME).read_bytes())
    except (FileNotFoundError, ValueError):
        return None
