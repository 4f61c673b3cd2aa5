"""When a medicine is due, and what to know before giving it: worked out from rows, never stored.

The same rows and the same moment give the same answer wherever they are held.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Literal, NamedTuple

from protocols.guidelines.vocabulary import fold
from protocols.records.administration import STATUSES as GIVEN_STATUSES
from protocols.records.administration import AdministrationRow
from protocols.records.medicine import AS_NEEDED, CONTINUOUS, ONCE, WAYS, Frequency, hours_between
from protocols.records.order import OrderRow

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

State = Literal["late", "due", "later", "as-needed", "running", "done", "ended", "stopped"]

URGENCY: tuple[State, ...] = (
    "late",
    "due",
    "later",
    "running",
    "as-needed",
    "done",
    "ended",
    "stopped",
)
"""In which order orders are listed."""

Caution = Literal["allergy", "given_past_stop", "double_dose", "ordered_twice", "most_reached"]


class Scheduled(NamedTuple):
    """One order at one moment."""

    state: State
    due_ms: int | None
    """When the next dose is due; None where there is none, or it is given as needed."""
    last: AdministrationRow | None
    """What was last recorded of it: given, refused or not given."""
    last_given_ms: int | None
    given_a_day: int
    """Doses given in the 24 hours before."""
    warnings: tuple[Caution, ...]


def scheduled(
    order: OrderRow,
    doses: Sequence[AdministrationRow],
    now_ms: int,
    late_ms: int,
    *,
    unsettled: Collection[tuple[str, str]] = (),
    allergic: bool = False,
) -> Scheduled:
    """Return where an order stands.

    A dose that was refused or not given counts as the answer to the dose that was due: the next
    one is due an interval later, and the last record says what became of this one.

    Args:
        order: What was ordered.
        doses: What was recorded of this order, in any order; what is replaced or does not stand
            is left out here.
        now_ms: The moment, Unix milliseconds.
        late_ms: A dose that was due so long ago is late.
        unsettled: Pairs of risk and substance that people apart wrote differently about.
        allergic: Whether something listed speaks against the substance.
    """
    known = sorted(
        (dose for dose in doses if not dose.replaced and not dose.standing),
        key=lambda dose: (dose.at_ms, dose.entry, dose.idx),
    )
    given = [dose for dose in known if dose.status == GIVEN_STATUSES[0]]
    last = known[-1] if known else None
    day = sum(now_ms - DAY_MS < dose.at_ms <= now_ms for dose in given)
    due_ms = _due_ms(order, last.at_ms if last else None)
    return Scheduled(
        state=_state(order, due_ms, given, now_ms, late_ms),
        due_ms=None if order.stopped_ms is not None else due_ms,
        last=last,
        last_given_ms=given[-1].at_ms if given else None,
        given_a_day=day,
        warnings=_warnings(order, given, day, unsettled, allergic=allergic),
    )


def late_from_ms(order: OrderRow, answered_ms: int | None, late_ms: int) -> int | None:
    """Return from when on the next dose is late; None where none is due by the clock.

    Args:
        order: What was ordered, and goes on.
        answered_ms: When a dose of it was last given, refused or not given; None for never.
        late_ms: As `scheduled` has it.
    """
    due_ms = _due_ms(order, answered_ms)
    if order.stopped_ms is not None or due_ms is None:
        return None
    from_ms = due_ms + late_ms
    return None if order.until_ms is not None and from_ms >= order.until_ms else from_ms


def frequency_of(order: OrderRow) -> Frequency:
    """Return how often, as the record has it; once where this software does not know the word."""
    way = WAYS.index(order.way) if order.way in WAYS else ONCE
    return Frequency(way, order.every, order.max_a_day)


def _due_ms(order: OrderRow, last_ms: int | None) -> int | None:
    """Return when the next dose is due, or None."""
    frequency = frequency_of(order)
    if frequency.way in (AS_NEEDED, CONTINUOUS):
        return None
    if last_ms is None:
        return order.start_ms
    hours = hours_between(frequency)
    if hours is None:
        return None
    next_ms = last_ms + int(hours * HOUR_MS)
    return None if order.until_ms is not None and next_ms >= order.until_ms else next_ms


def _state(
    order: OrderRow,
    due_ms: int | None,
    given: Sequence[AdministrationRow],
    now_ms: int,
    late_ms: int,
) -> State:
    if order.stopped_ms is not None:
        return "stopped"
    if order.until_ms is not None and now_ms >= order.until_ms:
        return "ended"
    way = frequency_of(order).way
    if way == AS_NEEDED:
        return "as-needed"
    if way == CONTINUOUS:
        return "running" if given else "due"
    if due_ms is None:
        return "done"
    if now_ms < due_ms:
        return "later"
    return "late" if now_ms - due_ms >= late_ms else "due"


def _warnings(
    order: OrderRow,
    given: Sequence[AdministrationRow],
    given_a_day: int,
    unsettled: Collection[tuple[str, str]],
    *,
    allergic: bool,
) -> tuple[Caution, ...]:
    """Return what to know before the next dose, the most harmful first."""
    same = {risk for risk, about in unsettled if fold(about) == fold(order.substance)}
    found: list[Caution] = []
    if allergic and order.stopped_ms is None:
        found.append("allergy")
    if order.given_apart:
        found.append("given_past_stop")
    if "dose" in same and any(dose.duplicate for dose in given):
        found.append("double_dose")
    if "order" in same and order.stopped_ms is None:
        found.append("ordered_twice")
    most = order.max_a_day if frequency_of(order).way == AS_NEEDED else 0
    if most and given_a_day >= most:
        found.append("most_reached")
    return tuple(found)
