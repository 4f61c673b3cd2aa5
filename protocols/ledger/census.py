"""Who is in care, counted as rows change: a board costs what it shows, not what the ward holds.

The first question reads the rows once. From then on each change of a patient's rows is taken over
as it is written (`RowBook.write`). A transaction that fails makes the `RowBook` anew, and this with
it, so the counts are never of rows that are not there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from protocols.ledger import tags
from protocols.ledger.store import Store
from protocols.records.patient import PatientRow, TagRow
from protocols.records.shape import columns

IN_CARE = "p.encounter IS NOT NULL AND p.closed_ms IS NULL AND p.replaced < 2"
"""What makes a patient one in care; partial indexes are taken where it is stated in these terms."""

URGENT_FIRST = (1, 2, 3, None, 4, 0)
"""Categories in the order of a board; a number of later software stands where None does."""

TAGS_MAX = 5_000
"""Tags looked at again one by one; more are read from the rows anew."""

Values = tuple[Any, ...]


class Picture(NamedTuple):
    """What the rows say of one patient, as far as it is counted."""

    patient: Values = ()
    """A row of `PatientRow`; () for none."""
    tags: frozenset[Values] = frozenset()
    """Rows of `TagRow`."""


class _Lies(NamedTuple):
    """Where somebody in care is counted."""

    triage: int | None
    standing: int
    ward: str
    bed: str


_PATIENT = {name: at for at, (name, _) in enumerate(columns(PatientRow))}
_TAG = [name for name, _ in columns(TagRow)].index("tag")
_WORN = [_PATIENT[name] for name in ("id", "code", "standing", "tag")]


class Census:
    """Counts of those in care, and the tags that they share."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known = False
        self._by_ward: Counter[tuple[str, int | None]] = Counter()
        """Ward and category; '' where nobody said a ward."""
        self._standing: Counter[int | None] = Counter()
        self._beds: Counter[tuple[str, str]] = Counter()
        self._shared: dict[str, tags.SharedTag] | None = None
        """None: to be read from the rows."""
        self._doubtful: set[str] = set()
        """Tags that somebody else may carry now, or nobody."""

    @property
    def follows(self) -> bool:
        """Whether changes are taken over: before the first question there is nothing to keep up."""
        return self._known or self._shared is not None

    def change(self, before: Picture, after: Picture) -> None:
        """Take over that the rows of one patient are others now."""
        if before == after:
            return
        if self._known:
            for picture, by in ((before, -1), (after, 1)):
                lies = _lies(picture)
                if lies is not None:
                    self._count(lies, by)
        if self._shared is not None:
            self._doubtful |= _worn(before, after)
            if len(self._doubtful) > TAGS_MAX:
                self._shared = None

    def counts(self) -> dict[str, int]:
        """Return how many stand in each category, by its number; `none` without one."""
        self._read()
        return {
            "none" if triage is None else str(triage): number
            for triage, number in self._standing.items()
            if number
        }

    def groups(self, ward: str = "") -> list[tuple[tuple[int | None, ...], int]]:
        """Return (categories, how many) in the order of a board, whether they stand or not.

        Args:
            ward: Only who lies there; '' for all.
        """
        self._read()
        by: Counter[int | None] = Counter()
        for (lies, triage), number in self._by_ward.items():
            if number and (not ward or lies == ward):
                by[triage] += number
        found = []
        for first in URGENT_FIRST:
            same = [each for each in by if each == first or (first is None and _unknown(each))]
            if same:
                found.append((tuple(same), sum(by[each] for each in same)))
        return found

    def wards(self) -> list[str]:
        """Return the wards in which somebody lies, by name."""
        self._read()
        return sorted({ward for (ward, _), number in self._by_ward.items() if ward and number})

    def shared_beds(self) -> set[tuple[str, str]]:
        """Return (ward, bed) of each bed that several patients who stand are said to lie in."""
        self._read()
        return {place for place, number in self._beds.items() if number > 1}

    def shared_tags(self) -> list[tags.SharedTag]:
        """Return the tags of patients in care that somebody else carries too, by name."""
        if self._shared is None:
            self._shared = {one.tag: one for one in tags.shared_in_ward(self._store)}
            self._doubtful.clear()
        for tag in self._doubtful:
            self._shared.pop(tag, None)
            if (one := tags.shared_now(self._store, tag)) is not None:
                self._shared[tag] = one
        self._doubtful.clear()
        return [self._shared[tag] for tag in sorted(self._shared)][: tags.SHARED_MAX]

    def _read(self) -> None:
        if self._known:
            return
        self._known = True
        for *lies, number in self._store.all(
            "SELECT p.triage, p.standing, p.ward, p.bed, count(*) FROM patient p"
            f" WHERE {IN_CARE} GROUP BY 1, 2, 3, 4"
        ):
            self._count(_Lies(*lies), number)

    def _count(self, lies: _Lies, by: int) -> None:
        self._by_ward[lies.ward, lies.triage] += by
        if lies.standing == 0:
            self._standing[lies.triage] += by
            if lies.bed:
                self._beds[lies.ward, lies.bed] += by


def in_care(row: PatientRow) -> bool:
    """Whether a patient is in care here, as `IN_CARE` says it."""
    return row.encounter is not None and row.closed_ms is None and row.replaced < 2


def _lies(picture: Picture) -> _Lies | None:
    """Return where a patient is counted; None for one who is not in care."""
    row = picture.patient
    if not row or not _in_care(row):
        return None
    return _Lies(*(row[_PATIENT[name]] for name in _Lies._fields))


def _in_care(row: Values) -> bool:
    encounter, closed, replaced = (
        row[_PATIENT[name]] for name in ("encounter", "closed_ms", "replaced")
    )
    return encounter is not None and closed is None and replaced < 2


def _worn(before: Picture, after: Picture) -> set[str]:
    """Return the tags of which it may have changed who carries them, or whether in care."""
    if _wears(before) == _wears(after):
        return set()
    found: set[str] = set()
    for picture in (before, after):
        listed: Iterable[str] = (row[_TAG] for row in picture.tags)
        own: Sequence[str] = [picture.patient[_PATIENT["tag"]]] if picture.patient else []
        found |= {tags.folded(tag) for tag in (*listed, *own) if tag}
    return found


def _wears(picture: Picture) -> tuple[Any, ...]:
    row = picture.patient
    own = (_in_care(row), *(row[at] for at in _WORN)) if row else ()
    return (own, picture.tags)


def _unknown(triage: int | None) -> bool:
    return triage is not None and triage not in URGENT_FIRST
