"""The answers to `shipments`, `recalls`, `recall_patients` and `cold_units`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.guidelines.coldchain import Episode
from protocols.ids import DocId, EntryPrefix, FactRef, PatientId, SiteId
from protocols.ledger import abroad, audit, coldunits, reading, recalls, shipments, stores
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.live import supplydesk
from protocols.live.audited import event
from protocols.live.consigned import (
    ColdUnit,
    ColdUnits,
    EpisodeLine,
    LimitLine,
    LotLine,
    RecallLine,
    Recalls,
    RecipientLine,
    Recipients,
    ShipmentLine,
    ShipmentPart,
    ShipmentReceipt,
    Shipments,
    ShipmentStep,
    StoreAnswer,
)
from protocols.live.members import Doer, Reader
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.movement import lot_text
from protocols.records.reading import cold_subject
from protocols.records.shipping import EXPIRED, expired, steps, told_twice
from protocols.trust.audit import REASON_CHARS_MAX, What

EPISODES_MAX = 50
MINUTE_MS = 60_000


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> Shipments:
    """Return requests and shipments, those that go on, with their lines.

    Raises:
        InputError: `bad_line`, `bad_id`, `sealed_here`.
    """
    ledger = _open(node)
    asked, one = _store(args), args.get("shipment")
    if one is not None and not isinstance(one, str):
        raise InputError("bad_line", field="args.shipment")
    if one:
        heads = shipments.head(ledger.store, bytes(DocId.parse(one)))
    else:
        heads = shipments.heads(
            ledger.store,
            () if asked is None else (bytes(asked),),
            closed=bool(args.get("closed", False)),
            limit=_number(args, "limit", shipments.SHIPMENTS_MAX),
        )
    names, own = _names(ledger), supplydesk.ours(ledger, now.wall_ms)
    lines = [_shipment(ledger, head, names, own, now.wall_ms) for head in heads]
    if one:
        lines = [_whole(ledger, each, names, now) for each in lines]
    codes = {part.item for each in lines for part in each.parts}
    return Shipments(tuple(lines), supplydesk.item_words(stores.catalogue(ledger), codes))


def _whole(
    ledger: Ledger, line: ShipmentLine, names: Mapping[bytes, str], now: Now
) -> ShipmentLine:
    """Return a shipment with who did what of it, and which receipts stand beside each other."""
    subject = DocId.parse(line.shipment)
    history = History(subject, BookView(ledger, now.wall_ms).facts(subject))
    taken = shipments.taken_twice(ledger.store, bytes(subject))
    return msgspec.structs.replace(
        line,
        steps=_steps(ledger, history),
        twice=_twice(ledger, history, names),
        beyond=sum(each.came - each.sent for each in taken),
    )


def _twice(
    ledger: Ledger, history: History, names: Mapping[bytes, str]
) -> tuple[ShipmentReceipt, ...]:
    told = told_twice(history)
    authors = Authors(ledger).of_entries(fact.entry for fact, _ in told)
    return tuple(
        ShipmentReceipt(
            str(fact.ref),
            fact.at_ms,
            clean_text(authors[fact.entry].label),
            clean_text(authors[fact.entry].device_name),
            names.get(fact.record.to, ""),  # type: ignore[union-attr]
            sum(line.units for line in fact.record.lines),  # type: ignore[union-attr]
            counts,
        )
        for fact, counts in told
    )


def _steps(ledger: Ledger, history: History) -> tuple[ShipmentStep, ...]:
    """Return who did what of a shipment, in order of time; what was taken back stays, marked."""
    facts = steps(history)
    authors = Authors(ledger).of_entries(fact.entry for fact in facts)
    own = bytes(ledger.authority.device)
    return tuple(
        ShipmentStep(
            str(fact.ref),
            VALUES[KindNo(fact.kind)],
            fact.at_ms,
            clean_text(authors[fact.entry].label),
            clean_text(authors[fact.entry].device_name),
            bytes(fact.device) == own,
            fact.standing == 0 and not history.replaced(fact),
        )
        for fact in facts
    )


VALUES = {
    KindNo.REQUISITION_PLACE: "requisition.place",
    KindNo.REQUISITION_APPROVE: "requisition.approve",
    KindNo.SHIPMENT_RESERVE: "shipment.reserve",
    KindNo.SHIPMENT_DISPATCH: "shipment.dispatch",
    KindNo.SHIPMENT_RECEIVE: "shipment.receive",
    KindNo.SHIPMENT_CANCEL: "shipment.cancel",
}
"""The names of a shipment's records."""


