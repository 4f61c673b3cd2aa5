"""Lines in, durable answers out: the one door by which people and devices write."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import msgspec

from protocols.errors import InputError, LedgerError
from protocols.ids import DocId, FactRef, PatientId, SessionId, SiteId
from protocols.ledger import counting, stocking
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.ledger.practice import PERSONAL, must_practise, standing_now
from protocols.ledger.sitting import Sitting, still
from protocols.ledger.view import BookView
from protocols.ledger.writing import Written
from protocols.records.answer import LINES_MAX, refusal
from protocols.records.answer import Answer as Answer
from protocols.records.catalogue import BY_NAME
from protocols.records.commands import fingerprint, parse_line, plan
from protocols.records.identity import short_code
from protocols.records.shape import Plan, SubjectKind
from protocols.trust.sessions import NOBODY, Session
from protocols.trust.standing import Standing

_UNCOUNTED = {Standing.REFUSED: "role_refused", Standing.QUARANTINED: "quarantined"}
"""Warnings for what is kept, and counts nowhere."""


class Seat(NamedTuple):
    """Who writes: a person who took this device, or nobody identified."""

    sitting: Sitting | None = None
    overridden: frozenset[int] = frozenset()
    """Kinds for which the person has overridden what their licence does not cover."""


UNKNOWN = Seat()
"""Nobody is identified: judged by what the device may write."""


class _Left(NamedTuple):
    """A record that was answered before its rows were made."""

    planned: Plan
    written: Sequence[Written]
    session: Session
    wall_ms: int


class Recorder:
    """Turns lines into entries, each once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._left: _Left | None = None

    def record(
        self,
        lines: Sequence[Mapping[str, Any]],
        wall_ms: int,
        entropy: Callable[[int], bytes],
        seat: Seat = UNKNOWN,
        *,
        rows_later: bool = False,
    ) -> tuple[list[Answer], list[FeedState], set[str]]:
        """Write lines in order; return answers, feeds that grew and row tables that changed.

        A refused line changes nothing and does not hinder the next.

        Args:
            seat: Who writes.
            rows_later: Leave the rows of a single line for the ledger's `catch_up_left` and then
                `restate`, where nothing that has to stand with it follows from them.
        """
        alone = rows_later and len(lines) == 1 and not self._ledger.store.depth
        answers: list[Answer] = []
        feeds: dict[int, FeedState] = {}
        tables: set[str] = set()
        for start in range(0, len(lines), LINES_MAX):
            batch = lines[start : start + LINES_MAX]
            try:
                with self._ledger.atomic():
                    done = [
                        self._one(
                            at,
                            line,
                            BookView(self._ledger, wall_ms, entropy),
                            entropy,
                            seat,
                            alone=alone,
                        )
                        for at, line in enumerate(batch, start + 1)
                    ]
            except BaseException as error:
                self._left = None
                if not isinstance(error, LedgerError) or self._ledger.store.depth:
                    # A part of something larger: what it wrote until then is undone with that.
                    raise
                answers += [
                    Answer(at, False, _key(line), error=error.code)
                    for at, line in enumerate(batch, start + 1)
                ]
                continue
            for answer, written, changed in done:
                answers.append(answer)
                tables |= changed
                feeds |= {each.feed.no: each.feed for each in written}
        return answers, [self._ledger.chain.by_no[no] for no in feeds], tables

    def restate(self, entropy: Callable[[int], bytes]) -> tuple[list[FeedState], set[str]]:
        """Restate the counts of whom `record` left rows for later, once these are made.

        What it said does not bear on them, but they may not be settled since before; where this
        fails the next record about the patient does it.

        Returns:
            Feeds that grew and row tables that changed.
        """
        left, self._left = self._left, None
        due = counting.due(self._ledger, left.planned, left.written) if left else Plan(())
        if left is None or not due.drafts:
            return [], set()
        with self._ledger.atomic():
            written, tables = self._ledger.write(due, left.wall_ms, entropy, left.session)
        feeds = {each.feed.no for each in written}
        return [self._ledger.chain.by_no[no] for no in feeds], tables

    def together(
        self,
        lines: Sequence[Mapping[str, Any]],
        wall_ms: int,
        entropy: Callable[[int], bytes],
        seat: Seat = UNKNOWN,
    ) -> tuple[list[Answer], list[FeedState], set[str]]:
        """Write lines as one: all of them are durable, or nothing of them is written.

        A line may name the patient of an earlier one, who may be founded by it, as
        `{"line": n}`. Sent again, a group is answered again like its lines.
        """
        done: list[tuple[Answer, list[Written], set[str]]] = []
        try:
            with self._ledger.atomic():
                for at, line in enumerate(lines, 1):
                    named = _of_earlier(line, [answer for answer, _, _ in done])
                    view = BookView(self._ledger, wall_ms, entropy)
                    done.append(self._one(at, named, view, entropy, seat))
                    if done[-1][0].ok:
                        continue
                    if any(written for _, written, _ in done):
                        raise _GroupRefused
                    break
        except (_GroupRefused, LedgerError) as error:
            ours = error.code if isinstance(error, LedgerError) else None
            return _none_of(lines, done, ours), [], set()
        if len(done) < len(lines) or not all(answer.ok for answer, _, _ in done):
            return _none_of(lines, done, None), [], set()
        feeds = {each.feed.no: each.feed for _, written, _ in done for each in written}
        tables = {table for _, _, changed in done for table in changed}
        return [answer for answer, _, _ in done], list(feeds.values()), tables

    def _one(
        self,
        at: int,
        line: Mapping[str, Any],
        view: BookView,
        entropy: Callable[[int], bytes],
        seat: Seat,
        *,
        alone: bool = False,
    ) -> tuple[Answer, list[Written], set[str]]:
        try:
            command = parse_line(line)
            held = self._answered(command.key, line, at)
            if held is not None:
                return held, [], set()
            self._admit(seat, BY_NAME[command.kind].number, view.now_ms)
            planned = self._marked(plan(command, view), seat)
            if command.kind == "conflict.settle":
                # What settles is often of another kind, and takes the licence for that.
                for kind in {fact.kind for draft in planned.drafts for fact in draft.facts}:
                    self._admit(seat, kind, view.now_ms)
        except InputError as error:
            return _refused(at, line, error), [], set()
        session = seat.sitting.session if seat.sitting else NOBODY
        later = alone and self._nothing_follows(planned, view.now_ms)
        written, tables = self._ledger.write(
            planned, view.now_ms, entropy, session, rows_later=later
        )
        answer = self._answer(at, command.key, planned, written)
        if self._ledger.rows_left:
            self._left = _Left(planned, written, session, view.now_ms)
        else:
            for derived in (
                stocking.due(self._ledger, planned, written, view.now_ms),
                counting.due(self._ledger, planned, written),
            ):
                if derived.drafts:
                    more, changed = self._ledger.write(derived, view.now_ms, entropy, session)
                    written, tables = [*written, *more], tables | changed
        self._ledger.answers.keep(slot(command.key), fingerprint(line), msgspec.json.encode(answer))
        return answer, written, tables

    def _nothing_follows(self, planned: Plan, now_ms: int) -> bool:
        """Whether nothing has to be written with this because of what its rows will say."""
        if len(planned.drafts) != 1 or stocking.bears_on(planned):
            return False
        return not counting.may_bear_on(self._ledger, planned.drafts[0], now_ms)

    def _admit(self, seat: Seat, kind: int, now_ms: int) -> None:
        """Refuse what the person's licence does not cover; what no role allows is kept, marked.

        Raises:
            InputError: `session_ended`, `person_needed`, or one of `practice.OVERRIDES`.
        """
        if seat.sitting is None:
            if kind in PERSONAL:
                raise InputError("person_needed", field="kind")
            return
        if not still(self._ledger, seat.sitting):
            raise InputError("session_ended")
        must_practise(self._ledger, seat.sitting, kind, now_ms, seat.overridden)

    def _marked(self, planned: Plan, seat: Seat) -> Plan:
        """Return the plan with a warning when what it writes will not count."""
        found = {
            standing_now(self._ledger, seat.sitting, fact.kind)
            for draft in planned.drafts
            for fact in draft.facts
        }
        found |= {
            standing_now(self._ledger, seat.sitting, kind) for kind in stocking.follows(planned)
        }
        marks = [word for standing, word in _UNCOUNTED.items() if standing in found]
        return (
            msgspec.structs.replace(planned, warnings=(*planned.warnings, *marks))
            if marks
            else planned
        )

    def _answered(self, key: str, line: Mapping[str, Any], at: int) -> Answer | None:
        """Return the first answer to a line sent again.

        Raises:
            InputError: `key_reused` when the key stood for another line.
        """
        found = self._ledger.answers.find(slot(key))
        if found is None:
            return None
        content, answer = found
        if content != fingerprint(line):
            raise InputError("key_reused", field="key")
        held = msgspec.json.decode(answer, type=Answer)
        return msgspec.structs.replace(held, line=at, repeated=True)

    def _answer(self, at: int, key: str, planned: Plan, written: Sequence[Written]) -> Answer:
        if not written:
            return Answer(at, True, key, warnings=planned.warnings)
        first = written[0]
        subject = first.subject
        draft = planned.drafts[0]
        encounter = next((each.encounter for each in written if each.encounter), None)
        name = _NAMED.get(draft.subject_kind)
        said = str(name(subject)) if name and subject else None
        patient = said if draft.subject_kind is SubjectKind.PATIENT else None
        made = str(first.ref)
        if draft.subject is None and said:
            made = said
        elif any(each.founds_encounter for each in planned.drafts) and encounter:
            made = str(encounter)
        facts = [
            str(FactRef(each.ref.entry, each.ref.index + at))
            for each, drafted in zip(written, planned.drafts, strict=True)
            for at in range(len(drafted.facts))
        ]
        tag = self._ledger.authority.code_tag_of(first.feed)
        code = short_code(tag, planned.code_no) if planned.code_no is not None else None
        return Answer(
            at,
            True,
            key,
            id=made,
            patient=patient,
            encounter=str(encounter) if encounter else None,
            facts=tuple(facts),
            code=code,
            feed=str(first.feed.feed_id),
            seq=first.entry.seq,
            warnings=planned.warnings,
        )


