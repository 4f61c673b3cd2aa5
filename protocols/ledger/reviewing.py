"""Acts that are looked at again: what came of it is an item of the audit trail, for everybody.

An act goes on counting whatever a review says: whoever finds it wrong corrects the chart. A review
counts when a coordinator's device wrote it, below every seal on that device.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from protocols.errors import InputError, LedgerError
from protocols.ids import DeviceId, EntryHash, FactRef
from protocols.ledger import audit, practice
from protocols.ledger.audit import Asked, Event
from protocols.ledger.book import Ledger
from protocols.ledger.practice import ForReview
from protocols.records.document import DocumentOpen
from protocols.records.shape import Fact, SubjectKind
from protocols.trust.audit import Detail, What
from protocols.trust.certificates import Rank

OUTCOMES = ("stands", "corrected", "follow_up")
"""The care was right; the chart was put right; the patient has to be seen again."""
NOTE_CHARS_MAX = 100
"""With the outcome in front it fits the trail."""
REF_BYTES = 18
NAMED_MAX = 3
"""Coordinators named where this device may not review."""


@dataclass(frozen=True, slots=True)
class Review:
    """What came of looking at one act again."""

    at_ms: int
    person: DeviceId | None
    person_name: str
    account: str
    """Of an HQ page, where a session names nobody."""
    device: DeviceId
    device_name: str
    outcome: str
    """One of `OUTCOMES`, or a word of later software."""
    note: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody says of an act after looking at it again."""

    fact: str
    """Printed id of the act."""
    outcome: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Act:
    """One act for review, as a list shows it."""

    flagged: ForReview
    kinds: tuple[int, ...]
    """What it recorded."""
    code: str
    """Short code of the patient; '' where it is about none."""
    reviews: tuple[Review, ...]
    """Oldest first; none: it waits."""


def acts(ledger: Ledger) -> list[Act]:
    """Return what seals want looked at again: what waits first, the newest of each first."""
    done, known = reviews(ledger), _Subjects(ledger)
    found = [
        Act(
            flagged,
            known.kinds(flagged),
            known.code(flagged),
            tuple(done.get(_ref(flagged.entry), ())),
        )
        for flagged in practice.for_review(ledger)
    ]
    return sorted(found, key=lambda act: bool(act.reviews))


def reviews(ledger: Ledger) -> dict[bytes, list[Review]]:
    """Return the reviews that count, by the 18-byte reference of the act, oldest first."""
    roster, scope = ledger.authority.roster, ledger.authority.care_scope
    found: dict[bytes, list[Review]] = {}
    for said in audit.lines(ledger, Asked(what=frozenset({int(What.REVIEW)}))):
        detail = said.detail
        whole = detail is not None and len(detail.document) == REF_BYTES
        if detail is None or not whole or not roster.coordinates_at(EntryHash(said.entry), scope):
            continue
        outcome, _, note = detail.reason.partition(": ")
        found.setdefault(detail.document, []).append(
            Review(
                said.at_ms,
                said.person,
                said.person_name,
                detail.account,
                said.device,
                said.device_name,
                outcome,
                note,
            )
        )
    return {ref: same[::-1] for ref, same in found.items()}


def why_not(ledger: Ledger) -> str:
    """Say why a review by this device would not count, or '' when it would."""
    authority = ledger.authority
    try:
        scope = authority.care_scope
    except LedgerError:
        return "review_rank"
    return "" if authority.roster.may_rotate(authority.device, scope) else "review_rank"


def who_may(ledger: Ledger) -> tuple[str, ...]:
    """Name coordinators who may."""
    authority = ledger.authority
    names = (
        authority.name_of(each) or str(each)[:16]
        for each in authority.roster.members()
        if (member := authority.roster.device(each)) is not None
        and member.rank <= Rank.COORDINATOR
        and not member.sealed
    )
    return tuple(name for name, _ in zip(names, range(NAMED_MAX), strict=False))


def review(
    ledger: Ledger, verdict: Verdict, now_ms: int, *, session: int = 0, account: str = ""
) -> Event:
    """Return what the trail says of one review.

    Args:
        session: Who sits at the terminal; account: who is logged in at a page. One of the two.

    Raises:
        InputError: `person_needed`, `may_not_review`, `own_act`, `not_for_review`, `bad_value`,
            `too_long`, `bad_id`.
    """
    ref, outcome, note = FactRef.parse(verdict.fact), verdict.outcome, verdict.note.strip()
    if outcome not in OUTCOMES:
        raise InputError("bad_value", field="outcome", allowed=OUTCOMES)
    if len(note) > NOTE_CHARS_MAX:
        raise InputError("too_long", field="note", limit=NOTE_CHARS_MAX)
    person = audit.sits_here(ledger, session)
    if person is None and not account:
        raise InputError("person_needed", field="session")
    if why_not(ledger):
        raise InputError("may_not_review", allowed=who_may(ledger))
    listed = (each for each in practice.for_review(ledger) if each.entry.entry == ref.entry)
    flagged = next(listed, None)
    if flagged is None:
        raise InputError("not_for_review", field="fact")
    if person is not None and bytes(person) == bytes(flagged.person):
        raise InputError("own_act", field="fact")
    about = flagged.subject if flagged.subject_kind == SubjectKind.PATIENT else b""
    reason = f"{outcome}: {note}" if note else outcome
    detail = Detail(patient=about, document=_ref(flagged.entry), account=account, reason=reason)
    return Event(What.REVIEW, max(now_ms, 0), detail, session)


def _ref(fact: FactRef) -> bytes:
    return fact.entry + fact.index.to_bytes(2)


class _Subjects:
    """Looks up what acts are about, each subject once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._facts: dict[bytes, dict[bytes, list[Fact]]] = {}

    def kinds(self, act: ForReview) -> tuple[int, ...]:
        """Return what an act recorded, each kind once."""
        if act.subject not in self._facts:
            by_entry: dict[bytes, list[Fact]] = {}
            for fact in self._of(act.subject):
                by_entry.setdefault(bytes(fact.prefix), []).append(fact)
            self._facts[act.subject] = by_entry
        same = self._facts[act.subject].get(bytes(act.entry.entry), [])
        told = (fact.kind for fact in same if not isinstance(fact.record, DocumentOpen))
        return tuple(dict.fromkeys(told))

    def code(self, act: ForReview) -> str:
        """Return a patient's short code."""
        row = self._ledger.store.one(
            "SELECT p.code FROM subject s JOIN patient p ON p.subject = s.no WHERE s.id = ?",
            (act.subject,),
        )
        return str(row[0]) if row else ""

    def _of(self, subject: bytes) -> Iterable[Fact]:
        row = self._ledger.store.one("SELECT no FROM subject WHERE id = ?", (subject,))
        return self._ledger.merger.facts_of(int(row[0])) if row else ()