def _shipment(
    ledger: Ledger,
    head: shipments.ShipmentHead,
    names: Mapping[bytes, str],
    own: set[bytes],
    now_ms: int,
) -> ShipmentLine:
    moving = shipments.on_the_way(ledger.store, head.shipment)
    ways = {(way.item, way.lot): way.units for way in moving}
    ours = "out" if head.donor in own else "in" if head.to_store in own else ""
    lapsed = expired(head.state, head.until_ms, now_ms)
    times = (
        head.requested_ms, head.approved_ms, head.reserved_ms, head.sent_ms, head.received_ms,
        head.cancelled_ms,
    )  # fmt: skip
    return ShipmentLine(
        shipment=str(DocId(head.shipment)),
        state=EXPIRED if lapsed else head.state,
        donor=str(SiteId(head.donor)) if head.donor else "",
        donor_name=names.get(head.donor or b"", ""),
        to=str(SiteId(head.to_store)) if head.to_store else "",
        to_name=names.get(head.to_store or b"", ""),
        ours=ours,
        until_ms=head.until_ms,
        at_ms=max((at for at in times if at is not None), default=0),
        carrier=head.carrier,
        text=head.text,
        unsettled=head.unsettled,
        parts=tuple(
            ShipmentPart(
                item=part.item,
                lot=part.lot,
                expiry_day=part.expiry_day,
                wanted=part.wanted,
                approved=part.approved,
                reserved=0 if lapsed else part.reserved,
                sent=part.sent,
                arrived=part.arrived,
                missing=part.missing,
                transit=ways.get((part.item, part.lot), 0),
                why=part.why,
                vvm=part.vvm,
            )
            for part in shipments.parts(ledger.store, head.shipment)
        ),
        since_ms=min((way.since_ms for way in moving if way.units > 0), default=None),
    )


def recalled(node: Node, now: Now, args: Mapping[str, Any]) -> Recalls:
    """Return the recalls that hold, and what every store answers.

    Raises:
        InputError: `bad_line`, `sealed_here`.
    """
    ledger = _open(node)
    found = recalls.recalls(ledger.store, _number(args, "limit", recalls.RECALLS_MAX))
    names, authors = _names(ledger), Authors(ledger).of_entries(each.entry for each in found)
    ways, own = shipments.on_the_way(ledger.store), supplydesk.ours(ledger, now.wall_ms)
    return Recalls(
        tuple(
            RecallLine(
                recall=str(DocId(each.recall)),
                fact=str(FactRef(EntryPrefix(each.prefix), each.idx)),
                item=each.item,
                lot=each.lot,
                level=each.level,
                why=each.why,
                issuer=each.issuer,
                text=each.text,
                at_ms=each.at_ms,
                author=clean_text(authors[each.entry].label),
                transit=sum(w.units for w in ways if (w.item, w.lot) == (each.item, each.lot)),
                patients=len({w.patient for w in recalls.recipients(ledger, each.item, each.lot)}),
                stores=tuple(
                    StoreAnswer(
                        store=str(SiteId(said.store)),
                        name=names.get(said.store, ""),
                        low=said.low,
                        high=said.high,
                        quarantined=said.quarantined,
                        received=said.received,
                        gave=said.gave,
                        sent=said.sent,
                        lost=said.lost,
                        at_ms=said.last_ms,
                        ours=said.store in own,
                    )
                    for said in recalls.answers(ledger.store, each.item, each.lot)
                ),
            )
            for each in found
        ),
        supplydesk.item_words(stores.catalogue(ledger), (each.item for each in found)),
    )


def patients(
    node: Node, now: Now, args: Mapping[str, Any], *, session: int = 0
) -> tuple[Recipients, Sequence[Effect]]:
    """Return who received of a lot, once other teams' patients stand in the audit trail.

    Raises:
        InputError: `bad_line`, `sealed_here`, `too_long`; `other_team`, with the organisations,
            where patients of others are among them and no reason is given.
        LedgerError: The trail could not be written; nobody is named then.
    """
    ledger, why = _open(node), args.get("reason", "")
    item, lot = _text(args, "item"), lot_text(_text(args, "lot"), "args.lot")
    if not isinstance(why, str):
        raise InputError("bad_line", field="args.reason")
    if len(why) > REASON_CHARS_MAX - len(RECALL):
        raise InputError("too_long", field="reason", limit=REASON_CHARS_MAX - len(RECALL))
    found = recalls.recipients(ledger, item, lot)
    limit = _number(args, "limit", recalls.RECIPIENTS_MAX)
    shown = found[:limit]
    others = abroad.others(ledger, [PatientId(each.patient) for each in shown])
    effects: Sequence[Effect] = ()
    if others:
        if not why.strip():
            raise InputError("other_team", field="reason", teams=_teams(ledger, others))
        reason = f"{RECALL}{why.strip()}"
        said = event(now, What.READ_OUTSIDE_TEAM, session=session, reason=reason, count=len(others))
        effects = node.audit([said], now)
    lines = tuple(_recipient(ledger, each) for each in shown)
    return Recipients(len(found), lines), effects


RECALL = "recall: "
"""What the trail's reason begins with."""
TEAMS_ASKED = 20
"""Patients whose organisations are looked up: enough to name them."""


