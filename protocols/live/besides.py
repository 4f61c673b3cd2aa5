"""What a session gives or measures beside its vaccines, added to what a drive's screen is told.

Vaccination is answered first and as it is; whoever asks of a session without interventions is told
nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.guidelines.births import born_stated
from protocols.guidelines.interventions import Interventions
from protocols.ids import PatientId, SiteId
from protocols.ledger import interventions, reading
from protocols.ledger.book import Ledger
from protocols.live import vaccinated, vaccinating
from protocols.live.dosedays import day_text
from protocols.live.drive import (
    BesideLine,
    BesideSum,
    Child,
    Choice,
    Coverage,
    Drive,
    GiveLine,
    LastLine,
    MedicineLine,
    SessionChoices,
    Words,
)
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.immune import best_birth
from protocols.records.session import SessionRow, interventions_of, offsets_of
from protocols.records.zones import local_day

LAST_MAX = 10
"""Children shown last, as of vaccines."""
LATE_ROWS = 60
"""Records among which they are looked for: ten children with six each."""

# one session


def drive(node: Node, now: Now, args: Mapping[str, Any]) -> Drive:
    """`drive`: one session as its screen shows it; see `Drive`."""
    told, ledger = vaccinating.drive(node, now, args), node.ledger
    held = vaccinating.session_row(ledger, args)
    codes = interventions_of(held)
    if not codes:
        return told
    pack, session = interventions.pack_in_use(ledger), bytes(held.id)
    seen = interventions.seen(ledger, session)
    return msgspec.structs.replace(
        told,
        beside=_stopped(
            ledger, held, now, _sums(pack, interventions.counts(ledger, session), codes)
        ),
        cells=_cells(told, pack, held),
        children=told.children + seen.children,
        not_given=told.not_given + seen.not_given,
        last=_last(ledger, session, told.last),
    )


def covered(node: Node, now: Now, args: Mapping[str, Any]) -> Coverage:
    """`vaccination_coverage`; see `Coverage`."""
    told, ledger = vaccinated.covered(node, now, args), node.ledger
    held = vaccinating.session_row(ledger, args) if args.get("session") else None
    found = interventions.counts(ledger, None if held is None else held.id)
    codes = [each.code for each in found] if held is None else interventions_of(held)
    if not codes:
        return told
    pack = interventions.pack_in_use(ledger)
    return msgspec.structs.replace(told, beside=_sums(pack, found, tuple(dict.fromkeys(codes))))


def _sums(
    pack: Interventions, found: Sequence[interventions.Count], codes: Sequence[str]
) -> tuple[BesideSum, ...]:
    lines = []
    for code in codes:
        mine = [each for each in found if each.code == code]
        row = pack.of_code(code)
        number, twice = sum(each.number for each in mine), sum(each.twice for each in mine)
        short = row.short if row is not None else {"en": code}
        items = tuple(dict.fromkeys(each.item for each in row.age if each.item)) if row else ()
        lines.append(BesideSum(code, words_of(pack, code), short, number, twice, items))
    return tuple(lines)


def _stopped(
    ledger: Ledger, held: SessionRow, now: Now, sums: tuple[BesideSum, ...]
) -> tuple[BesideSum, ...]:
    """Return the sums with the lots that nobody may be given of, in the session's store."""
    items = tuple(dict.fromkeys(item for one in sums for item in one.items))
    found = interventions.stops(ledger, held, items, local_day(offsets_of(held), now.wall_ms))
    return tuple(
        msgspec.structs.replace(one, stops=tuple(stop for stop in found if stop[0] in one.items))
        for one in sums
    )


def _cells(told: Drive, pack: Interventions, held: SessionRow) -> tuple[Any, ...]:
    of_digit = {
        digit: rest[0] for digit, _, _, _, _, *rest in msgspec.json.decode(held.cells) if rest
    }
    return tuple(
        msgspec.structs.replace(
            cell, intervention=of_digit[cell.digit], words=words_of(pack, of_digit[cell.digit])
        )
        if cell.digit in of_digit
        else cell
        for cell in told.cells
    )


def words_of(pack: Interventions, code: str) -> Words:
    """Return the words for an intervention; its code where no pack knows it."""
    known = pack.of_code(code)
    return known.words if known is not None else {"en": clean_text(code)}


