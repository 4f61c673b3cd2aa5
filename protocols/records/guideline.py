"""Working by a guideline: what was ticked, left out or judged, by which version of which pack."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import DigestText, one_of
from protocols.records.wordlists import position, word_at

# fields


class GuidelineStep(Statement, frozen=True):
    """One step of one guideline, as it stood on the screen when somebody ticked it."""

    name: str = ""
    """Of the pack."""
    version: str = ""
    digest: bytes = b""
    """Of the pack's canonical bytes: two that share a version are told apart by it."""
    did: Small = 0
    """Position in `DID`."""
    step: str = ""
    """Id in the pack; '' where only answers were judged."""
    answers: dict[str, str | int | None] = msgspec.field(default_factory=dict)
    """By question: digits as typed, the id of a choice, 1 or 0, None where it was left out. Of
    several choices the count, and 1 under `question.choice` for each."""
    amounts: tuple[str, ...] = ()
    """Amounts as they were shown, with their arithmetic."""
    result: str = ""
    """Id of the result, or of the stop, that the answers came to."""
    course: Small = 0
    """How often the guideline had been begun anew in this stay."""
    approved: Small = 0
    """1 where a clinical lead had signed this version; else it said NOT APPROVED."""

    def __post_init__(self) -> None:
        """Refuse what is no digest."""
        if len(self.digest) not in (0, DIGEST_BYTES):
            raise ValueError("digest")


DIGEST_BYTES = 32
DID = ("done", "skipped", "judged")
"""Done, left out with a reason, or only the answers weighed."""

# commands


class StepData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of guideline.step; leaving out needs a reason in the line."""

    name: str
    version: str
    did: Annotated[str, one_of(DID)] = "done"
    step: str | None = None
    digest: DigestText | None = None
    """64 hexadecimal digits."""
    answers: dict[str, str | int | bool | None] = {}
    amounts: list[str] = []
    result: str | None = None
    course: int = 0
    approved: bool = False


ANSWERS_MAX = 64
AMOUNTS_MAX = 4
AMOUNT_CHARS_MAX = 160
WORD_CHARS_MAX = 64
COURSES_MAX = 99
"""Nobody begins one guideline so often in one stay."""

# apply


def plan(command: Command, view: View) -> Plan:
    """Record a step in the open encounter."""
    desk = Desk(command, view)
    data: StepData = command.data
    patient = desk.patient()
    did = position(data.did, DID, "data.did")
    if data.did == "judged":
        if data.step is not None:
            raise InputError("bad_value", field="data.step", allowed=("null",))
    elif data.step is None:
        raise InputError("missing_field", field="data.step", allowed=("id",))
    if not 0 <= data.course <= COURSES_MAX:
        raise InputError("out_of_range", field="data.course", allowed=(f"0-{COURSES_MAX}",))
    record = GuidelineStep(
        desk.circumstances(reason_needed=data.did == "skipped"),
        refs(desk.named(patient)),
        tidy(data.name, "data.name", WORD_CHARS_MAX),
        tidy(data.version, "data.version", WORD_CHARS_MAX),
        _digest(data.digest),
        did,
        _word(data.step, "data.step"),
        _answers(data.answers),
        _amounts(data.amounts),
        _word(data.result, "data.result"),
        data.course,
        int(data.approved),
    )
    new = NewFact(KindNo.GUIDELINE_STEP, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


def _word(text: str | None, where: str) -> str:
    return "" if text is None else tidy(text, where, WORD_CHARS_MAX)


def _digest(text: str | None) -> bytes:
    try:
        found = bytes.fromhex(text or "")
    except ValueError:
        found = b"?"
    if len(found) not in (0, DIGEST_BYTES):
        raise InputError("bad_value", field="data.digest", allowed=("64 hexadecimal digits",))
    return found


def _answers(answers: Mapping[str, str | int | bool | None]) -> dict[str, str | int | None]:
    if len(answers) > ANSWERS_MAX:
        raise InputError("too_many", field="data.answers", limit=ANSWERS_MAX)
    found: dict[str, str | int | None] = {}
    for name, value in answers.items():
        where = f"data.answers.{name[:WORD_CHARS_MAX]}"
        kept = tidy(value, where, WORD_CHARS_MAX) if isinstance(value, str) else value
        if isinstance(kept, int) and not -(2**31) < kept < 2**31:
            raise InputError("out_of_range", field=where)
        found[tidy(name, "data.answers", WORD_CHARS_MAX * 2)] = (
            int(kept) if isinstance(kept, bool) else kept
        )
    return found


def _amounts(amounts: list[str]) -> tuple[str, ...]:
    if len(amounts) > AMOUNTS_MAX:
        raise InputError("too_many", field="data.amounts", limit=AMOUNTS_MAX)
    return tuple(tidy(each, "data.amounts", AMOUNT_CHARS_MAX) for each in amounts)


# rows


class GuidelineStepRow(Row, frozen=True, kw_only=True, gc=False):
    """One step that somebody ticked, left out or judged."""

    TABLE: ClassVar[str] = "guideline_step"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    name: str
    version: str
    digest: str
    """64 hexadecimal digits; '' where the record names none."""
    did: str
    """Word of `DID`; `#n` when this software does not know it."""
    step: str
    answers: str
    """As a JSON object, names in order."""
    amounts: str
    result: str
    reason: str
    course: int
    approved: int


class Course(NamedTuple):
    """One guideline on one patient in one stay, since it was last begun anew."""

    number: int
    """How often it was begun anew."""
    began_ms: int
    """When the first of its records happened."""
    steps: tuple[GuidelineStepRow, ...]
    """What stands of it: in the order in which it happened, then in that of the entries."""


def current(rows: Iterable[GuidelineStepRow], name: str, encounter: bytes | None) -> Course | None:
    """Return the course that a guideline is in; None where nobody has begun.

    Two people who began anew apart are in the same course: what both ticked stands side by side.
    """
    own = [
        row
        for row in rows
        if row.name == name and row.encounter == encounter and not row.standing and not row.replaced
    ]
    if not own:
        return None
    number = max(row.course for row in own)
    steps = sorted(
        (row for row in own if row.course == number),
        key=lambda row: (row.at_ms, row.entry, row.idx),
    )
    return Course(number, steps[0].at_ms, tuple(steps))


def rows(history: History) -> list[GuidelineStepRow]:
    """Return one row for each step recorded."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.GUIDELINE_STEP, ())]


