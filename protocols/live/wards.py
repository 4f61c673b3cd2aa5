"""The ward board as a node answers it: who is in care, how each does, what is due, who lies where.

Rows say who is in care; score, trend and times are worked out for the patients asked about
(`ledger/watching.py`), never kept.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.ledger import latedoses, reading, remembered, results, scales, seeing, watching
from protocols.ledger.book import Ledger
from protocols.ledger.census import in_care
from protocols.live.answers import BOARD_MAX, board_line, shared_tag
from protocols.live.api import AlertSeen, BoardLine, BoardPage
from protocols.live.watched import watched
from protocols.records.contested import RISKS
from protocols.records.display import clean_text
from protocols.records.patient import PatientRow
from protocols.records.watch import DEAD, Watch, place

BY_TRIAGE, BY_WAIT, BY_SCORE, BY_DUE = SORTS = ("triage", "wait", "score", "due")
"""What a board can be sorted by; the first is the usual one."""
WARDS_MAX = 40
ORDERS_MAX = 64
"""Orders kept at once: of every ward by every order, as many as are asked for."""
OUTSIDE_MAX = 200
"""Of those found who are not in care: the best. Whoever is in care is listed, however many."""
DAY_MS = 86_400_000

_HARMS = (
    "SELECT patient, max(duplicate) + 2 * max(stopped) FROM administration"
    " WHERE patient IN ({who}) AND standing = 0 AND replaced = 0 AND (duplicate = 1 OR stopped = 1)"
    " GROUP BY patient"
)
_RISKS = (
    "SELECT patient, min(rank) FROM conflict WHERE patient IN ({who}) AND standing = 0"
    " GROUP BY patient"
)


def board(  # noqa: PLR0913 - one argument for each thing a terminal says
    ledger: Ledger,
    offset: int,
    limit: int,
    text: str,
    now_ms: int,
    *,
    sort: str = BY_TRIAGE,
    ward: str = "",
) -> BoardPage:
    """Patients in care, most urgent first; with a text, those it finds, then others it finds.

    Whatever narrows it, a line says what it says on the whole board, and what is said of the ward
    is of everybody in care.

    Args:
        ledger: The book.
        offset: Of the page.
        limit: Of the page, at most `BOARD_MAX`.
        text: Only who is found by it, then who is found and not in care; '' for all in care.
        now_ms: Unix milliseconds, for ages.
        sort: One of `SORTS`; any other is the first.
        ward: Only who lies there; '' for all.
    """
    shared = ledger.rows.census.shared_tags()
    told = tuple(map(shared_tag, shared))
    waiting = results.count(ledger.store)
    offset, limit = max(offset, 0), max(min(limit, BOARD_MAX), 0)
    text, limited = text.strip(), False
    if sort in (BY_SCORE, BY_DUE):
        cared_for, who = _ordered(ledger, sort, text, ward, now_ms)
        limited, total = cared_for > len(who), len(who)
        rows = reading.patients(ledger, who[offset : offset + limit])
    else:
        total, rows = _listed(ledger, offset, limit, text, ward, by_wait=sort == BY_WAIT)
    watches = watching.watches(ledger, rows, now_ms)
    if text and not ward and not limited:
        others = reading.outside(ledger, text, OUTSIDE_MAX)
        rows += others[max(offset - total, 0) : max(offset + limit - total, 0)]
        total += len(others)
    doubted = {bytes(one.patient) for tag in shared for one in tag.carriers}
    return BoardPage(
        total,
        offset,
        _lines(ledger, rows, watches, doubted, now_ms),
        ledger.rows.census.counts(),
        told,
        waiting,
        ledger.authority.keyring.closed,
        remembered.unmet_ms(ledger),
        wards=reading.wards(ledger, WARDS_MAX),
        limited=limited,
        signed=all(watch.approved for watch in watches.values()),
    )


def _ordered(
    ledger: Ledger, sort: str, text: str, ward: str, now_ms: int
) -> tuple[int, list[bytes]]:
    """Return how many are in care, and whom a sorted board looks at, in its order.

    It is kept until a row changes, a day begins or another pack is in use: who scrolls has every
    page out of one order, and pays for their page alone.
    """
    kept = ledger.rows.worked_out
    asked = (sort, text, ward, now_ms // DAY_MS, watching.shelf(ledger))
    if asked not in kept:
        cared_for, rows = _listed(ledger, 0, watching.PATIENTS_MAX, text, ward)
        watches = watching.watches(ledger, rows, now_ms)
        rows.sort(key=lambda row: place(watches[bytes(row.id)], sort))
        if len(kept) >= ORDERS_MAX:
            kept.clear()
        kept[asked] = cared_for, [bytes(row.id) for row in rows]
    found: tuple[int, list[bytes]] = kept[asked]
    return found


def _listed(
    ledger: Ledger, offset: int, limit: int, text: str, ward: str, *, by_wait: bool = False
) -> tuple[int, list[PatientRow]]:
    """Return (how many in care are listed, one page), by triage or by wait."""
    if text:
        return reading.board_found(ledger, text, offset, limit, ward=ward, by_wait=by_wait)
    total, _, rows = reading.board(ledger, offset, limit, ward=ward, by_wait=by_wait)
    return total, rows


def _lines(
    ledger: Ledger,
    rows: Sequence[PatientRow],
    watches: dict[bytes, Watch],
    doubted: set[bytes],
    now_ms: int,
) -> tuple[BoardLine, ...]:
    who = [bytes(row.id) for row in rows]
    harms, risks = _by_patient(ledger, _HARMS, who), _by_patient(ledger, _RISKS, who)
    beds = reading.shared_beds(ledger)
    chose = scales.choosers(ledger, {each: watches[each] for each in who if each in watches})
    looked = seeing.seen(ledger, who)
    alive = [bytes(row.id) for row in rows if row.triage != DEAD and in_care(row)]
    late = latedoses.late_doses(ledger, alive, now_ms)
    lines = []
    for row in rows:
        patient = bytes(row.id)
        rank = risks.get(patient)
        line = board_line(row, now_ms, tag_shared=row.id in doubted)
        if patient in late:
            doses = tuple((one.from_ms, clean_text(one.substance)) for one in late[patient])
            line = msgspec.structs.replace(line, late_doses=doses)
        if patient in looked:
            line = msgspec.structs.replace(line, seen=tuple(map(_seen, looked[patient])))
        lines.append(
            watched(
                line,
                watches.get(patient, Watch()),
                doses=harms.get(patient, 0),
                risk="" if rank is None or not 0 <= rank < len(RISKS) else RISKS[rank],
                bed_shared=bool(row.bed) and (row.ward, row.bed) in beds,
                chose=chose.get(patient),
            )
        )
    return tuple(lines)


def _seen(one: seeing.SeenBy) -> AlertSeen:
    why, of_ms, about = one.seen
    return AlertSeen(why, of_ms, tuple(sorted(about)), clean_text(one.who), one.at_ms)


def _by_patient(ledger: Ledger, asked: str, who: Sequence[bytes]) -> dict[bytes, int]:
    if not who:
        return {}
    marks = ",".join("?" * len(who))
    found = ledger.store.all(asked.format(who=marks), tuple(who))
    return {bytes(patient): value for patient, value in found}