_LATE = """
SELECT patient, code, status, at_ms FROM intervention
WHERE session = ? AND standing = 0 AND replaced = 0 ORDER BY at_ms DESC, entry DESC, idx LIMIT ?"""


def _last(ledger: Ledger, session: bytes, doses: Sequence[LastLine]) -> tuple[LastLine, ...]:
    """Return the children seen last, each with what they had of both; the newest first."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for patient, code, status, at_ms in ledger.store.all(_LATE, (session, LATE_ROWS)):
        found.setdefault(str(PatientId(patient)), []).append((code, status, at_ms))
    known = {line.patient: line for line in doses}
    new = [who for who in found if who not in known]
    heads = {
        str(PatientId(one.id)): one
        for one in reading.patients(ledger, [bytes(PatientId.parse(who)) for who in new])
    }
    for who in new:
        head = heads.get(who)
        tag, code = (head.tag, head.code) if head is not None else ("", "")
        known[who] = LastLine(who, tag, code, 0, (), "")
    lines = [_joined(line, found.get(who, [])) for who, line in known.items()]
    return tuple(sorted(lines, key=lambda line: -line.at_ms)[:LAST_MAX])


def _joined(line: LastLine, beside: Sequence[tuple[str, str, int]]) -> LastLine:
    given = tuple((code, None) for code, status, _ in beside[::-1] if status == "given")
    not_given = "refused" if any(status == "refused" for _, status, _ in beside) else "other"
    return msgspec.structs.replace(
        line,
        given=(*line.given, *given),
        status="given" if line.given or given else line.status or not_given,
        at_ms=max(line.at_ms, *(at_ms for _, _, at_ms in beside), 0),
    )


# one child


def child(node: Node, now: Now, args: Mapping[str, Any], *, opened: vaccinating.Opened) -> Child:
    """`child`: what somebody known, or of an age, needs today; see `Child`."""
    told, ledger = vaccinating.child(node, now, args, opened=opened), node.ledger
    if not args.get("session"):
        return told
    held = vaccinating.session_row(ledger, args)
    if not interventions_of(held):
        return told
    today = local_day(offsets_of(held), now.wall_ms)
    histories = []
    if told.head is not None:
        histories = interventions.of_person(ledger, PatientId.parse(told.head.patient))
        born = best_birth(histories, today)
    else:
        born = born_stated(args["age"], args["unit"], today, estimated=bool(args.get("estimated")))
    found = interventions.of_session(ledger, held, histories, born, today)
    head = interventions.pack_in_use(ledger).pack
    return msgspec.structs.replace(
        told,
        beside=tuple(_line(each, told.give) for each in found),
        beside_pack=f"{clean_text(head.name)} {clean_text(head.version)}",
        beside_approved=bool(head.approved_by),
    )


def _line(found: interventions.Line, give: Sequence[GiveLine]) -> BesideLine:
    row, told, taken = found.row, found.due, found.medicine
    alone = row.vaccines and not any(line.wanted and line.vaccine in row.vaccines for line in give)
    medicine = None
    if taken is not None:
        lot = found.lot
        medicine = MedicineLine(
            substance=taken.substance,
            value=taken.value,
            unit=taken.unit or "",
            route=taken.route or "",
            item=lot.item if lot else "",
            lot=lot.lot if lot else "",
            store=str(SiteId(lot.store)) if lot else "",
        )
    maybe = [f"{each.value} {each.unit}" for each in told.ages if each.value]
    return BesideLine(
        code=row.code,
        words=row.words,
        state="not-with" if alone and told.state == "due" else told.state,
        last=day_text(told.last),
        day=day_text(told.day),
        interval=row.interval or "",
        medicine=medicine,
        maybe=tuple(dict.fromkeys(maybe)) if told.state == "unsure" else (),
        measure=row.measure,
        stop=found.stop,
    )


# opening a session


def choices(node: Node, now: Now, args: Mapping[str, Any]) -> SessionChoices:
    """`session_choices`; see `SessionChoices`."""
    pack = interventions.pack_in_use(node.ledger)
    return msgspec.structs.replace(
        vaccinated.choices(node, now, args),
        interventions=tuple(Choice(row.code, row.words) for row in pack.intervention),
    )


READS: dict[str, Reader] = {
    "drive": drive,
    "session_choices": choices,
    "vaccination_coverage": covered,
}
OF_PATIENT: dict[str, Callable[..., object]] = {"child": child}
"""In the place of what vaccination answers by these names."""
