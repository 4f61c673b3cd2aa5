"""What stores lose and gain by what is recorded elsewhere: written with it, taken back with it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.errors import InputError
from protocols.ids import DocId, EntryPrefix, FactRef
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.ledger.writing import Written
from protocols.records.correction import EntryRetract
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    FOLLOWERS,
    Move,
    cause_must_move,
    entry_of,
    stock_subject,
    written,
)
from protocols.records.references import ref_of
from protocols.records.shape import Circumstances, Draft, Fact, NewFact, Plan, Statement

NAMED_MAX = 256
"""Retractions of retractions and corrections of corrections that are followed back."""
_SAID_OF_STOCK = frozenset(("over_allotment", "beyond_stock", "lot_unknown", "lot_unstated"))
"""Confirmed of a record, and said of its movement."""


def bears_on(planned: Plan) -> bool:
    """Whether stock may move by what is planned, or back."""
    kinds = {fact.kind for draft in planned.drafts for fact in draft.facts}
    return KindNo.ENTRY_RETRACT in kinds or not kinds.isdisjoint(FOLLOWERS)


def follows(planned: Plan) -> set[int]:
    """Return the kinds of movements that what is planned would move."""
    found: set[int] = set()
    for draft in planned.drafts:
        for fact in draft.facts:
            follow = FOLLOWERS.get(fact.kind)
            if follow is not None:
                moves = follow(fact.value, draft.subject or DocId.zero(), (bytes(16), 0))
                cause_must_move(moves)
                found |= {int(move.kind) for move in moves}
    return found


def due(ledger: Ledger, planned: Plan, done: Sequence[Written], now_ms: int) -> Plan:
    """Return the movements that follow from what was written, and what takes others back.

    What a retraction or a correction says of a record is said again in every pair that the record
    moved, naming the same records; so the pair comes to the same, whatever is known of it here.
    """
    view = BookView(ledger, now_ms)
    drafts: list[Draft] = []
    for draft, each in zip(planned.drafts, done, strict=True):
        for at, fact in enumerate(draft.facts):
            ref = (bytes(each.ref.entry), each.ref.index + at)
            if fact.kind in FOLLOWERS:
                drafts += _moved(view, ref)
            if fact.kind in FOLLOWERS or fact.kind == KindNo.ENTRY_RETRACT:
                drafts += _taken_back(view, fact.kind, fact.value, ref)
    return Plan(tuple(drafts))


def _moved(view: BookView, cause: Ref) -> list[Draft]:
    """Return the movements that follow from a record, one entry for each pair."""
    subject, fact = _fact(view, cause)
    if subject is None or fact is None or fact.record is None:
        return []
    # What does not stand yet, because its writer is not admitted, moves stock that does not either.
    drafts = []
    stated = _circumstances(fact.record)
    for pair, moves in _pairs(subject, fact).items():
        history = History(pair, view.facts(pair), lenient=True)
        facts = [new for move in moves for new in written(move, history, stated).facts]
        drafts.append(entry_of(moves[0].store, moves[0].item, *facts))
    return drafts


def _taken_back(view: BookView, kind: int, said: Statement, ref: Ref) -> list[Draft]:
    """Return what says again, in every pair that it bears on, that records were in error.

    Args:
        view: The book.
        kind: Of what was written: a retraction, or a record that corrects another of its family.
        said: Its value.
        ref: Its reference.
    """
    meant = _meant(view, said.supersedes)
    if not meant:
        return []
    named = dict.fromkeys(said.supersedes)
    if kind != KindNo.ENTRY_RETRACT:
        # Whoever corrects a correction has seen that what came before it is no longer true.
        named |= dict.fromkeys(meant)
    record = EntryRetract(said.circumstances, tuple(named), ref)
    pairs = {
        pair: moves[0]
        for subject, fact in meant.values()
        for pair, moves in _pairs(subject, fact).items()
    }
    return [
        entry_of(move.store, move.item, NewFact(KindNo.ENTRY_RETRACT, record))
        for move in pairs.values()
    ]


def _meant(view: BookView, named: Sequence[Ref]) -> dict[Ref, tuple[DocId, Fact]]:
    """Return the records that move stock and that references lead to.

    Through retractions to what they take back, and through corrections to what they replaced.
    """
    found: dict[Ref, tuple[DocId, Fact]] = {}
    due, met = list(named), set(named)
    while due and len(met) <= NAMED_MAX:
        ref = due.pop()
        subject, fact = _fact(view, ref)
        if subject is None or fact is None or fact.record is None:
            continue
        if fact.kind in FOLLOWERS:
            found[ref] = (subject, fact)
        elif not isinstance(fact.record, EntryRetract):
            continue
        for prefix, index in fact.record.supersedes:
            further = (prefix or bytes(fact.doc_id), index)
            if further not in met:
                met.add(further)
                due.append(further)
    return found


def _pairs(subject: DocId, fact: Fact) -> dict[DocId, list[Move]]:
    """Return what a record moves, by pair."""
    found: dict[DocId, list[Move]] = {}
    assert fact.record is not None
    for move in FOLLOWERS[fact.kind](fact.record, subject, ref_of(fact)):
        found.setdefault(stock_subject(move.store, move.item), []).append(move)
    return found


def _fact(view: BookView, ref: Ref) -> tuple[DocId | None, Fact | None]:
    try:
        named = FactRef(EntryPrefix(ref[0]), ref[1])
    except InputError:
        return None, None
    subject = view.subject_of(named)
    facts = view.facts(subject) if subject is not None else ()
    return subject, next((fact for fact in facts if ref_of(fact) == ref), None)


def _circumstances(record: Statement) -> Circumstances | None:
    """Return when and by whom, as the record says; of its doubts those about stock, with why."""
    said = record.circumstances
    if said is None:
        return None
    doubts = tuple(code for code in said.confirmed if code in _SAID_OF_STOCK)
    whole = msgspec.structs.replace(
        said, device=None, reason=said.reason if doubts else "", confirmed=doubts
    )
    return None if whole == Circumstances() else whole