def _row(history: History, fact: Fact) -> GuidelineStepRow:
    record = fact.record
    assert isinstance(record, GuidelineStep)
    said = record.circumstances
    return GuidelineStepRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        encounter=history.encounter_of.get(fact.doc),
        name=clean_text(record.name),
        version=clean_text(record.version),
        digest=record.digest.hex(),
        did=word_at(DID, record.did),
        step=clean_text(record.step),
        answers=_json(record.answers),
        amounts="; ".join(clean_text(each, AMOUNT_CHARS_MAX) for each in record.amounts),
        result=clean_text(record.result),
        reason=clean_text(said.reason) if said else "",
        course=record.course,
        approved=min(record.approved, 1),
    )


def _json(answers: Mapping[str, str | int | None]) -> str:
    """Return answers in order, cleaned: what is no answer at all is left out."""
    found = {
        clean_text(name): clean_text(value) if isinstance(value, str) else value
        for name, value in sorted(answers.items())
        if not isinstance(value, int) or -(2**31) < value < 2**31
    }
    return msgspec.json.encode(dict(list(found.items())[:ANSWERS_MAX])).decode()


def own_words(record: GuidelineStep) -> list[tuple[str, str]]:
    """Return what was done by which guideline, as (catalogue key, text) pairs."""
    said = [
        ("guideline", clean_text(f"{record.name} {record.version}")),
        ("step", clean_text(record.step)),
        ("did", word_at(DID, record.did)),
        ("amount", "; ".join(clean_text(each, AMOUNT_CHARS_MAX) for each in record.amounts)),
        ("result", clean_text(record.result)),
        ("approval", "" if record.approved else "not-approved"),
    ]
    return [(key, text) for key, text in said if text]


KIND = Kind(
    number=KindNo.GUIDELINE_STEP,
    name="guideline.step",
    value=GuidelineStep,
    data=StepData,
    plan=plan,
    example={
        "v": 1,
        "kind": "guideline.step",
        "key": "example-43",
        "patient": {"tag": "B12"},
        "data": {
            "name": "cholera-c",
            "version": "1",
            "step": "first",
            "answers": {"age_group": "5-y-up", "wasted": False, "weight": "54"},
            "amounts": ["30 × 54 = 1 620 mL"],
        },
    },
)

# merge note: steps are only ever added. What two people ticked apart is ticked by both, and both
# are shown; where one did it and another left it out, it says so. Taking it back unticks it. Who
# begins a guideline anew apart from another is in the same course as they.
