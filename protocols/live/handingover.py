"""The answers to `offers` and `handing`: who is offered to whom, and what an offer begins from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.vocabulary import fold
from protocols.ids import DeviceId, EntryPrefix, FactRef, PatientId, SiteId
from protocols.ledger import reading
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.ledger.summaries import summary
from protocols.ledger.view import BookView
from protocols.live.answers import board_line
from protocols.live.disputing import Opened, patient_row
from protocols.live.handing import Handing, OfferLine, Offers, PartyLine
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.transfer import PARTS

OFFERS_MAX = 100
"""Offers of one answer."""
PARTIES_MAX = 100
"""Of each kind that can be chosen."""
LINES_MAX = 8
"""Lines of the chart that one part is suggested from."""
SUGGESTED_CHARS_MAX = 300

_OPEN = (
    "SELECT t.entry, t.idx, t.patient, t.to_kind, t.to_id, t.to_name, t.sender, t.at_ms, e.hash,"
    " f.device, " + ", ".join(f"t.{part}" for part in (*PARTS, "transport")) + " FROM transfer t"
    " JOIN entry e ON e.arrival = t.entry JOIN feed f ON f.no = e.feed"
    " WHERE t.state = 'open' AND t.standing = 0"
)
_PROCEDURES = (
    "SELECT code, text FROM procedure WHERE patient = ? AND standing = 0 AND replaced = 0"
    " ORDER BY at_ms DESC, entry DESC LIMIT ?"
)


def offers(node: Node, now: Now, args: Mapping[str, Any]) -> Offers:
    """Return the offers that stand, those to us first.

    Raises:
        InputError: `bad_line`, `sealed_here`.
    """
    limit = args.get("limit", OFFERS_MAX)
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
        raise InputError("bad_line", field="args.limit")
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    found = _lines(node, now, node.ledger.store.all(f"{_OPEN} ORDER BY t.at_ms DESC, e.hash"))
    found.sort(key=lambda line: not line.to_us)
    to_us = sum(line.to_us for line in found)
    return Offers(len(found), to_us, tuple(found[: min(limit, OFFERS_MAX)]))


def handing(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> Handing:
    """Return whom a patient can be offered to, and what the chart has in words.

    Raises:
        InputError: As `disputing.disputes`.
    """
    row = patient_row(node, args, opened)
    patient = PatientId(row.id)
    standing = node.ledger.store.all(f"{_OPEN} AND t.patient = ? ORDER BY t.at_ms DESC", (row.id,))
    return Handing(
        board_line(row, now.wall_ms),
        tuple(_parties(node.ledger)),
        _suggested(node.ledger, patient, now.wall_ms),
        tuple(_lines(node, now, standing)),
    )


READS: dict[str, Reader] = {"offers": offers}
OF_PATIENT: dict[str, Callable[..., object]] = {"handing": handing}
"""What shows one patient: another team's only once a reason was given."""


def _lines(node: Node, now: Now, found: Sequence[Sequence[Any]]) -> list[OfferLine]:
    ledger = node.ledger
    view, authors = BookView(ledger, now.wall_ms), Authors(ledger)
    written = authors.of_entries(row[0] for row in found)
    lines = []
    for entry, idx, patient, kind, to_id, to_name, sender, at_ms, digest, device, *parts in found:
        row = reading.patient(ledger, patient)
        if row is None:
            continue
        here = bytes(device) == bytes(view.device)
        to_us = not here and _is_here(view, kind, bytes(to_id or b""), to_name)
        pairs = zip((*PARTS, "transport"), parts, strict=True)
        lines.append(
            OfferLine(
                offer=str(FactRef(EntryPrefix(digest[:16]), idx)),
                head=board_line(row, now.wall_ms),
                to=to_name or _named(ledger, kind, bytes(to_id or b"")),
                sender=clean_text(sender),
                to_us=to_us,
                from_here=here,
                at_ms=at_ms,
                author=clean_text(written[entry].label),
                device=clean_text(written[entry].device_name),
                said=tuple((name, text) for name, text in pairs if text) if to_us or here else (),
            )
        )
    return lines


def _is_here(view: BookView, kind: str, to_id: bytes, to_name: str) -> bool:
    if kind == "device":
        return to_id == bytes(view.device)
    if kind == "site":
        return view.home_site is not None and to_id == bytes(view.home_site)
    return bool(fold(to_name)) and fold(to_name) == fold(view.organisation)


def _named(ledger: Ledger, kind: str, to_id: bytes) -> str:
    if kind == "device" and len(to_id) == DeviceId.SIZE:
        return clean_text(ledger.authority.name_of(DeviceId(to_id)))
    return str(SiteId(to_id)) if len(to_id) == SiteId.SIZE else "?"


def _parties(ledger: Ledger) -> list[PartyLine]:
    """Return organisations, sites and devices, each by name; never this device itself."""
    roster, here = ledger.authority.roster, ledger.authority.device
    members = [roster.device(each) for each in roster.members() if each != here]
    known = [member for member in members if member is not None]
    organisations = sorted({clean_text(member.org) for member in known if member.org})
    sites = sorted(
        (clean_text(name), str(SiteId(site)))
        for site, name in ledger.store.all("SELECT id, name FROM site WHERE replaced < 2")
    )
    devices = sorted(
        (clean_text(ledger.authority.name_of(each)), str(each), clean_text(member.org))
        for each in roster.members()
        if each != here and (member := roster.device(each)) is not None
    )
    return [
        *(PartyLine("organisation", org, org) for org in organisations[:PARTIES_MAX]),
        *(PartyLine("site", site, name) for name, site in sites[:PARTIES_MAX]),
        *(PartyLine("device", device, name, org) for name, device, org in devices[:PARTIES_MAX]),
    ]


def _suggested(ledger: Ledger, patient: PatientId, now_ms: int) -> dict[str, str]:
    """Return what the chart says in words: nothing that was measured (SAFETY 4)."""
    said = summary(ledger, patient, now_ms, age="")
    done = [text or code for code, text in ledger.store.all(_PROCEDURES, (patient, LINES_MAX))]
    problems = "; ".join(said.problems[:LINES_MAX])
    treated = "; ".join((*done, *said.medicines[:LINES_MAX]))
    found = {
        "injuries": problems,
        "treatment": treated,
        "situation": problems,
        "background": "; ".join(said.allergies[:LINES_MAX]),
    }
    return {part: clean_text(text, SUGGESTED_CHARS_MAX) for part, text in found.items() if text}
