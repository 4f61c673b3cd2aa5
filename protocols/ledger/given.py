"""What was given, counted as rows change: totals cost what they tell, not what the book holds.

A drive asks what its session comes to after every child, and HQ's pages after every few doses. The
first question reads the rows once. From then on each change of a patient's rows is taken over as
it is written (`RowBook.write`). All that is counted here is counted of one patient at a time, so
what a patient's rows came to is taken off and what they come to is added. A transaction that fails
makes the `RowBook` anew, and this with it.

What sessions come to is by product. Who had what is by series, and a combined vaccine is a dose of
several (`Reach`): which of them, the schedule and the vaccines in use say, so where others are
worked by these sums are read again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from protocols.ledger.store import Store
from protocols.records.dose import DoseRow
from protocols.records.patient import PatientRow
from protocols.records.shape import columns

if TYPE_CHECKING:
    from protocols.guidelines.schedules import Plan, Series

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
    """Patients who had a dose of this number of a series, wherever; see `Reach.numbered`."""
    known: Counter[int | None]
    """Patients in each age band."""
    reached: Counter[tuple[str, int | None]]
    """Of those of a band, who had any dose that counts for a series; see `Reach.any_of`."""


class Sums(NamedTuple):
    """Both, as they were at one moment."""

    sessions: InSessions
    children: OfChildren


NOTHING = Sums(
    InSessions(Counter(), Counter(), Counter(), Counter()),
    OfChildren(Counter(), Counter(), Counter()),
)
"""What an empty book comes to; never changed."""


class Reach:
    """For which series a dose is counted, by a schedule and the vaccines it is judged with."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._says = _said(plan)
        self._known: dict[tuple[str, str], tuple[frozenset[str], frozenset[str]]] = {}

    def is_of(self, plan: Plan) -> bool:
        """Whether a plan counts every dose for the same series."""
        return plan is self._plan or _said(plan) == self._says

    def any_of(self, series: str, vaccine: str) -> frozenset[str]:
        """Return each series that a dose is one of.

        Args:
            series: The one that its writer named.
            vaccine: The product; where the plan does not know it, only the named one is meant.
        """
        return self._of(series, vaccine)[0]

    def numbered(self, series: str, vaccine: str) -> frozenset[str]:
        """Return each series in which a dose has the number that its writer gave it.

        It is the named one and those worked by beside it, and none that stands instead of another
        or that has to be chosen: who was given the usual course began no other.
        """
        return self._of(series, vaccine)[1]

    def _of(self, series: str, vaccine: str) -> tuple[frozenset[str], frozenset[str]]:
        found = self._known.get((series, vaccine))
        if found is None:
            plan = self._plan
            known = vaccine in plan.vaccines and plan.schedule.of_id(series) is not None
            named = {series} if series and not known else set()
            found = self._known[series, vaccine] = (
                _counting(plan, plan.schedule.series, vaccine) | named,
                _counting(plan, plan.chosen((series,)), vaccine) | named,
            )
            if len(self._known) > REACH_KEPT:
                del self._known[next(iter(self._known))]
        return found


REACH_KEPT = 1_024
"""Pairs of series and vaccine of which it is remembered: a book has some dozens."""


def _counting(plan: Plan, some: Iterable[Series], vaccine: str) -> frozenset[str]:
    return frozenset(row.id for row in some if plan.counts(row, vaccine))


def _said(plan: Plan) -> tuple[Values, dict[str, Values]]:
    """Return everything in a plan that says for which series a dose counts."""
    return (
        tuple(
            (row.id, row.antigens, row.vaccines, row.one_of, row.optional)
            for row in plan.schedule.series
        ),
        {code: each.antigens for code, each in plan.vaccines.items()},
    )


class Told(NamedTuple):
    """What the rows of one patient say, as far as it is counted."""

    patient: Values = ()
    """A row of `PatientRow`; () for none."""
    doses: tuple[Values, ...] = ()
    """Rows of `DoseRow`."""


_PATIENT = {name: at for at, (name, _) in enumerate(columns(PatientRow))}
_DOSE = {name: at for at, (name, _) in enumerate(columns(DoseRow))}
_BAND, _STANDS, _GONE = (_PATIENT[name] for name in ("band", "standing", "replaced"))
_STANDING, _REPLACED, _STATUS, _SESSION, _VIAL, _SETTLED, _ELSEWHERE = (
    _DOSE[name]
    for name in ("standing", "replaced", "status", "session", "vial", "settled", "elsewhere")
)
_SERIES, _VACCINE, _NUMBER = (_DOSE[name] for name in ("series", "vaccine", "dose"))
_KIND = tuple(_DOSE[name] for name in ("session", "vaccine", "dose", "band", "sex", "day"))

