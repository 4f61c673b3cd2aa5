"""What a running node answers on its local socket: rows of the ledger as the messages of `api`.

Everything here runs on the node's thread and reads rows or facts, never documents.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.feeds.clock import clock_ms
from protocols.ids import DeviceId, DocId, EncounterId, PatientId, SiteId
from protocols.ledger import (
    counting,
    oneperson,
    reading,
    remembered,
    results,
    scales,
    tags,
    watching,
)
from protocols.ledger.apart import kept_by_seals
from protocols.ledger.authors import Author, Authors
from protocols.ledger.book import Ledger
from protocols.ledger.census import in_care
from protocols.ledger.reading import RowLine
from protocols.ledger.safefile import disk_trouble, write_whole
from protocols.live import coded
from protocols.live.aging import age_text, days_known
from protocols.live.api import (
    Asserted,
    Attribute,
    BoardLine,
    BoardPage,
    Chart,
    ChartLine,
    PeerLine,
    SharedTag,
    SyncState,
    Unassigned,
)
from protocols.live.clocks import apart, clock_state
from protocols.live.confirming import stood_by, who_stands_by
from protocols.live.phrases import phrases
from protocols.live.watched import watched
from protocols.mesh.node import Node
from protocols.records import rows as words
from protocols.records.acceptance import of_device
from protocols.records.attributes import BY_NAME, words_of
from protocols.records.catalogue import BY_NAME as KINDS
from protocols.records.codes import CONFIRMABLE, ERRORS, WARNINGS
from protocols.records.counted import CountedRow
from protocols.records.document import DocumentOpen
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.lineschema import schemas
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact
from protocols.records.triage import TriageRow
from protocols.trust.charter import Sensitivity
from protocols.trust.fingerprint import fingerprint, spoken

BOARD_MAX = 200
CHART_MAX = 500
ROWS_MAX = 1000
"""Rows in one answer; the caller comes back with the cursor."""
ROWS_BYTES_MAX = 512 * 1024
"""And this much of them: half of what one line of the socket carries."""

STATUS_KEYS = (
    *("device", "name", "hq", "operation", "epoch", "feeds", "peers", "pending", "waiting"),
    *("void", "quarantined", "forks", "unsettled", "clock", "clock_apart_ms", "at_hq_until"),
    *("own_entries", "unsent", "oldest_unsent", "digest", "restored_from"),
)
"""What `status` answers with, for a folder that nobody opens."""


def search(ledger: Ledger, text: str, limit: int, now_ms: int) -> BoardPage:
    """Patients that hold every word typed, best first."""
    rows = reading.search(ledger, text, min(limit, BOARD_MAX))
    return _found(ledger, rows, now_ms)


def tagged(ledger: Ledger, tag: str, now_ms: int) -> BoardPage:
    """All patients who carry a tag; several is the doubt that a person has to settle."""
    known = tags.carriers(ledger.store, tag.strip())
    rows = [reading.patient(ledger, carrier.patient) for carrier in known]
    return _found(ledger, [row for row in rows if row is not None], now_ms)


def board_line(row: PatientRow, now_ms: int, *, tag_shared: bool = False) -> BoardLine:
    """One patient as a line of the board."""
    return BoardLine(
        patient=str(PatientId(row.id)),
        code=row.code,
        name=row.name,
        tag=row.tag,
        triage=row.triage,
        triage_open=bool(row.triage_open),
        sex=row.sex,
        age=age_text(row, now_ms),
        bed=row.bed,
        waiting_since_ms=row.arrived_ms,
        problem=row.problem,
        unsettled=row.unsettled,
        standing=row.standing,
        tag_shared=tag_shared,
        allergy=row.allergy,
        allergies=row.allergies,
        allergy_open=bool(row.allergy_open),
        custody=row.custody,
        keeper=row.keeper,
        ward=row.ward,
        isolation=row.isolation,
        age_days=days_known(row, now_ms),
        in_care=in_care(row),
    )


def chart(ledger: Ledger, patient: str, offset: int, limit: int, now_ms: int) -> Chart:
    """One patient with the timeline, newest first.

    Raises:
        InputError: `bad_id` or `not_found`.
    """
    wanted = PatientId.parse(patient)
    row = reading.patient(ledger, wanted)
    if row is None:
        raise InputError("not_found", field="patient")
    facts = reading.facts(ledger, wanted)
    history, who = History(wanted, facts), Authors(ledger)
    assigned = reading.assigned_facts(ledger, wanted)
    told = [fact for fact in (*facts, *assigned) if not isinstance(fact.record, DocumentOpen)]
    told.sort(key=lambda fact: (fact.at_ms, fact.order, fact.index), reverse=True)
    page = told[max(offset, 0) : max(offset, 0) + min(limit, CHART_MAX)]
    saved = reading.saved_where(ledger, sorted({fact.entry for fact in page}))
    shared = tags.shared_by(ledger.store, [wanted])
    told_of = watching.watches(ledger, [row], now_ms)
    return Chart(
        head=watched(
            board_line(oneperson.with_allergies(ledger, row), now_ms, tag_shared=bool(shared)),
            told_of[bytes(row.id)],
            chose=scales.choosers(ledger, told_of).get(bytes(row.id)),
        ),
        encounter=str(EncounterId(row.encounter)) if row.encounter else None,
        attributes=tuple(_attribute(ledger, shown, who) for shown in words.attributes(history)),
        lines=coded.worded(
            ledger, page, [_chart_line(ledger, history, fact, saved, who) for fact in page]
        ),
        total=len(told),
        shared_tags=tuple(map(shared_tag, shared)),
        in_care=row.arrived_ms is not None and row.closed_ms is None,
        signed=told_of[bytes(row.id)].approved,
    )


def unassigned(ledger: Ledger, limit: int) -> Unassigned:
    """Results that wait for a patient, the longest first."""
    found = results.waiting(ledger, limit)
    saved = reading.saved_where(
        ledger, sorted({fact.entry for _, facts in found for fact in facts})
    )
    who = Authors(ledger)
    lines = [
        _chart_line(ledger, history, fact, saved, who) for history, facts in found for fact in facts
    ]
    return Unassigned(results.count(ledger.store), tuple(lines))


def sync_state(node: Node, now_ms: int, ahead_ms: int = 0) -> SyncState:
    """How far what is saved here has travelled, and who is linked.

    Args:
        node: The running node.
        now_ms: Wall clock, as far as it is known.
        ahead_ms: How much of that is a person's word; see `Now`.
    """
    ledger = node.ledger
    authority = ledger.authority
    far = reading.travelled(ledger)
    linked = set(node.linked)
    apart_ms = apart(ledger.peers, linked)
    clock = clock_state(now_ms, ahead_ms, apart_ms)
    return SyncState(
        device=str(authority.device),
        name=authority.name_of(authority.device),
        own_entries=far.own_entries,
        on_peers=far.on_peers,
        at_hq_until_ms=far.at_hq_until_ms,
        unsent=far.unsent,
        oldest_unsent_ms=far.oldest_unsent_ms,
        peers=tuple(
            _peer_line(ledger, device, device in linked) for device in sorted(ledger.peers.all)
        ),
        clock=clock,
        ahead_ms=ahead_ms,
        newest_ms=_newest_ms(ledger) if clock in ("stated", "implausible") else None,
        apart_ms=apart_ms,
    )


def _newest_ms(ledger: Ledger) -> int | None:
    """Return when this device wrote last, by its own entries."""
    device = ledger.authority.device
    own = [tip.clock for feed, tip in ledger.chain.heads() if feed.genesis.device == device]
    return clock_ms(max(own)) if own else None


def status(node: Node, now_ms: int, ahead_ms: int = 0) -> dict[str, Any]:
    """The node's state for other programs, with stable keys."""
    ledger = node.ledger
    authority = ledger.authority
    state = sync_state(node, now_ms, ahead_ms)
    aside = reading.set_aside(ledger)
    own = (authority.scope_for(each) for each in Sensitivity)
    digests = {scope: ledger.digest(scope) for scope in own if scope is not None}
    return {
        "device": state.device,
        "name": state.name,
        "hq": authority.is_hq(authority.device),
        "operation": str(authority.operation),
        "epoch": str(authority.epoch),
        "feeds": [_feed_line(ledger, feed, tip) for feed, tip in reading.heads(ledger)],
        "peers": [
            {
                "device": str(device),
                "name": authority.name_of(device),
                "linked": device in set(node.linked),
                # 0 stands in the book for a device known from its entries alone.
                "last_contact": words.iso(peer.last_contact_ms or None),
                "clock_ahead_ms": peer.clock_ahead_ms,
                "they_hold": peer.they_hold,
                "we_hold": peer.we_hold,
                "acknowledged": {
                    str(ledger.chain.by_no[feed].feed_id): seq
                    for feed, seq in sorted(peer.held.items())
                },
            }
            for device, peer in sorted(ledger.peers.all.items())
        ],
        "pending": ledger.behind,
        "waiting": {name: n for name, n in aside.items() if name.startswith("waiting")},
        "void": {name: n for name, n in aside.items() if name.startswith("void")},
        "quarantined": kept_by_seals(ledger),
        "forks": [str(feed.feed_id) for feed in reading.forks(ledger)],
        "unsettled": _unsettled(ledger),
        "clock": state.clock,
        "clock_apart_ms": state.apart_ms,
        "at_hq_until": words.iso(state.at_hq_until_ms),
        "own_entries": state.own_entries,
        "unsent": state.unsent,
        "oldest_unsent": words.iso(state.oldest_unsent_ms),
        "digest": {
            str(scope): {
                "entries": digest.entries.hex(),
                "control": digest.control.hex(),
                "rows": digest.rows.hex() if digest.rows is not None else None,
            }
            for scope, digest in digests.items()
        },
        "restored_from": words.iso(remembered.unmet_ms(ledger)),
    }