_NAMED: dict[SubjectKind, type[DocId]] = {
    SubjectKind.PATIENT: PatientId,
    SubjectKind.SITE: SiteId,
    SubjectKind.SESSION: SessionId,
}
"""Subjects that an answer names as what they are."""


def slot(key: str) -> int:
    """Return where the answer to a key is kept: 63 bits of its hash.

    Two keys of one slot are a chance of 1 in 2^63 a pair; the later is refused as `key_reused`.
    """
    return int.from_bytes(blake2b(key.encode(), digest_size=8, person=b"fm-key-1").digest()) >> 1


class _GroupRefused(Exception):
    """Undoes what the earlier lines of a group wrote."""


def _of_earlier(line: Mapping[str, Any], answers: Sequence[Answer]) -> Mapping[str, Any]:
    """Return the line with `{"line": n}` in place of a patient resolved."""
    named = line.get("patient")
    if not isinstance(named, dict) or set(named) != {"line"}:
        return line
    at = named["line"]
    known = type(at) is int and 1 <= at <= len(answers)
    return {**line, "patient": (answers[at - 1].patient or "") if known else ""}


def _none_of(
    lines: Sequence[Mapping[str, Any]],
    done: Sequence[tuple[Answer, list[Written], set[str]]],
    ours: str | None,
) -> list[Answer]:
    """Return the answers to a group of which nothing was written; one line says why."""
    last = done[-1][0] if done and ours is None else None
    return [
        last
        if last is not None and last.line == at
        else Answer(at, False, _key(line), error=ours or "not_together")
        for at, line in enumerate(lines, 1)
    ]


def _refused(at: int, line: Mapping[str, Any], error: InputError) -> Answer:
    return refusal(error, line=at, key=_key(line))


def _key(line: Mapping[str, Any]) -> str | None:
    key = line.get("key")
    return key if isinstance(key, str) else None
