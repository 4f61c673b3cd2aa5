"""What stores lose and gain by what is recorded elsewhere: written with it, taken back with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

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
    Movement,
    cause_must_move,
    entry_of,
    movements,
    stock_subject,
    written,
)
from protocols.records.references import ref_of
from protocols.records.shape import Circumstances, Draft, Fact, NewFact, Plan, Statement

DEPTH_MAX = 64
"""A retraction of a retraction of a retraction: beyond this nobody means anything by it."""
_SAID_OF_STOCK = frozenset(("over_allotment", "beyond_stock", "lot_unknown", "lot_unstated"))
"""Confirmed of a record, and said of its movement."""


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
    """Return the movements that follow from what was written, or that are to be taken back.

    Read from the record that they follow from, so that taking it back and taking that back again
    are followed alike.
    """
    view = BookView(ledger, now_ms)
    drafts: list[Draft] = []
    met: set[Ref] = set()
    for cause, said in _touched(view, planned, done):
        if cause not in met:
            met.add(cause)
            drafts += _followed(view, cause, said)
    return Plan(tuple(drafts))


def _touched(
    view: BookView, planned: Plan, done: Sequence[Written]
) -> Iterator[tuple[Ref, Statement]]:
    """Yield records that move stock and were written, or bear on what is written: (which, by)."""
    for draft, each in zip(planned.drafts, done, strict=True):
        for at, fact in enumerate(draft.facts):
            if fact.kind in FOLLOWERS:
                yield (bytes(each.ref.entry), each.ref.index + at), fact.value
            if fact.kind in FOLLOWERS or fact.kind == KindNo.ENTRY_RETRACT:
                for ref in fact.value.supersedes:
                    yield from ((cause, fact.value) for cause in _meant(view, ref))


def _meant(view: BookView, ref: Ref, depth: int = 0) -> Iterator[Ref]:
    """Yield the records that move stock among what a reference leads to through retractions."""
    subject, fact = _fact(view, ref)
    if fact is None or subject is None or fact.record is None:
        return
    if fact.kind in FOLLOWERS:
        yield ref_of(fact)
    elif isinstance(fact.record, EntryRetract) and depth < DEPTH_MAX:
        for prefix, index in fact.record.supersedes:
            yield from _meant(view, (prefix or fact.doc_id, index), depth + 1)


def _fact(view: BookView, ref: Ref) -> tuple[DocId | None, Fact | None]:
    try:
        named = FactRef(EntryPrefix(ref[0]), ref[1])
    except InputError:
        return None, None
    subject = view.subject_of(named)
    facts = view.facts(subject) if subject is not None else ()
    return subject, next((fact for fact in facts if ref_of(fact) == ref), None)


def _followed(view: BookView, cause: Ref, said: Statement) -> list[Draft]:
    """Return what brings the stores in step with one record."""
    subject, fact = _fact(view, cause)
    if subject is None or fact is None or fact.record is None:
        return []
    # What does not stand yet, because its writer is not admitted, moves stock that does not either.
    counts = not _read(view, subject).replaced(fact)
    by_pair: dict[DocId, list[Move]] = {}
    for move in FOLLOWERS[fact.kind](fact.record, subject, cause):
        by_pair.setdefault(stock_subject(move.store, move.item), []).append(move)
    drafts = []
    for pair, moves in by_pair.items():
        history = _read(view, pair)
        held = [each for each in movements(history) if _cause(each) == cause]
        if not counts:
            drafts += _retract(moves[0], [e for e in held if not history.replaced(e)], said)
        elif not held:
            stated = _circumstances(fact.record)
            facts = [new for move in moves for new in written(move, history, stated).facts]
            drafts.append(entry_of(moves[0].store, moves[0].item, *facts))
        else:
            gone = {ref_of(each) for each in held if history.replaced(each) == 2}
            undo = [
                each
                for each in history.of_kind.get(KindNo.ENTRY_RETRACT, ())
                if each.record is not None
                and (each.prefix, each.index) not in history.retracted
                and gone.intersection(
                    (prefix or each.doc_id, index) for prefix, index in each.record.supersedes
                )
            ]
            drafts += _retract(moves[0], undo, said)
    return drafts


def _retract(move: Move, facts: Sequence[Fact], said: Statement) -> list[Draft]:
    if not facts:
        return []
    record = EntryRetract(said.circumstances, tuple(ref_of(fact) for fact in facts))
    return [entry_of(move.store, move.item, NewFact(KindNo.ENTRY_RETRACT, record))]


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


def _read(view: BookView, subject: DocId) -> History:
    return History(subject, view.facts(subject), lenient=True)


def _cause(fact: Fact) -> Ref | None:
    assert isinstance(fact.record, Movement)
    return fact.record.cause