def row_json(ledger: Ledger, line: RowLine, author: Author) -> dict[str, Any]:
    """One row for other programs; what the entry and its author add is joined to it."""
    found = words.to_json(line.row)
    own = found.pop("id", None)
    scope = ledger.authority.scope_of(line.feed.genesis.scope) or line.feed.genesis.scope
    if isinstance(line.row, TriageRow):
        found["confirmed_by"] = stood_by(ledger, line.row, line.ref)
    return {
        "id": own or str(line.ref),
        "fact": str(line.ref),
        **found,
        "author": str(line.author),
        "author_name": author.device_name,
        "person": str(author.person) if author.person else None,
        "person_name": author.name or None,
        "profession": author.profession or None,
        "identified": author.identified,
        "recorded_at": words.iso(line.recorded_ms),
        "scope": str(scope),
        "feed": str(line.feed.feed_id),
        "seq": line.seq,
    }


def kinds() -> dict[str, Any]:
    """Return a JSON Schema and an example line for each kind."""
    return {
        name: {"schema": schema, "example": KINDS[name].example}
        for name, schema in schemas().items()
    }


def codes(language: str = "en") -> dict[str, dict[str, str]]:
    """Return the closed list of codes that a program can meet, each with its sentence.

    A line is refused; refused until its `confirm` holds the code; or saved and warned of. A command
    may also have ended.

    Args:
        language: Of the sentences; English where it is none that commands speak.
    """
    ours = phrases(language)
    refused = {**ERRORS, **ours.get("record", {})}
    warned = {**WARNINGS, **ours.get("warned", {})}
    return {
        "refused": {code: refused[code] for code in ERRORS},
        "confirm": {code: warned[code] for code in CONFIRMABLE},
        "warned": {code: warned[code] for code in WARNINGS if code not in CONFIRMABLE},
        "ended": dict(ours["error"]),
    }


