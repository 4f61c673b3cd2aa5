"""Two records of a dose: of one dose, or of two. A person says it who has looked at both."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import DocId
from protocols.records.contested import current
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.oneperson import records_of
from protocols.records.planning import Command, Desk, refs
from protocols.records.references import must_name, packed, ref_of
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText, one_of
from protocols.records.vaccination import fact_named
from protocols.records.wordlists import position, word_at

# fields


class DoseDecide(Statement, frozen=True):
    """Whoever signed this has looked at these records of doses."""

    verdict: Small = 0
    """Position in `VERDICTS`."""
    doses: tuple[Ref, ...] = ()
    """The records; of one dose the first stands for all."""

    def __post_init__(self) -> None:
        """Refuse what decides nothing."""
        must_name(*self.doses)
        if len(self.doses) < 2:
            raise ValueError("doses")


VERDICTS = ("one", "several")
"""By position on the wire: records of one dose, or doses of their own."""
ONE, SEVERAL = range(2)

KEPT, ONE_OF, OWN = 1, 2, 3
"""What a record is after a decision: it stands for one dose, it is another record of that one, or
it is a dose of its own."""

# commands


class DecideData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of dose.decide: ids of the records, the one that is right first."""

    doses: list[FactText]
    verdict: Annotated[str, one_of(VERDICTS)]


DOSES_MAX = 8

# apply


def plan(command: Command, view: View) -> Plan:
    """Say of records of one person's doses whether they are of one dose."""
    desk = Desk(command, view)
    data: DecideData = command.data
    verdict = position(data.verdict, VERDICTS, "data.verdict")
    if not 2 <= len(dict.fromkeys(data.doses)) == len(data.doses) <= DOSES_MAX:
        raise InputError("too_many" if len(data.doses) > DOSES_MAX else "missing_field",
                         field="data.doses", limit=DOSES_MAX)  # fmt: skip
    owners: list[DocId] = []
    named: list[Ref] = []
    for at, text in enumerate(data.doses):
        where = f"data.doses.{at}"
        owner, fact = desk.fact(fact_named(text, where), where)
        if fact.kind != KindNo.DOSE_RECORD:
            raise InputError("not_a_dose", field=where)
        owners.append(owner)
        named.append(ref_of(fact))
    person = records_of(view, owners[0])
    for at, owner in enumerate(owners[1:], 1):
        if owner not in person:
            raise InputError("wrong_subject", field=f"data.doses.{at}")
    before = [
        fact.ref
        for owner in dict.fromkeys(owners)
        for fact in current(desk.history(owner), KindNo.DOSE_DECIDE)
        if decision_of(fact).doses
        and set(decision_of(fact).doses) & set(named)
        and owner == owners[0]
    ]
    record = DoseDecide(
        desk.circumstances(),
        refs((*desk.named(owners[0]), *before)),
        verdict,
        tuple(named),
    )
    new = (NewFact(KindNo.DOSE_DECIDE, record),)
    entry = Draft(Lane.ROUTINE, SubjectKind.PATIENT, owners[0], None, new)
    return Plan((entry,), tuple(desk.warnings))


def decided(*histories: History) -> dict[Ref, int]:
    """Return what people decided of records of doses: `KEPT`, `ONE_OF` or `OWN`.

    While two who decided apart say different things of one, nothing is decided of it.

    Args:
        histories: Of one person; several where their records are linked.
    """
    said: dict[Ref, set[int]] = {}
    for fact in (fact for each in histories for fact in current(each, KindNo.DOSE_DECIDE)):
        record = decision_of(fact)
        for at, ref in enumerate(record.doses):
            found = OWN if record.verdict == SEVERAL else ONE_OF if at else KEPT
            said.setdefault(ref, set()).add(found)
    return {ref: verdicts.pop() for ref, verdicts in said.items() if len(verdicts) == 1}


# rows


class DecisionRow(Row, frozen=True, kw_only=True, gc=False):
    """One decision about records of doses, which may be those of several linked records."""

    TABLE: ClassVar[str] = "dose_decision"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    verdict: str
    doses: bytes
    """18-byte references, the one that stands for all first."""


def rows(history: History) -> list[DecisionRow]:
    """Return one row for each decision."""
    return [
        DecisionRow(
            entry=fact.entry,
            idx=fact.index,
            kind=fact.kind,
            standing=fact.standing,
            at_ms=fact.at_ms,
            supersedes=history.supersedes(fact),
            replaced=history.replaced(fact),
            patient=history.subject,
            verdict=word_at(VERDICTS, decision_of(fact).verdict),
            doses=b"".join(map(packed, decision_of(fact).doses)),
        )
        for fact in history.of_kind.get(KindNo.DOSE_DECIDE, ())
    ]


def own_words(record: DoseDecide) -> list[tuple[str, str]]:
    """Return what a decision says, as (catalogue key, text) pairs."""
    return [("doses_decided", f"{len(record.doses)}: {word_at(VERDICTS, record.verdict)}")]


def decision_of(fact: Fact) -> DoseDecide:
    """Return the value of a decision."""
    assert isinstance(fact.record, DoseDecide)
    return fact.record


KIND = Kind(
    number=KindNo.DOSE_DECIDE,
    name="dose.decide",
    value=DoseDecide,
    data=DecideData,
    plan=plan,
    example={
        "v": 1,
        "kind": "dose.decide",
        "key": "example-57",
        "data": {"doses": ["$dose", "$twin"], "verdict": "one"},
    },
)

# merge note: a decision is replaced by a later one of somebody who saw it. Of two made apart that
# say different things neither holds, and the doses are listed again.
