"""Calls about acts that are looked at again, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import PatientId
from protocols.ledger import persons, reviewing
from protocols.ledger.reviewing import Act, Review, Verdict
from protocols.live.belonging import ReviewDone, ReviewLine, ReviewPage
from protocols.live.members import Reader, reason_word, text_of
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.rows import kind_name
from protocols.records.shape import SubjectKind

REVIEWS_MAX = 200
"""Acts in one answer; more come up as those before them are reviewed."""


def page(node: Node, now: Now, args: Mapping[str, Any]) -> ReviewPage:
    """`review_page`: acts that wait and acts that were looked at, those that wait first."""
    ledger = node.ledger
    found = reviewing.acts(ledger)
    return ReviewPage(
        total=len(found),
        waiting=sum(not act.reviews for act in found),
        lines=tuple(_line(node, act) for act in found[:REVIEWS_MAX]),
        why_not=reviewing.why_not(ledger),
        ask=reviewing.who_may(ledger),
    )


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> list[ReviewLine]:
    """`review`: the same acts, all of them."""
    return [_line(node, act) for act in reviewing.acts(node.ledger)]


def review(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0, account: str = ""
) -> tuple[object, Sequence[Effect]]:
    """`review_done`: args fact, outcome, note. Durable for everybody before it is answered.

    Raises:
        InputError: As `reviewing.review`.
    """
    note = args.get("note") or ""
    if not isinstance(note, str):
        raise InputError("bad_line", field="args.note")
    verdict = Verdict(text_of(args, "fact"), text_of(args, "outcome"), note)
    event = reviewing.review(node.ledger, verdict, now.wall_ms, session=session, account=account)
    return True, node.audit([event], now)


READS: dict[str, Reader] = {"review": listed, "review_page": page}
DEEDS: dict[str, Callable[..., tuple[object, Sequence[Effect]]]] = {"review_done": review}


def as_json(line: Mapping[str, Any], iso: Callable[[int], str | None]) -> dict[str, Any]:
    """Return a line of the command `review`: instants as ISO, and the same keys as ever."""
    found = {name: value for name, value in line.items() if name not in ("at_ms", "reviews")}
    done = [
        {**{name: value for name, value in each.items() if name != "at_ms"},
         "at": iso(each["at_ms"])}
        for each in line["reviews"]
    ]  # fmt: skip
    return found | {"at": iso(line["at_ms"]), "reviews": done}


def _line(node: Node, act: Act) -> ReviewLine:
    ledger, flagged = node.ledger, act.flagged
    profile = persons.profile_of(ledger, flagged.person)
    patient = flagged.subject_kind == SubjectKind.PATIENT
    return ReviewLine(
        fact=str(flagged.entry),
        person=str(flagged.person),
        person_name=clean_text(profile.name) if profile else None,
        device=str(flagged.device),
        device_name=clean_text(ledger.authority.name_of(flagged.device)),
        subject=flagged.subject.hex(),
        patient=str(PatientId(flagged.subject)) if patient else "",
        code=act.code,
        kinds=tuple(map(kind_name, act.kinds)),
        at_ms=flagged.at_ms,
        reason=reason_word(flagged.reason),
        reviews=tuple(map(_done, act.reviews)),
    )


def _done(review: Review) -> ReviewDone:
    return ReviewDone(
        at_ms=review.at_ms,
        by=clean_text(review.person_name or review.account)
        or (str(review.person)[:16] if review.person else ""),
        device_name=clean_text(review.device_name) or str(review.device)[:16],
        outcome=clean_text(review.outcome),
        note=clean_text(review.note),
    )


def lines(raw: object) -> list[dict[str, Any]]:
    """Return an answer of `review` as plain objects, wherever it was answered."""
    found: list[dict[str, Any]] = msgspec.to_builtins(raw)
    return found
