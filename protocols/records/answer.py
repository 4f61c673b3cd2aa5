"""The one answer to a line: as the ledger gives it, a socket carries it and a terminal reads it."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError

LINES_MAX = 64
"""Lines written in one transaction: an import gains, a single record waits for nobody."""


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


def refusal(error: InputError, *, line: int, key: str | None = None) -> Answer:
    """Return the answer to a line that was not taken, with all that its sentence speaks of."""
    limit, kind, confirm = (error.values.get(name) for name in ("limit", "kind", "confirm"))
    return Answer(
        line,
        False,
        key,
        error=error.code,
        field=error.field,
        allowed=error.allowed,
        limit=limit if isinstance(limit, int) else None,
        kind=kind if isinstance(kind, str) else None,
        confirm=confirm if isinstance(confirm, str) else None,
    )