_CURRENT = "d.standing = 0 AND d.replaced = 0"
_GIVEN = f"d.status = 'given' AND {_CURRENT}"
_SPARE_IN_VIAL = 2
"""Of `settled`: it is one of those that stand for one dose, and was drawn once."""
_EACH = (
    "WITH r (series, vaccine, counts) AS MATERIALIZED (SELECT json_extract(value, '$[0]'),"
    " json_extract(value, '$[1]'), json_extract(value, '$[2]') FROM json_each(?))"
)
"""(series named, vaccine, series counted), as JSON: what is counted of a dose is for `Reach`."""
_REACHES = "JOIN r ON r.series = d.series AND r.vaccine = d.vaccine"
_ALL: dict[str, str] = {
    "doses": "SELECT d.session, d.vaccine, d.dose, d.band, d.sex, d.day, count(*) FROM dose d"
    f" WHERE d.session IS NOT NULL AND d.elsewhere = 0 AND {_GIVEN} GROUP BY 1, 2, 3, 4, 5, 6",
    "children": "SELECT d.session, count(DISTINCT d.subject) FROM dose d"
    f" WHERE d.session IS NOT NULL AND {_CURRENT} GROUP BY 1",
    "not_given": "SELECT d.session, count(*) FROM dose d"
    f" WHERE d.session IS NOT NULL AND d.status <> 'given' AND {_CURRENT} GROUP BY 1",
    "drawn": "SELECT d.vial, count(*) FROM dose d WHERE +d.vial IS NOT NULL"
    f" AND d.settled <> {_SPARE_IN_VIAL} AND {_GIVEN} GROUP BY 1",
    "had": f"{_EACH} SELECT r.counts, d.dose, count(DISTINCT d.subject) FROM dose d"
    f" {_REACHES} WHERE {_GIVEN} GROUP BY 1, 2",
    "known": "SELECT p.band, count(*) FROM patient p WHERE p.standing = 0 AND p.replaced < 2"
    " GROUP BY 1",
    "reached": f"{_EACH} SELECT r.counts, p.band, count(DISTINCT d.subject) FROM dose d"
    f" {_REACHES} JOIN patient p ON p.subject = d.subject"
    f" WHERE {_GIVEN} AND p.standing = 0 AND p.replaced < 2 GROUP BY 1, 2",
}


class GivenBook:
    """The sums, kept in step with the rows."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._sessions: InSessions | None = None
        self._children: OfChildren | None = None
        """None: nobody asked yet. A drive asks for sessions alone, and for these costs a scan."""
        self._reach: Reach | None = None
        """By what `_children` are counted."""

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
            for name, key in _comes_to(told, self._reach):
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

    def children(self, plan: Plan) -> OfChildren:
        """Return who had what; not to be changed, and it goes on changing.

        Args:
            plan: The routine schedule with the vaccines in use.
        """
        if self._children is None or self._reach is None or not self._reach.is_of(plan):
            self._reach = Reach(plan)
            self._children = OfChildren(*map(self._read, OfChildren._fields))
        return self._children

    def kept(self, plan: Plan) -> Sums:
        """Return what everything comes to now, to be taken to another thread.

        Args:
            plan: As of `children`.
        """
        return Sums(
            InSessions(*(each.copy() for each in self.sessions())),  # type: ignore[arg-type]
            OfChildren(*(each.copy() for each in self.children(plan))),  # type: ignore[arg-type]
        )

    def _read(self, name: str) -> Counter[Any]:
        found: Counter[Any] = Counter()
        for *key, number in self._store.all(_ALL[name], self._asked(name)):
            found[key[0] if len(key) == 1 else tuple(key)] = number
        return found

    def _asked(self, name: str) -> tuple[str, ...]:
        """Return what a statement is given: for what each product counts, where it is asked."""
        if name not in ("had", "reached") or self._reach is None:
            return ()
        of = self._reach.numbered if name == "had" else self._reach.any_of
        pairs = self._store.all("SELECT DISTINCT series, vaccine FROM dose")
        each = [(*pair, counts) for pair in pairs for counts in sorted(of(*pair))]
        return (msgspec.json.encode(each).decode(),)


def _comes_to(told: Told, reach: Reach | None) -> Iterable[tuple[str, Any]]:
    """Yield (field of the sums, key) for each one that a patient's rows add.

    Without a reach those of `OfChildren` that go by it are left out: nobody asked for them yet.
    """
    seen: set[bytes] = set()
    had: set[tuple[str, int | None]] = set()
    reached: set[str] = set()
    for row in told.doses:
        if row[_STANDING] or row[_REPLACED]:
            continue
        session, given = row[_SESSION], row[_STATUS] == "given"
        if session is not None:
            seen.add(bytes(session))
            if not given:
                yield "not_given", bytes(session)
        if given:
            if reach is not None:
                named, vaccine = row[_SERIES], row[_VACCINE]
                had.update((one, row[_NUMBER]) for one in reach.numbered(named, vaccine))
                reached |= reach.any_of(named, vaccine)
            if session is not None and not row[_ELSEWHERE]:
                yield "doses", _kind(row)
            if row[_VIAL] is not None and row[_SETTLED] != _SPARE_IN_VIAL:
                yield "drawn", bytes(row[_VIAL])
    yield from (("children", session) for session in seen)
    yield from (("had", each) for each in had)
    row = told.patient
    if row and not row[_STANDS] and row[_GONE] < 2:
        yield "known", row[_BAND]
        yield from (("reached", (series, row[_BAND])) for series in reached)


def _kind(row: Sequence[Any]) -> Values:
    session, *rest = (row[at] for at in _KIND)
    return (bytes(session), *rest)
