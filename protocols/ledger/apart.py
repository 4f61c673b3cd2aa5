"""What is here and does not count because of who wrote it, by author."""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from protocols.ledger.authors import Author, Authors
from protocols.ledger.book import Ledger
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.standing import Standing

LOOKED_AT_MAX = 5_000
"""Entries that are looked at one by one, the newest; of more it is said that there are more."""
STANDINGS = (Standing.UNADMITTED, Standing.REFUSED, Standing.UNCHECKED)
"""What no seal did: seals say themselves what they keep back, see `sealing.kept_back`."""

_NEWEST = (
    " UNION ".join(
        f"SELECT entry, standing FROM {table.TABLE}"
        " WHERE standing > 0 AND standing IN (:unadmitted, :refused, :unchecked)"
        for table in ROW_TABLES
    )
    + " ORDER BY entry DESC LIMIT :limit"
)
_KEPT_BACK = " UNION ".join(
    f"SELECT entry FROM {table.TABLE} WHERE standing > 0 AND standing IN (:quarantined, :held)"
    for table in ROW_TABLES
)


class Apart(NamedTuple):
    """What one author wrote that does not count, for one reason."""

    author: Author
    standing: Standing
    entries: int
    newest_ms: int
    """When the newest of them says it was written."""


def kept_by_seals(ledger: Ledger) -> int:
    """Return of how many entries a seal keeps back what they say, whomever they are about."""
    kept = {"quarantined": int(Standing.QUARANTINED), "held": int(Standing.HELD)}
    found = ledger.store.one(f"SELECT count(*) FROM ({_KEPT_BACK})", kept)
    return int(found[0]) if found else 0


def apart(ledger: Ledger) -> tuple[list[Apart], bool]:
    """Return what does not count by author, most first, and whether there is more of it."""
    found = ledger.store.all(
        _NEWEST,
        {
            "unadmitted": int(Standing.UNADMITTED),
            "refused": int(Standing.REFUSED),
            "unchecked": int(Standing.UNCHECKED),
            "limit": LOOKED_AT_MAX + 1,
        },
    )
    rows = found[:LOOKED_AT_MAX]
    authors = Authors(ledger).of_entries(entry for entry, _ in rows)
    entries: defaultdict[tuple[Author, Standing], list[int]] = defaultdict(list)
    for entry, standing in rows:
        if entry in authors:
            entries[authors[entry], Standing(standing)].append(entry)
    lines = [
        Apart(author, standing, len(held), ledger.chain.clock_of(max(held)) >> 16)
        for (author, standing), held in entries.items()
    ]
    lines.sort(key=lambda each: (-each.entries, each.author.device, each.standing))
    return lines, len(found) > LOOKED_AT_MAX
