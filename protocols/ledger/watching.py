"""How those in care do, worked out from rows where a board asks, whatever else the book holds.

Nothing of it is kept in rows: an hour decides what is late, and a pack what is scored. What was
worked out is remembered by everything it came from, so it is never older than the book.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import NamedTuple

from protocols.guidelines.ages import AgeSpan
from protocols.guidelines.due import DuePack, shipped_due
from protocols.guidelines.limits import LimitsPack, shipped_limits
from protocols.guidelines.news2 import News2Pack, shipped_news2
from protocols.ledger import packs, scales
from protocols.ledger.book import Ledger
from protocols.records.patient import PatientRow
from protocols.records.scale import SECOND, USUAL
from protocols.records.watch import (
    SETS,
    Measured,
    Packs,
    Stay,
    Watch,
    age_span,
    codes_of,
    sets_of,
    watch,
)

PATIENTS_MAX = 500
"""Patients looked at in one question; a board that sorts by score looks at so many, the most urgent
first."""
REMEMBERED = 4_096
"""Results kept, about 2 kB each."""

_VALUES = """
WITH found AS (
  SELECT o.patient, o.at_ms, o.code, o.value, o.unit, o.absent FROM subject s
  JOIN observation o ON o.subject = s.no
  WHERE s.id IN ({who}) AND o.standing = 0 AND o.replaced = 0 AND o.unaccepted = 0
    AND o.absent NOT IN ('not-measured', 'refused') AND o.code IN ({codes})
  UNION ALL
  SELECT o.patient, o.at_ms, o.code, o.value, o.unit, o.absent FROM subject s
  JOIN observation o ON o.subject = s.no
  WHERE s.kind = 3 AND o.patient IN ({who}) AND o.standing = 0 AND o.replaced = 0
    AND o.unaccepted = 0 AND o.absent NOT IN ('not-measured', 'refused') AND o.code IN ({codes})
), ranked AS (
  SELECT *, dense_rank() OVER (PARTITION BY patient ORDER BY at_ms DESC) AS back FROM found
)
SELECT patient, at_ms, code, value, unit, absent FROM ranked WHERE back <= {sets}
"""


class _Known(NamedTuple):
    """Everything that a result depends on."""

    values: tuple[Measured, ...]
    stay: Stay
    age: AgeSpan


def packs_in_use(ledger: Ledger) -> Packs:
    """Return the packs this node works by; what came with the software where none was published."""
    news2, limits, due = (_in_use(ledger, name) for name in ("news2", "limits", "due"))
    assert isinstance(news2, News2Pack | None)
    assert isinstance(limits, LimitsPack | None)
    assert isinstance(due, DuePack | None)
    return Packs(news2 or shipped_news2(), limits or shipped_limits(), due or shipped_due())


def watches(ledger: Ledger, rows: Sequence[PatientRow], now_ms: int) -> dict[bytes, Watch]:
    """Return how some patients do, by id; at most `PATIENTS_MAX` of them, the first ones.

    Args:
        ledger: The book.
        rows: The patients, as boards have them.
        now_ms: Unix milliseconds, for ages alone: what is due is told as an instant.
    """
    asked = rows[:PATIENTS_MAX]
    if not asked:
        return {}
    used = packs_in_use(ledger)
    who = [bytes(row.id) for row in asked]
    values, second = _values(ledger, who, used), scales.second(ledger, who)
    found = {}
    for row in asked:
        known = _Known(
            tuple(sorted(values.get(bytes(row.id), ()))),
            Stay(
                row.triage,
                row.sex,
                row.arrived_ms or 0,
                SECOND if bytes(row.id) in second else USUAL,
            ),
            age_span(row, now_ms),
        )
        found[bytes(row.id)] = _work_out(_Shelf(used), known)
    return found


def shelf(ledger: Ledger) -> Hashable:
    """Return what is equal as long as the same packs are in use."""
    return _Shelf(packs_in_use(ledger))


class _Shelf:
    """Packs by which of them they are: they are read once and compared by identity."""

    __slots__ = ("packs",)

    def __init__(self, used: Packs) -> None:
        self.packs = used

    def __hash__(self) -> int:
        return hash(tuple(map(id, self.packs)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Shelf) and all(
            one is two for one, two in zip(self.packs, other.packs, strict=True)
        )


@lru_cache(REMEMBERED)
def _work_out(shelf: _Shelf, known: _Known) -> Watch:
    return watch(shelf.packs, sets_of(known.values), known.stay, known.age)


def _values(ledger: Ledger, who: Sequence[bytes], used: Packs) -> dict[bytes, list[Measured]]:
    codes = sorted(_codes(_Shelf(used)))
    marks, listed = ",".join("?" * len(who)), ",".join("?" * len(codes))
    asked = _VALUES.format(who=marks, codes=listed, sets=SETS)
    found: dict[bytes, list[Measured]] = {}
    for patient, *rest in ledger.store.all(asked, (*who, *codes, *who, *codes)):
        found.setdefault(bytes(patient), []).append(Measured(*rest))
    return found


@lru_cache(8)
def _codes(shelf: _Shelf) -> frozenset[str]:
    return codes_of(shelf.packs)


def _in_use(ledger: Ledger, name: str) -> object:
    found = packs.in_use(ledger, name)
    return None if found is None else _read(found)


@lru_cache(16)
def _read(pack: packs.HeldPack) -> object:
    return packs.contents(pack)
