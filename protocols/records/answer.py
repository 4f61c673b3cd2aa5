"""The one answer to a line: as the ledger gives it, a socket carries it and a terminal reads it."""

from __future__ import annotations

import msgspec


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of one line of `record`; durable when it is handed out."""

    line: int
    """Counted from 1."""
    ok: bool
    key: str | None = None
    id: str | None = None
    """The patient, encounter or site that was founded, else the fact that was written."""
    patient: str | None = None
    encounter: str | None = None
    facts: tuple[str, ...] = ()
    """Everything the line wrote, fact by fact: what an undo takes back."""
    code: str | None = None
    feed: str | None = None
    seq: int | None = None
    warnings: tuple[str, ...] = ()
    repeated: bool = False
    error: str | None = None
    field: str | None = None
    allowed: tuple[str, ...] = ()
    limit: int | None = None
    """What `error` says was exceeded: characters, bytes, items, decimals or levels."""
    kind: str | None = None
    """What takes the field instead, where `error` is `not_taken`."""
    confirm: str | None = None
    """The code to confirm, where `error` is `confirm_needed`."""
    message: str | None = None
