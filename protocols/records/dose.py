"""Doses of vaccine that a person had, here or elsewhere, and those that were not given and why.

Whether a dose counts is never written down: a schedule says it whenever it is asked, so that a new
pack judges old doses too. What is written is what was given, when, and what its writer knew of.
"""

from __future__ import annotations

from datetime import date, timedelta
from itertools import combinations
from typing import ClassVar

from protocols.errors import InputError
from protocols.guidelines.ages import DAYS
from protocols.guidelines.births import born_of_date
from protocols.guidelines.vocabulary import fold
from protocols.records import attributes as names
from protocols.records.attributes import AGE_WORDS, band_of
from protocols.records.contested import current, grouped
from protocols.records.decision import decided
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.movement import LOT_CHARS_MAX, Day
from protocols.records.patient import PatientRow
from protocols.records.references import Sight, must_name, packed, ref_of
from protocols.records.shape import Fact, Row, Small, Source, Statement
from protocols.records.vaccination import (
    BODY_SITES,
    CODE_CHARS_MAX,
    ROUTES,
    clock_doubtful,
    is_id,
)
from protocols.records.wordlists import word_at
from protocols.records.zones import DAY_MS

# fields


class DoseRecord(Statement, frozen=True):
    """One dose of a vaccine: given, or why it was not."""

    vaccine: str = ""
    """Local code in the vaccines pack."""
    series: str = ""
    """Id of the series that it was given for; '' = of none that the schedule has."""
    dose: Small | None = None
    """Its number there, as its writer took it; None: not known, as of some cards."""
    day: Day | None = None
    """On which day there, since 1970-01-01; None: no clock that could be right said."""
    session: bytes | None = None
    vial: Ref | None = None
    lot: str = ""
    """As on the vial."""
    expiry: Day | None = None
    seen: tuple[Ref, ...] = ()
    """The latest records of doses of this person that its writer knew of."""
    route: Small | None = None
    """Position in `ROUTES`."""
    body_site: Small | None = None
    """Position in `BODY_SITES`."""
    diluent_lot: str = ""
    vvm: Small = 0
    """Stage of the vial's monitor, 1 to 4; 0 = none, or not looked at."""
    cvx: str = ""
    """Of the CDC's list, where the pack has one."""
    status: Small = 0
    """Position in `STATUSES`."""
    place: str = ""
    """Where, when that was elsewhere."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(*self.seen, *((self.vial,) if self.vial else ()))
        if not is_id(self.session) or not 0 < len(self.vaccine) <= CODE_CHARS_MAX:
            raise ValueError("dose")
        if max(len(self.lot), len(self.diluent_lot)) > LOT_CHARS_MAX:
            raise ValueError("lot")


STATUSES = (
    "given",
    "refused",
    "absent",
    "ill",
    "fever",
    "allergy",
    "contraindicated",
    "no-vaccine",
    "other",
)
"""Given, or why not, by position on the wire; only ever added to at the end."""
GIVEN = 0


def sight(history: History) -> Sight:
    """Return which records of doses had seen which."""
    return Sight(history.of_kind.get(KindNo.DOSE_RECORD, ()), lambda fact: dose_of(fact).seen)


def apart(history: History) -> set[Ref]:
    """Return doses given of one series, or of one vaccine, whose writers knew not of each other.

    Which of them are one dose, and which are too close, is for a schedule to say: `ledger`.
    """
    given = [fact for fact in current(history, KindNo.DOSE_RECORD) if dose_of(fact).status == GIVEN]
    if len(given) < 2:
        return set()
    known, found = sight(history), set()
    for facts in grouped(given, _protects).values():
        for one, other in combinations(facts, 2):
            if known.apart(one, other):
                found |= {ref_of(one), ref_of(other)}
    return found


def _protects(fact: Fact) -> str:
    record = dose_of(fact)
    return fold(record.series or record.vaccine)


# rows


class DoseRow(Row, frozen=True, kw_only=True, gc=False):
    """One dose of vaccine, or why it was not given."""

    TABLE: ClassVar[str] = "dose"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient", "vial", "lot")
    patient: bytes
    session: bytes | None
    vial: bytes | None
    """18-byte reference of the record by which it was opened."""
    vaccine: str
    cvx: str
    series: str
    dose: int | None
    status: str
    day: int | None
    """There, since 1970-01-01; None: no clock that could be right said."""
    lot: str = ""
    expiry_day: int | None = None
    diluent_lot: str = ""
    route: str = ""
    body_site: str = ""
    vvm: int = 0
    place: str = ""
    band: int = 9
    """Age band on that day."""
    sex: int = 9
    elsewhere: int = 0
    """1: it is what a card says, and in no session."""
    apart: int = 0
    """1 while another of its series was written by somebody who knew nothing of this one."""
    settled: int = 0
    """1 it stands for one dose with others, 2 it is one of those, 3 it is a dose of its own; 0:
    nobody decided."""
    doubtful: int = 0
    """1: the clock it was written by could not be right."""
    first_day: int | None = None
    """Where a card has only a month or a year, the first day it may have been; `day` is None."""
    last_day: int | None = None
    """And the last one."""


def rows(history: History, person: PatientRow) -> list[DoseRow]:
    """Return one row for each dose of a patient.

    Args:
        history: All that is known of the patient.
        person: The patient's own row: how old, and of what sex.
    """
    facts = history.of_kind.get(KindNo.DOSE_RECORD, ())
    if not facts:
        return []
    lonely, verdicts = apart(history), decided(history)
    found = []
    for fact in facts:
        record, ref = dose_of(fact), ref_of(fact)
        stated = record.circumstances
        source = stated.source if stated else int(Source.TYPED)
        told = source in (Source.PAPER, Source.IMPORT) and record.session is None
        days, day = days_of(fact), exact_day(fact)
        loose = days if day is None else None
        found.append(
            DoseRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                session=record.session,
                vial=packed(record.vial) if record.vial else None,
                vaccine=clean_text(record.vaccine),
                cvx=clean_text(record.cvx),
                series=clean_text(record.series),
                dose=record.dose,
                status=word_at(STATUSES, record.status),
                day=day,
                lot=clean_text(record.lot),
                expiry_day=record.expiry,
                diluent_lot=clean_text(record.diluent_lot),
                route="" if record.route is None else word_at(ROUTES, record.route),
                body_site="" if record.body_site is None else word_at(BODY_SITES, record.body_site),
                vvm=record.vvm,
                place=clean_text(record.place),
                band=band_on(person, loose[1] if loose else day),
                sex=person.sex,
                elsewhere=int(told or bool(record.place)),
                apart=int(ref in lonely),
                settled=verdicts.get(ref, 0),
                doubtful=int(clock_doubtful(fact)),
                first_day=loose[0] if loose else None,
                last_day=loose[1] if loose else None,
            )
        )
    return found


def days_of(fact: Fact) -> tuple[int, int] | None:
    """Return the first and the last day on which a dose may have been given; None: nobody knows.

    Of what a card has with a month or a year alone that is all of it, up to the day it was written
    down; *about* is taken as up to a year off either way, which is our margin: there is no source.
    """
    return possible_days(dose_of(fact), fact.clock_ms)


def possible_days(record: DoseRecord, written_ms: int) -> tuple[int, int] | None:
    """Return the same of a record, written at `written_ms` (Unix milliseconds)."""
    stated = record.circumstances
    if stated is None or stated.at_s is None or stated.precision not in _LOOSE or record.session:
        return None if record.day is None else (record.day, record.day)
    first, last = stretch(stated.at_s // 86_400, stated.precision)
    if written_ms >= IMPLAUSIBLE_BEFORE_MS:
        last = max(first, min(last, written_ms // DAY_MS + 1))
    return first, last


_LOOSE = ("month", "year", "about")
"""Precisions that name no day."""


def stretch(day: int, precision: str) -> tuple[int, int]:
    """Return the days that a day stands for which was stated as a month, a year or *about*."""
    if precision == "about":
        return day - 365, day + 365
    try:
        at = date(1970, 1, 1) + timedelta(days=day)
    except OverflowError:
        return day, day
    born = born_of_date(at.isoformat()[: 7 if precision == "month" else 4])
    return (day, day) if born is None else (born.first, born.last)


def exact_day(fact: Fact) -> int | None:
    """Return the day of a dose, where it is known to the day."""
    days = days_of(fact)
    return days[0] if days is not None and days[0] == days[1] else None


def band_on(person: PatientRow, day: int | None) -> int:
    """Return the age band on a day (since 1970), as far as the birth or a stated age says.

    Of somebody of whom only a band was ever said, that one.
    """
    born = None if person.birth_date is None else _born(person.birth_date)
    if day is None or (born is None and person.age_value is None):
        return person.band
    if born is not None:
        return int(band_of(max(day - born, 0)))
    unit = DAYS.get(AGE_WORDS.get(person.age_unit or 0, ""), 0.0)
    stated = (person.age_value or 0) * unit
    return int(band_of(max(stated + day - (person.age_day or day), 0)))


def _born(text: str) -> int | None:
    try:
        return names.birth_day(names.date_code(text, "birth_date"))
    except InputError:
        return None


def own_words(record: DoseRecord) -> list[tuple[str, str]]:
    """Return what a dose says, as (catalogue key, text) pairs."""
    number = "" if record.dose is None else str(record.dose)
    status = word_at(STATUSES, record.status)
    said = (
        ("vaccine", clean_text(f"{record.vaccine} {number}".strip())),
        ("status", "" if record.status == GIVEN else status),
        ("lot", clean_text(record.lot)),
        ("diluent", clean_text(record.diluent_lot)),
        ("body_site", "" if record.body_site is None else word_at(BODY_SITES, record.body_site)),
        ("place", clean_text(record.place)),
    )
    return [(key, text) for key, text in said if text]


def dose_of(fact: Fact) -> DoseRecord:
    """Return the value of a dose."""
    assert isinstance(fact.record, DoseRecord)
    return fact.record


# The commands are in `dosing.py`.
#
# merge note: doses are only ever added. Two of one series given by people apart are both kept;
# which may be one dose, or were too close, is listed and counted once until `dose.decide` says.
