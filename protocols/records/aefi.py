"""What somebody suffered after a vaccine: reported whether or not the vaccine was the cause."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import DocId
from protocols.records.contested import current
from protocols.records.display import clean_text
from protocols.records.dose import DoseRecord
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.oneperson import histories_of
from protocols.records.planning import FUTURE_MS, Command, Desk, Moment, read_time, refs, tidy
from protocols.records.references import must_name, packed, ref_of
from protocols.records.shape import (
    Draft,
    Fact,
    Instant,
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


class AefiReport(Statement, frozen=True):
    """An adverse event following immunization."""

    severity: Small = 0
    """Position in `SEVERITIES`."""
    symptoms: tuple[Small, ...] = ()
    """Positions in `SYMPTOMS`."""
    text: str = ""
    onset_s: Instant | None = None
    """When it began, Unix seconds."""
    doses: tuple[Ref, ...] = ()
    """The doses it followed, as far as anybody knows which."""
    outcome: Small = 0
    """Position in `OUTCOMES`."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(*self.doses)


SEVERITIES = ("unknown", "minor", "severe", "serious")
"""`serious`: dead, in danger of life, in hospital, or harmed for good. By position on the wire."""
SERIOUS = 3

SYMPTOMS = (
    "other",
    "local-reaction",
    "abscess",
    "lymphadenitis",
    "fever",
    "rash",
    "urticaria",
    "anaphylaxis",
    "fainting",
    "seizure",
    "persistent-crying",
    "hypotonic-episode",
    "encephalopathy",
    "paralysis",
    "sepsis",
    "toxic-shock",
    "bleeding",
    "intussusception",
    "vomiting",
    "death",
)
"""By position on the wire; only ever added to at the end."""

OUTCOMES = ("unknown", "recovering", "recovered", "lasting-harm", "died")
DIED = 4

# commands


class AefiData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of aefi.report; a later report names the earlier one in the line's `supersedes`."""

    severity: Annotated[str, one_of(SEVERITIES)]
    symptoms: list[Annotated[str, one_of(SYMPTOMS)]] = []
    text: str | None = None
    onset: Moment | None = None
    """As the line's `at`."""
    doses: list[FactText] = []
    outcome: Annotated[str, one_of(OUTCOMES)] = "unknown"


SYMPTOMS_MAX = len(SYMPTOMS)
DOSES_MAX = 16
TEXT_CHARS_MAX = 1_000

# apply


def plan(command: Command, view: View) -> Plan:
    """Report what somebody suffered; what is serious travels in the urgent lane."""
    desk = Desk(command, view)
    data: AefiData = command.data
    patient = desk.patient()
    severity = position(data.severity, SEVERITIES, "data.severity")
    outcome = position(data.outcome, OUTCOMES, "data.outcome")
    if not data.symptoms and not data.text:
        raise InputError("nothing_stated", field="data.symptoms", allowed=SYMPTOMS)
    for name, items, limit in (
        ("symptoms", data.symptoms, SYMPTOMS_MAX),
        ("doses", data.doses, DOSES_MAX),
    ):
        if len(items) > limit:
            raise InputError("too_many", field=f"data.{name}", limit=limit)
    symptoms = [position(text, SYMPTOMS, "data.symptoms") for text in data.symptoms]
    if outcome == DIED or SYMPTOMS.index("death") in symptoms:
        severity = SERIOUS
    subject, doses = _doses(desk, patient, data)
    record = AefiReport(
        onset_s=_onset(desk, data),
        circumstances=desk.circumstances(),
        supersedes=refs(desk.named(subject)),
        severity=severity,
        symptoms=tuple(dict.fromkeys(symptoms)),
        text=tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
        doses=doses,
        outcome=outcome,
    )
    lane = Lane.URGENT if severity == SERIOUS else Lane.ROUTINE
    new = (NewFact(KindNo.AEFI_REPORT, record),)
    entry = Draft(lane, SubjectKind.PATIENT, subject, None, new)
    return Plan((entry,), tuple(desk.warnings))


def _onset(desk: Desk, data: AefiData) -> int | None:
    if data.onset is None:
        return None
    try:
        at_ms, _ = read_time(data.onset)
    except InputError as error:
        raise error.at("data.onset") from None
    if at_ms > desk.view.now_ms + FUTURE_MS:
        desk.confirmed("future_time", "data.onset")
    return at_ms // 1000


