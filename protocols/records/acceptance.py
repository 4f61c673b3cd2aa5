"""A person accepts what a device measured: until then it enters no score (SAFETY 15)."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import PREFIX_BYTES, DocId, FactRef
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Source,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText

# fields


class ResultAccept(Statement, frozen=True):
    """Whoever signed this has looked at these values of a device and stands by them."""

    results: tuple[tuple[bytes, int], ...] = ()
    """(entry prefix, index) of each observation, all of one subject; an empty prefix is the entry
    that started this document."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        for prefix, index in self.results:
            if len(prefix) not in (0, PREFIX_BYTES) or not 0 <= index < 2**16:
                raise ValueError("results")


# commands


class AcceptData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of result.accept."""

    results: list[FactText]
    """Ids of observations; those of one set together."""


RESULTS_MAX = 32
"""As many as one set holds."""

# apply


def plan(command: Command, view: View) -> Plan:
    """Accept values of a device; what nobody measured by a device needs no accepting."""
    desk = Desk(command, view)
    data: AcceptData = command.data
    if command.source == Source.DEVICE.name.lower():
        raise InputError("not_taken", field="source", kind="observation.record")
    if not 1 <= len(data.results) <= RESULTS_MAX:
        raise InputError("too_many" if data.results else "empty", field="data.results",
                         limit=RESULTS_MAX)  # fmt: skip
    subject: DocId | None = None
    named: list[Fact] = []
    for at, text in enumerate(data.results):
        owner, fact = desk.fact(_ref(text, at), f"data.results.{at}")
        if subject is not None and owner != subject:
            raise InputError("wrong_subject", field=f"data.results.{at}")
        subject = owner
        if not waits(desk.history(owner), fact):
            raise InputError("not_unaccepted", field=f"data.results.{at}")
        named.append(fact)
    assert subject is not None
    history = desk.history(subject)
    kind = SubjectKind(history.subject_kind or SubjectKind.PATIENT)
    if kind is SubjectKind.PATIENT:
        desk.must_be_theirs(subject, "data.results")
    record = ResultAccept(
        desk.circumstances(), (), tuple((bytes(one.prefix), one.index) for one in named)
    )
    stay = history.encounter_of.get(named[0].doc)
    draft = Draft(Lane.ROUTINE, kind, subject, stay, (NewFact(KindNo.RESULT_ACCEPT, record),))
    return Plan((draft,), tuple(desk.warnings))


def waits(history: History, fact: Fact) -> bool:
    """Return whether a device measured this and no person has accepted it."""
    return (
        of_device(fact)
        and history.replaced(fact) != 2
        and not acceptances(history).get((fact.prefix, fact.index))
    )


def of_device(fact: Fact) -> bool:
    """Return whether this is a value that a device measured by itself."""
    record = fact.record
    return (
        fact.kind == KindNo.OBSERVATION_RECORD
        and record is not None
        and record.circumstances is not None
        and record.circumstances.source == Source.DEVICE
    )


def acceptances(history: History) -> dict[Ref, list[Fact]]:
    """Return the acceptances of each value that count, oldest first; none entered in error."""
    found: dict[Ref, list[Fact]] = {}
    for fact in history.of_kind.get(KindNo.RESULT_ACCEPT, ()):
        if fact.standing or history.replaced(fact):
            continue
        assert isinstance(fact.record, ResultAccept)
        for prefix, index in fact.record.results:
            found.setdefault((prefix or fact.doc_id, index), []).append(fact)
    return found


def _ref(text: str, at: int) -> FactRef:
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at(f"data.results.{at}") from None


# rows: the row of each observation says whether it waits; see `observation.py`.

KIND = Kind(
    number=KindNo.RESULT_ACCEPT,
    name="result.accept",
    value=ResultAccept,
    data=AcceptData,
    plan=plan,
    example={
        "v": 1,
        "kind": "result.accept",
        "key": "example-26",
        "data": {"results": ["$unassigned"]},
    },
)

# merge note: two people who accept one value apart have both accepted it. A value goes on being
# accepted while one acceptance stands; one taken back lets it wait again. Nothing is unsettled.
