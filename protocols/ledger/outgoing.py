"""What leaves of a feed: where a run may end, and which signatures it can do without."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from protocols.feeds.entry import KEPT_BYTES, KEPT_EVERY, SALT_BYTES, hash_body
from protocols.feeds.run import Outgoing

ENTRY_ENVELOPE_BYTES = 24
"""About what an entry costs on the wire beside its body."""
ENTRY_BYTES_MIN = 64
"""The shortest that anybody writes, its envelope included."""
ROWS_MAX = 1024
"""Entries read for one outgoing run."""
ROWS_MIN = 128
"""Fewer are never read: a run has to reach the next signature, `UNSIGNED_MAX` entries on."""
SIGNATURE_BYTES = 64
KEY_BYTES = 34
"""The first mention of a scope key in a run."""


def rows_for(bytes_max: int) -> int:
    """Return how many entries to read for a run of so many bytes; one of a few numbers."""
    rows = ROWS_MAX
    while rows > ROWS_MIN and rows // 2 * ENTRY_BYTES_MIN > bytes_max:
        rows //= 2
    return rows


def cut(rows: list[tuple[Any, ...]], bytes_max: int, thin: bool) -> list[tuple[Any, ...]]:
    """Return the longest start that ends at a signature within the bytes, at least one such."""
    end, used, keys = 0, 0, set()
    for at, row in enumerate(rows, 1):
        key, body, signature = row[5], row[6], row[7]
        used += ENTRY_ENVELOPE_BYTES + (len(body) if isinstance(body, bytes) else 32)
        if key not in keys:
            keys.add(key)
            used += KEY_BYTES
        if signature is not None and not thin:
            used += SIGNATURE_BYTES
        if used > bytes_max and end:
            break
        if signature is not None:
            end = at
    return rows[:end]


def without_body(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return an entry's row as it is once its body is gone."""
    body = row[6]
    if body is None:
        return row
    return (*row[:6], None, row[7], len(body) - SALT_BYTES, hash_body(body), *row[10:])


def kept_signatures(rows: Sequence[tuple[int, int, bool]]) -> set[int]:
    """Return the places whose signatures stay when all that they cover are dropped.

    Whatever places an author signed, no more than KEPT_EVERY entries come to lie between two
    kept signatures, unless it left more between two of its own.

    Args:
        rows: (seq, body bytes, whether it is signed), ascending, after a kept signature.
    """
    signed = [seq for seq, _, held in rows if held]
    following = dict(pairwise(signed))
    kept: set[int] = set()
    since, last = 0, rows[0][0] - 1 if rows else 0
    for seq, size, held in rows:
        since += size
        if not held:
            continue
        later = following.get(seq)
        if (
            later is None
            or later - last > KEPT_EVERY
            or seq % KEPT_EVERY == 0
            or since >= KEPT_BYTES
        ):
            kept.add(seq)
            since, last = 0, seq
    return kept


def thinned(
    rows: Sequence[tuple[Any, ...]], thin: bool, key_ids: dict[int, bytes]
) -> list[Outgoing]:
    """Leave out the signatures that a later kept one in the same run covers."""
    sizes = [(row[0], len(row[6] or b""), row[7] is not None) for row in rows]
    kept = kept_signatures(sizes) if thin else {row[0] for row in rows}
    out = []
    for row in rows:
        seq, _, kind, dictionary, clock, key_no, body, signature, length, body_hash, *_ = row
        out.append(
            Outgoing(
                kind,
                dictionary,
                clock,
                key_ids[key_no],
                body,
                body_hash,
                length or 0,
                signature if seq in kept else None,
            )
        )
    return out
