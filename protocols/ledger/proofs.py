"""Proofs of vaccination: gathered from rows that stand, and compared with the doses that are here.

See `records/proof.py`. A person of several linked records has the doses of all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from protocols.errors import InputError
from protocols.guidelines.schedules import Plan
from protocols.guidelines.vaccines import Vaccine
from protocols.ids import DeviceId, FactRef, PatientId, SessionId
from protocols.ledger import immunization, reading, stores
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.records.display import clean_text
from protocols.records.dose import STATUSES, DoseRow, dose_of
from protocols.records.dosing import PLACE_CHARS_MAX
from protocols.records.immune import primary_series
from protocols.records.kinds import KindNo
from protocols.records.proof import (
    NAME_CHARS_MAX,
    TAG_CHARS_MAX,
    WHO_CHARS_MAX,
    Counts,
    Proof,
    ProofDose,
)
from protocols.records.session import SessionRow
from protocols.records.vaccination import dose_numbers

GIVEN = STATUSES[0]


class Gathered(NamedTuple):
    """A proof that is not fitted to a paper yet, and what comes next."""

    proof: Proof
    child: immunization.Child
    plan: Plan


def gather(ledger: Ledger, patient: PatientId, on_day: int, *, age: str) -> Gathered:
    """Return the doses that somebody had, and what is due.

    Left out are doses refused or not given, entered in error, of a writer that does not count, and
    those that stand beside another record of the same dose. Nothing of the protection scope is
    read.

    Args:
        ledger: The book.
        patient: One of their records.
        on_day: Today there, since 1970-01-01.
        age: With its unit, as boards show it.

    Raises:
        InputError: `not_found`.
    """
    row = reading.patient(ledger, patient)
    if row is None or row.standing:
        raise InputError("not_found", field="patient")
    known = immunization.child(ledger, patient, on_day)
    spare = immunization.not_counted(ledger, list({bytes(one.row.patient) for one in known.doses}))
    had = [
        one
        for one in known.doses
        if one.row.status == GIVEN
        and not (one.row.standing or one.row.replaced)
        and one.ref not in spare
    ]
    givers = _Givers(ledger, [one.row for one in had])
    proof = Proof(
        code=row.code,
        name=row.name[:NAME_CHARS_MAX],
        tag=row.tag[:TAG_CHARS_MAX],
        sex=row.sex,
        born=row.birth_date or "",
        age="" if row.birth_date else age[:16],
        schedule=clean_text(known.schedule, 60),
        approved=known.approved,
        doses=tuple(givers.dose(one) for one in had),
    )
    return Gathered(proof, known, immunization.plan_in_use(ledger))


class _Givers:
    """Who gave doses, for whom and where."""

    def __init__(self, ledger: Ledger, doses: Sequence[DoseRow]) -> None:
        self._ledger = ledger
        self._wrote = Authors(ledger).of_entries(row.entry for row in doses)
        self._stated: dict[FactRef, str] = {}
        for patient in {bytes(row.patient) for row in doses}:
            for fact in reading.facts(ledger, patient):
                if fact.kind == KindNo.DOSE_RECORD and fact.record is not None:
                    said = dose_of(fact).circumstances
                    self._stated[fact.ref] = said.by if said else ""

    def dose(self, one: immunization.Dose) -> ProofDose:
        row, told = one.row, bool(one.row.elsewhere)
        by, org = self._stated.get(one.ref, ""), ""
        author = self._wrote.get(row.entry)
        if author is not None and not told:
            by, org = by or author.label, _org(self._ledger, author.device)
        return ProofDose(
            vaccine=row.vaccine,
            cvx=row.cvx,
            dose=row.dose,
            day=row.day,
            lot=row.lot,
            by=clean_text(by)[:WHO_CHARS_MAX],
            org=clean_text(org)[:WHO_CHARS_MAX],
            place=clean_text(row.place or self._place(row.session))[:WHO_CHARS_MAX],
            body_site=row.body_site,
            told=told,
            counts=_counts(one),
        )

    def _place(self, raw: bytes | None) -> str:
        """Return where a session was, as it said so itself, else the name of its site."""
        if raw is None:
            return ""
        held = BookView(self._ledger, 0).rows_where(SessionRow, "id", bytes(SessionId(raw)))
        return (held[0].place or stores.site_name(self._ledger, held[0].site)) if held else ""


def _org(ledger: Ledger, device: DeviceId) -> str:
    member = ledger.authority.roster.device(device)
    return member.org if member else ""


def _counts(one: immunization.Dose) -> int:
    states = {each.state for each in one.verdicts}
    if states & {"valid", "beside"}:
        return int(Counts.YES)
    return int(Counts.NO) if states == {"invalid"} else int(Counts.NOT_JUDGED)


# a paper of another team

State = Literal["new", "here", "differs", "undated", "impossible", "unknown"]
"""`new`: to be written. `here`: the same vaccine on the same day is written down already.
`differs`: a dose of that number is here with another day. `undated`: the paper knows no day.
`impossible`: before the birth, or later than today. `unknown`: no pack here knows the vaccine. Only
new ones are written; the others a person types."""


class Compared(NamedTuple):
    """One dose of a paper beside what is here."""

    dose: ProofDose
    state: State
    vaccine: str
    """Its code here; '' where it has none."""
    number: int | None
    """In the series, where the schedule here has such a dose."""


def compare(ledger: Ledger, patient: PatientId, proof: Proof, on_day: int) -> tuple[Compared, ...]:
    """Return each dose of a proof with whether it is here already, in the order of the paper.

    Args:
        ledger: The book.
        patient: Whose doses they would be; those of linked records are here too.
        proof: As the paper has it.
        on_day: Today there, since 1970-01-01.
    """
    plan = immunization.plan_in_use(ledger)
    known = immunization.child(ledger, patient, on_day)
    held = _Held(plan)
    for one in known.doses:
        if one.row.status == GIVEN and not (one.row.standing or one.row.replaced):
            held.add(one.row.vaccine, one.row.cvx, one.row.day, one.row.dose)
    found = []
    for dose in proof.doses:
        vaccine = named_here(plan, dose)
        code = vaccine.code if vaccine else dose.vaccine
        number = dose.dose if vaccine and dose.dose in dose_numbers(plan, vaccine) else None
        state: State = "new"
        if held.on_day(code, dose.cvx, dose.day):
            state = "here"
        elif vaccine is None:
            state = "unknown"
        elif dose.day is None:
            state = "undated"
        elif not known.born.first <= dose.day <= on_day:
            state = "impossible"
        elif held.numbered(code, number):
            state = "differs"
        found.append(Compared(dose, state, vaccine.code if vaccine else "", number))
        if state == "new":
            held.add(code, dose.cvx, dose.day, number)
    return tuple(found)


class _Held:
    """Doses that are here, as the same one is known again."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._days: set[tuple[str, int | None]] = set()
        self._numbers: set[tuple[str, int | None]] = set()

    def add(self, code: str, cvx: str, day: int | None, number: int | None) -> None:
        self._days |= {(code, day), (f"cvx {cvx}", day)} if cvx else {(code, day)}
        self._numbers.add((self._series(code), number))

    def on_day(self, code: str, cvx: str, day: int | None) -> bool:
        return (code, day) in self._days or (bool(cvx) and (f"cvx {cvx}", day) in self._days)

    def numbered(self, code: str, number: int | None) -> bool:
        return number is not None and (self._series(code), number) in self._numbers

    def _series(self, code: str) -> str:
        """Return what a number is counted in: one series, whichever of its vaccines was given."""
        return primary_series(self._plan, code) or code


def named_here(plan: Plan, dose: ProofDose) -> Vaccine | None:
    """Return the vaccine of a dose as the packs here know it, or None.

    A local code counts where nothing contradicts it; else a CVX code that one vaccine has alone.
    """
    known = plan.vaccines.get(dose.vaccine)
    if known is not None and dose.cvx in ("", known.cvx):
        return known
    same = [row for row in plan.vaccines.values() if dose.cvx and row.cvx == dose.cvx]
    return same[0] if len(same) == 1 else None


def names_of(plan: Plan, said: Proof) -> dict[str, dict[str, str]]:
    """Return the words for the vaccines of a proof by its codes; a code where no pack has words."""
    held = {dose.vaccine: named_here(plan, dose) for dose in said.doses}
    return {code: known.words if known else {"en": code} for code, known in held.items()}


def place_of(dose: ProofDose) -> str:
    """Return where a dose was given and for whom, as a record of it says."""
    said = "; ".join(part for part in (dose.place, dose.org) if part)
    return said[:PLACE_CHARS_MAX]