def _teams(ledger: Ledger, others: Iterable[PatientId]) -> tuple[str, ...]:
    some = sorted(others, key=bytes)[:TEAMS_ASKED]
    return tuple(sorted({clean_text(o) for one in some for o in audit.other_team(ledger, one)}))


def _recipient(ledger: Ledger, each: recalls.Recipient) -> RecipientLine:
    row = reading.patient(ledger, PatientId(each.patient))
    return RecipientLine(
        patient=str(PatientId(each.patient)),
        code=clean_text(row.code) if row else "",
        name=clean_text(row.name) if row else "",
        how=each.how,
        units=each.units,
        at_ms=each.at_ms,
    )


def cold(node: Node, now: Now, args: Mapping[str, Any]) -> ColdUnits:
    """Return cold-chain units with their episodes, and the lots that those that alarm may harm.

    Raises:
        InputError: `bad_id`, `bad_line`, `sealed_here`.
    """
    ledger = _open(node)
    asked, names = _store(args), _names(ledger)
    found = coldunits.units(ledger, None if asked is None else bytes(asked))
    pack = coldunits.coldchain(ledger)
    lines = tuple(_unit(ledger, unit, names) for unit in found)
    codes = {lot.item for each in lines for one in each.episodes for lot in one.lots}
    limits = tuple(
        LimitLine(
            each.id, limit.id, limit.beyond == "below", limit.celsius, limit.minutes, limit.days,
            clean_text(limit.source or pack.pack.source), limit.status or pack.pack.status,
        )
        for each in pack.classes
        for limit in each.limit
    )  # fmt: skip
    title = clean_text(f"{pack.pack.name} {pack.pack.version}")
    words = supplydesk.item_words(stores.catalogue(ledger), codes)
    return ColdUnits(pack.pack.approved, lines, limits, title, words)


def _unit(ledger: Ledger, unit: coldunits.Unit, names: Mapping[bytes, str]) -> ColdUnit:
    return ColdUnit(
        unit_id=str(DocId(unit.unit_id)),
        store=str(SiteId(unit.store)),
        store_name=names.get(unit.store, ""),
        unit=unit.unit,
        cold=unit.cold,
        newest_ms=unit.newest.minute * MINUTE_MS,
        newest_tenths=unit.newest.tenths,
        low_tenths=unit.low_tenths,
        high_tenths=unit.high_tenths,
        readings=unit.readings,
        episodes=tuple(
            EpisodeLine(
                limit=each.limit.id,
                freezing=each.freezing,
                celsius=each.limit.celsius,
                since_ms=each.since_min * MINUTE_MS,
                until_ms=each.until_min * MINUTE_MS,
                minutes=each.minutes,
                worst_tenths=each.worst_tenths,
                ongoing=each.ongoing,
                alarms=each.alarms,
                status=each.status,
                lots=tuple(
                    LotLine(*lot)
                    for lot in (coldunits.affected(ledger, unit, each) if each.alarms else ())
                ),
            )
            for each in _shown(unit.episodes)
        ),
    )


def _shown(found: Sequence[Episode]) -> list[Episode]:
    """Return at most `EPISODES_MAX`, in order of time: those that alarm before newer short ones."""
    by_worth = sorted(found, key=lambda each: (each.alarms, each.until_min), reverse=True)
    kept = set(by_worth[:EPISODES_MAX])
    return [each for each in found if each in kept]


def known(node: Node, now: Now, args: Mapping[str, Any]) -> list[tuple[int, int]]:
    """Return the readings of a unit that are here: args store, unit; (minute, tenths) each.

    Raises:
        InputError: `missing_field`, `not_found` for a site that is not known, `sealed_here`.
    """
    ledger, store = _open(node), _store(args)
    if store is None:
        raise InputError("missing_field", field="store")
    if store not in BookView(ledger, now.wall_ms).sites():
        raise InputError("not_found", field="store")
    subject = cold_subject(bytes(store), _text(args, "unit"))
    found = sorted(coldunits.known(ledger.store, bytes(subject)))
    return [(each.minute, each.tenths) for each in found]


READS: dict[str, Reader] = supplydesk.READS | {
    "shipments": listed,
    "recalls": recalled,
    "cold_units": cold,
    "cold_known": known,
}
DEEDS: dict[str, Doer] = {"recall_patients": patients}
"""What names patients: it stands in the trail before it is told."""


def _open(node: Node) -> Ledger:
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    return node.ledger


def _names(ledger: Ledger) -> dict[bytes, str]:
    found = ledger.store.all("SELECT id, name FROM site WHERE replaced < 2")
    return {bytes(site): clean_text(name) for site, name in found}


def _store(args: Mapping[str, Any]) -> SiteId | None:
    text = args.get("store")
    if text is None or text == "":
        return None
    if not isinstance(text, str):
        raise InputError("bad_line", field="args.store")
    return SiteId.parse(text)


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _number(args: Mapping[str, Any], name: str, missing: int) -> int:
    value = args.get(name, missing)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("bad_line", field=f"args.{name}")
    return min(value, missing)
