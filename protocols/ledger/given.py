"""What was given, counted as rows change: totals cost what they tell, not what the book holds.

A drive asks what its session comes to after every child, and HQ's pages after every few doses. The
first question reads the rows once. From then on each change of a patient's rows is taken over as
it is written (`RowBook.write`). All that is counted here is counted of one patient at a time, so
what a patient's rows came to is taken off and what they come to is added. A transaction that fails
makes the `RowBook` anew, and this with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from protocols.ledger.store import Store
from protocols.records.dose import DoseRow
from protocols.records.patient import PatientRow
from protocols.records.shape import columns

Values = tuple[Any, ...]
Kind = tuple[bytes, str, int | None, int, int, int | None]
"""Session, vaccine, number in the series, age band, sex and day: as `coverage.Count` has them."""


class InSessions(NamedTuple):
    """What sessions come to, of what stands and is current; doses that may be one both."""

    doses: Counter[Kind]
    """Given in sessions, to somebody by name."""
    children: Counter[bytes]
    """Persons seen in each session, whatever became of it."""
    not_given: Counter[bytes]
    """Records of each session that say why nothing was given."""
    drawn: Counter[bytes]
    """Doses out of each vial."""


class OfChildren(NamedTuple):
    """Who had what, of what stands and is current; each patient's record by itself."""

    had: Counter[tuple[str, int | None]]
    """Patients who had a dose of this number of a series, wherever it was given."""
    known: Counter[int | None]
    """Patients in each age band."""
    reached: Counter[tuple[str, int | None]]
    """Of those of a band, who had any dose of a series."""


class Sums(NamedTuple):
    """Both, as they were at one moment."""

    sessions: InSessions
    children: OfChildren


NOTHING = Sums(
    InSessions(Counter(), Counter(), Counter(), Counter()),
    OfChildren(Counter(), Counter(), Counter()),
)
"""What an empty book comes to; never changed."""


class Told(NamedTuple):
    """What the rows of one patient say, as far as it is counted."""

    patient: Values = ()
    """A row of `PatientRow`; () for none."""
    doses: tuple[Values, ...] = ()
    """Rows of `DoseRow`."""


_PATIENT = {name: at for at, (name, _) in enumerate(columns(PatientRow))}
_DOSE = {name: at for at, (name, _) in enumerate(columns(DoseRow))}
_BAND, _STANDS, _GONE = (_PATIENT[name] for name in ("band", "standing", "replaced"))
_STANDING, _REPLACED, _STATUS, _SESSION, _VIAL, _SETTLED, _ELSEWHERE, _SERIES, _NUMBER = (
    _DOSE[name]
    for name in (
        "standing", "replaced", "status", "session", "vial", "settled", "elsewhere", "series",
        "dose",
    )
)  # fmt: skip
_KIND = tuple(_DOSE[name] for name in ("session", "vaccine", "dose", "band", "sex", "day"))

_CURRENT = "d.standing = 0 AND d.replaced = 0"
_GIVEN = f"d.status = 'given' AND {_CURRENT}"
_SPARE_IN_VIAL = 2
"""Of `settled`: it is one of those that stand for one dose, and was drawn once."""
_ALL: dict[str, str] = {
    "doses": "SELECT d.session, d.vaccine, d.dose, d.band, d.sex, d.day, count(*) FROM dose d"
    f" WHERE d.session IS NOT NULL AND d.elsewhere = 0 AND {_GIVEN} GROUP BY 1, 2, 3, 4, 5, 6",
    "children": "SELECT d.session, count(DISTINCT d.subject) FROM dose d"
    f" WHERE d.session IS NOT NULL AND {_CURRENT} GROUP BY 1",
    "not_given": "SELECT d.session, count(*) FROM dose d"
    f" WHERE d.session IS NOT NULL AND d.status <> 'given' AND {_CURRENT} GROUP BY 1",
    "drawn": "SELECT d.vial, count(*) FROM dose d WHERE +d.vial IS NOT NULL"
    f" AND d.settled <> {_SPARE_IN_VIAL} AND {_GIVEN} GROUP BY 1",
    "had": "SELECT d.series, d.dose, count(DISTINCT d.subject) FROM dose d"
    f" WHERE {_GIVEN} GROUP BY 1, 2",
    "known": "SELECT p.band, count(*) FROM patient p WHERE p.standing = 0 AND p.replaced < 2"
    " GROUP BY 1",
    "reached": "SELECT d.series, p.band, count(DISTINCT d.subject) FROM dose d"
    " JOIN patient p ON p.subject = d.subject"
    f" WHERE {_GIVEN} AND p.standing = 0 AND p.replaced < 2 GROUP BY 1, 2",
}


class GivenBook:
    """The sums, kept in step with the rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: InSessions | None = None
        self._children: OfChildren | None = None
        """None: nobody asked yet. A drive asks for sessions alone, and for these costs a scan."""

    @property
    def follows(self) -> bool:
        """Whether changes are taken over: before the first question there is nothing to keep up."""
        return self._sessions is not None or self._children is not None

    def change(self, before: Told, after: Told) -> None:
        """Take over that the rows of one patient are others now."""
        if before == after:
            return
        kept: dict[str, Counter[Any]] = {}
        for part in (self._sessions, self._children):
            if part is not None:
                kept |= part._asdict()
        for told, by in ((before, -1), (after, 1)):
            for name, key in _comes_to(told):
                held = kept.get(name)
                if held is None:
                    continue
                held[key] += by
                if not held[key]:
                    del held[key]

    def sessions(self) -> InSessions:
        """Return what sessions come to; not to be changed, and it goes on changing."""
        if self._sessions is None:
            self._sessions = InSessions(*map(self._read, InSessions._fields))
        return self._sessions

    def children(self) -> OfChildren:
        """Return who had what; not to be changed, and it goes on changing."""
        if self._children is None:
            self._children = OfChildren(*map(self._read, OfChildren._fields))
        return self._children

    def kept(self) -> Sums:
        """Return what everything comes to now, to be taken to another thread."""
        return Sums(
            InSessions(*(each.copy() for each in self.sessions())),  # type: ignore[arg-type]
            OfChildren(*(each.copy() for each in self.children())),  # type: ignore[arg-type]
        )

    def _read(self, name: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for *key, number in self._store.all(_ALL[name]):
            found[key[0] if len(key) == 1 else tuple(key)] = number
        return found


def _comes_to(told: Told) -> Iterable[tuple[str, Any]]:
    """Yield (field of the sums, key) for each one that a patient's rows add."""
    seen: set[bytes] = set()
    had: set[tuple[str, int | None]] = set()
    for row in told.doses:
        if row[_STANDING] or row[_REPLACED]:
            continue
        session, given = row[_SESSION], row[_STATUS] == "given"
        if session is not None:
            seen.add(bytes(session))
            if not given:
                yield "not_given", bytes(session)
        if given:
            had.add((row[_SERIES], row[_NUMBER]))
            if session is not None and not row[_ELSEWHERE]:
                yield "doses", _kind(row)
            if row[_VIAL] is not None and row[_SETTLED] != _SPARE_IN_VIAL:
                yield "drawn", bytes(row[_VIAL])
    yield from (("children", session) for session in seen)
    yield from (("had", each) for each in had)
    row = told.patient
    if row and not row[_STANDS] and row[_GONE] < 2:
        yield "known", row[_BAND]
        yield from (("reached", (series, row[_BAND])) for series in {each for each, _ in had})


def _kind(row: Sequence[Any]) -> Values:
    session, *rest = (row[at] for at in _KIND)
    return (bytes(session), *rest)