def _doses(desk: Desk, patient: DocId, data: AefiData) -> tuple[DocId, tuple[Ref, ...]]:
    """Return the doses that are named, and in which of a person's linked records most of them are.

    The report is written there: of those doses it has the vaccines and lots.
    """
    held = {
        ref_of(fact): history.subject
        for history in histories_of(desk, patient)
        for fact in history.of_kind.get(KindNo.DOSE_RECORD, ())
    }
    found: dict[Ref, DocId] = {}
    for at, text in enumerate(data.doses):
        where = f"data.doses.{at}"
        ref = fact_named(text, where)
        named = (bytes(ref.entry), ref.index)
        if named not in held:
            owner = desk.view.subject_of(ref)
            raise InputError("not_found" if owner is None else "not_a_dose", field=where)
        found[named] = held[named]
    there = list(found.values())
    return max((patient, *there), key=there.count), tuple(found)


# rows


class AefiRow(Row, frozen=True, kw_only=True, gc=False):
    """One report; the lots are those of the doses it names."""

    TABLE: ClassVar[str] = "aefi"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    severity: str
    serious: int
    symptoms: str
    """Words, each after a space."""
    text: str
    onset_ms: int | None
    doses: bytes
    """18-byte references."""
    vaccines: str = ""
    lots: str = ""
    outcome: str = ""


def rows(history: History) -> list[AefiRow]:
    """Return one row for each report."""
    reports = history.of_kind.get(KindNo.AEFI_REPORT, ())
    if not reports:
        return []
    known = {
        ref_of(fact): fact.record
        for fact in history.of_kind.get(KindNo.DOSE_RECORD, ())
        if isinstance(fact.record, DoseRecord)
    }
    found = []
    for fact in reports:
        record = _of(fact)
        doses = [known[ref] for ref in record.doses if ref in known]
        found.append(
            AefiRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                severity=word_at(SEVERITIES, record.severity),
                serious=int(record.severity == SERIOUS),
                symptoms=" ".join(word_at(SYMPTOMS, each) for each in record.symptoms),
                text=clean_text(record.text),
                onset_ms=None if record.onset_s is None else record.onset_s * 1000,
                doses=b"".join(map(packed, record.doses)),
                vaccines=_words([each.vaccine for each in doses]),
                lots=_words([each.lot for each in doses]),
                outcome=word_at(OUTCOMES, record.outcome),
            )
        )
    return found


def _words(texts: list[str]) -> str:
    return ", ".join(dict.fromkeys(clean_text(text) for text in texts if text))


def causes(history: History, symptom: str) -> list[str]:
    """Return the vaccines after which a symptom was reported; '' for one that is not known."""
    number = SYMPTOMS.index(symptom)
    known = {ref_of(fact): fact.record for fact in history.of_kind.get(KindNo.DOSE_RECORD, ())}
    found = []
    for fact in current(history, KindNo.AEFI_REPORT):
        if number in _of(fact).symptoms:
            doses = [known.get(ref) for ref in _of(fact).doses]
            named = [each.vaccine for each in doses if isinstance(each, DoseRecord)]
            found += named or [""]
    return list(dict.fromkeys(found))


def own_words(record: AefiReport) -> list[tuple[str, str]]:
    """Return what a report says, as (catalogue key, text) pairs."""
    symptoms = " ".join(word_at(SYMPTOMS, each) for each in record.symptoms)
    said = (
        ("aefi", f"{word_at(SEVERITIES, record.severity)} {symptoms}".strip()),
        ("text", clean_text(record.text)),
        ("outcome", word_at(OUTCOMES, record.outcome) if record.outcome else ""),
    )
    return [(key, text) for key, text in said if text]


def _of(fact: Fact) -> AefiReport:
    assert isinstance(fact.record, AefiReport)
    return fact.record


KIND = Kind(
    number=KindNo.AEFI_REPORT,
    name="aefi.report",
    value=AefiReport,
    data=AefiData,
    plan=plan,
    example={
        "v": 1,
        "kind": "aefi.report",
        "key": "example-56",
        "patient": {"tag": "B12"},
        "data": {
            "severity": "serious",
            "symptoms": ["anaphylaxis"],
            "onset": "2026-05-01T20:40Z",
            "doses": ["$dose"],
            "outcome": "recovering",
        },
    },
)

# merge note: reports are only ever added; a later one that names an earlier one replaces it as a
# whole. Two made apart both stand: two people saw it.