def rows_page(ledger: Ledger, table: str, since: int, limit: int) -> dict[str, Any]:
    """A page of rows that changed after a cursor, and the next cursor; empty only at the end.

    Each row carries the cursor that asks for what comes after it.
    """
    rows: list[dict[str, Any]] = []
    cursor, size = since, 0
    found = list(reading.rows(ledger, table, since, min(limit, ROWS_MAX)))
    kept = _at_home(ledger, table, found)
    while found and not kept:
        cursor = found[-1].changed
        found = list(reading.rows(ledger, table, cursor, min(limit, ROWS_MAX)))
        kept = _at_home(ledger, table, found)
    found = kept
    authors = Authors(ledger).of_entries(line.row.entry for line in found)
    for line in found:
        row = {**row_json(ledger, line, authors[line.row.entry]), "cursor": line.changed}
        size += len(msgspec.json.encode(row))
        if rows and size > ROWS_BYTES_MAX:
            break
        rows.append(row)
        cursor = line.changed
    return {"rows": rows, "cursor": cursor}


def _at_home(ledger: Ledger, table: str, found: Sequence[RowLine]) -> list[RowLine]:
    """Leave out each single count of another jurisdiction: those are told as sums, by `counts`."""
    if table != CountedRow.TABLE or not found:
        return list(found)
    away = counting.stays(ledger, {line.row.entry for line in found})
    return [line for line in found if line.row.entry not in away]


def write_documents(documents: Sequence[tuple[DocId, bytes]], target: Path) -> int:
    """Write documents as standard automerge files into a new folder; return how many.

    Raises:
        InputError: `not_found` when there are none, `target_exists`.
        SetupError: `place_closed`, `no_such_place`.
        LedgerError: `disk_full`, `disk_failed`.
    """
    if not documents:
        raise InputError("not_found", field="patient")
    with disk_trouble():
        try:
            target.mkdir(mode=0o700)
        except FileExistsError:
            raise InputError("target_exists", field="to") from None
        for doc, raw in documents:
            write_whole(target / f"{doc}.automerge", raw)
    return len(documents)


def _found(ledger: Ledger, rows: Sequence[PatientRow], now_ms: int) -> BoardPage:
    shared = tags.shared_by(ledger.store, [row.id for row in rows])
    return BoardPage(len(rows), 0, _board_lines(rows, shared, now_ms))


def _board_lines(
    rows: Sequence[PatientRow], shared: Sequence[tags.SharedTag], now_ms: int
) -> tuple[BoardLine, ...]:
    doubted = {bytes(one.patient) for tag in shared for one in tag.carriers}
    return tuple(board_line(row, now_ms, tag_shared=row.id in doubted) for row in rows)


def shared_tag(shared: tags.SharedTag) -> SharedTag:
    """Return one tag on several patients, as terminals take it."""
    return SharedTag(shared.tag, tuple((str(one.patient), one.code) for one in shared.carriers))


def _site_named(ledger: Ledger, text: str) -> str:
    """Return a site's name for its id; any other text as it is."""
    if not text.startswith(SiteId.PREFIX + "_"):
        return text
    try:
        site = SiteId.parse(text)
    except InputError:
        return text
    row = ledger.store.one("SELECT name FROM site WHERE id = ?", (bytes(site),))
    return str(row[0]) if row and row[0] else text


def _attribute(ledger: Ledger, shown: words.Shown, who: Authors) -> Attribute:
    return Attribute(
        shown.name,
        tuple(
            Asserted(
                fact=str(said.fact.ref),
                text=_site_named(ledger, words_of(BY_NAME[shown.name].number, said.value)),
                author=_author(ledger, said.fact, who).label,
                at_ms=said.fact.at_ms,
                recorded_ms=said.fact.clock_ms,
                standing=said.fact.standing,
                device=_author(ledger, said.fact, who).device_name,
            )
            for said in shown.said
        ),
    )


def _chart_line(
    ledger: Ledger, history: History, fact: Fact, saved: dict[int, str], who: Authors
) -> ChartLine:
    author = _author(ledger, fact, who)
    nobodys = fact.kind == KindNo.TRIAGE_RECORD and not author.identified
    by = who_stands_by(history, fact, nobodys=nobodys)
    waits = nobodys or of_device(fact)
    return ChartLine(
        fact=str(fact.ref),
        at_ms=fact.at_ms,
        recorded_ms=fact.clock_ms,
        kind=words.kind_name(fact.kind),
        summary=tuple((key, _site_named(ledger, text)) for key, text in words.summary(fact)),
        author=author.label,
        standing=fact.standing,
        replaced=history.replaced(fact),
        saved=saved.get(fact.entry, "here"),
        device=author.device_name,
        profession=author.profession,
        unknown=author.identified and not author.name,
        unconfirmed=waits and not by,
        confirmed=tuple((_author(ledger, one, who).label, one.at_ms) for one in by),
    )


def _author(ledger: Ledger, fact: Fact, who: Authors) -> Author:
    return who.of(ledger.chain.by_no[fact.author], fact.session)


def _peer_line(ledger: Ledger, device: DeviceId, linked: bool) -> PeerLine:
    peer = ledger.peers.all[device]
    member, print_of = ledger.authority.roster.device(device), fingerprint(device)
    return PeerLine(
        device=str(device),
        name=ledger.authority.name_of(device),
        role="hq" if ledger.authority.is_hq(device) else "node",
        linked=linked,
        last_contact_ms=peer.last_contact_ms or None,
        they_need=_entries_needed(ledger, device) if peer.last_contact_ms else None,
        trusted=member is not None,
        org=member.org if member else "",
        fingerprint=print_of,
        spoken=spoken(print_of),
    )


def _entries_needed(ledger: Ledger, device: DeviceId) -> int:
    """Return how much we hold that a peer is not known to; what it wrote itself is not counted."""
    return sum(
        feed.seq - reading.held_by(ledger, device, feed)
        for feed in ledger.chain.feeds.values()
        if feed.genesis.device != device and not ledger.peers.holds(device, feed)
    )


def _feed_line(ledger: Ledger, feed: Any, tip: Any) -> dict[str, Any]:
    return {
        "feed": str(feed.feed_id),
        "device": str(feed.genesis.device),
        "epoch": str(feed.genesis.epoch),
        "lane": feed.genesis.lane.name.lower(),
        "seq": tip.seq,
        "hash": tip.hash.hex(),
    }


def _unsettled(ledger: Ledger) -> int:
    return _count(ledger, "SELECT count(*) FROM patient WHERE unsettled > 0 AND standing = 0")


def _count(ledger: Ledger, sql: str) -> int:
    row = ledger.store.one(sql)
    return int(row[0]) if row else 0
