"""Calls of the local socket about erasing: orders, holds, and how far each erase has come."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import DeviceId, DocId, EntryHash, PatientId
from protocols.ledger import about, orders
from protocols.ledger.view import BookView
from protocols.live.audited import event
from protocols.live.crossing import EraseLine, EraseState, Holder, HoldLine
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.audit import What

PATIENTS_MAX = 50
"""Named in one request."""

Reader = Callable[[Node, Now, Mapping[str, Any]], object]
Doer = Callable[[Node, Now, Mapping[str, Any]], tuple[object, Sequence[Effect]]]


class OrderLine(msgspec.Struct, frozen=True):
    """`erase_request`, `erase_approve`, `erase_show`: what an order would erase."""

    order: str
    """The file, base64."""
    patients: tuple[tuple[str, str], ...]
    """(id, short code) of those known here."""
    documents: int
    entries: int
    unknown: int
    held: int
    first_ms: int | None
    last_ms: int | None
    reason: str
    author: str
    approver: str
    holders: tuple[Holder, ...]
    beyond: int = 0
    """Of a request: documents about the patients in scopes that this device does not coordinate."""
    unread: tuple[str, ...] = ()
    """Of a request for patients: scopes that this device cannot look into."""
    needs_issuer: bool = False
    """Whether a device of issuer's rank has to sign still; `issuers` names those known here."""
    issuers: tuple[str, ...] = ()


def request(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Ask for an erase: `patients` (ids, codes or tags), `documents`, `reason`, `late`."""
    reason = orders.REASONS.get(str(args.get("reason")))
    if reason is None:
        raise InputError("bad_value", field="reason", allowed=tuple(orders.REASONS))
    documents, beyond, unread = named_documents(node, now, args)
    raw = orders.request(node.ledger, documents, reason, late=bool(args.get("late")))
    return msgspec.structs.replace(_order(node, raw), beyond=beyond, unread=unread)


def show(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Say what an `order` would erase."""
    return _order(node, _raw(args))


def approve(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Sign an `order` as the second coordinator."""
    return _order(node, orders.approve(node.ledger, _raw(args)))


def apply(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Write an approved `order`: it is carried out from here on."""
    written = orders.apply(node.ledger, _raw(args), now.wall_ms)
    noted = [
        effect
        for each in written
        for effect in node.note(event(now, What.ERASE, document=bytes(each.entry.hash)), now)
    ]
    node.ledger.catch_up_all()
    return state(node, now, args), [*noted, *node.wrote_control(now)]


def hold(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Keep `patients` or `documents` from being erased."""
    written = orders.hold(node.ledger, named_documents(node, now, args).documents, now.wall_ms)
    noted = [
        effect
        for each in written
        for effect in node.note(event(now, What.HOLD, document=bytes(each.entry.hash)), now)
    ]
    return state(node, now, args), [*noted, *node.wrote_control(now)]


def unhold(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Lift the `hold` of this id."""
    entry = EntryHash.parse(_text(args, "hold"))
    orders.unhold(node.ledger, entry, now.wall_ms)
    noted = node.note(event(now, What.HOLD, document=bytes(entry)), now)
    node.ledger.catch_up_all()
    return state(node, now, args), [*noted, *node.wrote_control(now)]


def state(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Every erase with who confirmed it, every hold, and what came late."""
    ledger = node.ledger
    late = orders.late_documents(ledger)
    return EraseState(
        tuple(_erase(node, each) for each in orders.progress(ledger)),
        tuple(
            HoldLine(
                str(entry),
                len(held.documents),
                len(held.entries),
                orders.written_ms(ledger, entry),
            )
            for entry, held in orders.holds(ledger)
        ),
        sum(map(len, late.values())),
        len(late),
    )


READS: dict[str, Reader] = {
    "erases": state,
    "erase_request": request,
    "erase_show": show,
    "erase_approve": approve,
}
DEEDS: dict[str, Doer] = {"erase_apply": apply, "hold": hold, "unhold": unhold}


def _order(node: Node, raw: bytes) -> OrderLine:
    meant = orders.meant(node.ledger, orders.read(node.ledger, raw))
    names = node.ledger.authority.name_of
    return OrderLine(
        base64.b64encode(raw).decode(),
        meant.patients,
        meant.documents,
        meant.entries,
        meant.unknown,
        meant.held,
        meant.first_ms,
        meant.last_ms,
        reason_word(meant.reason),
        names(meant.author) or str(meant.author),
        (names(meant.approver) or str(meant.approver)) if meant.approver else "",
        tuple(_holder(node, each, 0) for each in meant.holders),
        needs_issuer=meant.needs_issuer,
        issuers=tuple(names(each) or str(each) for each in meant.issuers),
    )


def _erase(node: Node, each: orders.Progress) -> EraseLine:
    names = node.ledger.authority.name_of
    return EraseLine(
        str(each.erase),
        names(each.author) or str(each.author),
        names(each.approver) or str(each.approver),
        each.written_ms,
        reason_word(each.reason),
        tuple(map(str, each.documents)),
        each.entries,
        each.counts,
        each.held,
        tuple(_holder(node, *one) for one in each.confirmed),
        tuple(_holder(node, *one) for one in each.missing),
    )


def reason_word(number: int) -> str:
    """Return why something is erased, as commands spell it."""
    words = {reason: word for word, reason in orders.REASONS.items()}
    return words.get(number, f"#{number}")


def _holder(node: Node, device: DeviceId, at_ms: int) -> Holder:
    return Holder(str(device), node.ledger.authority.name_of(device), at_ms)


def named_documents(node: Node, now: Now, args: Mapping[str, Any]) -> about.Whole:
    """Return the documents of the `patients` and `documents` that are named."""
    said = [*_listed(args, "patients"), *_listed(args, "documents")]
    if len(said) > PATIENTS_MAX:
        raise InputError("too_many", field="patients", limit=PATIENTS_MAX)
    named = {DocId.parse(each) for each in _listed(args, "documents")}
    patients = [_patient(node, now, each) for each in _listed(args, "patients")]
    found = about.whole(node.ledger, patients)
    documents = tuple(sorted(named.union(found.documents)))
    return found._replace(documents=documents, unread=found.unread if patients else ())


def _patient(node: Node, now: Now, said: str) -> PatientId:
    view = BookView(node.ledger, now.wall_ms)
    found = view.patients_named(said) or view.patients_tagged(said)
    if not found:
        raise InputError("not_found", field="patient")
    if len(found) > 1:
        raise InputError("ambiguous", field="patient", allowed=tuple(map(str, found)))
    return found[0]


def _raw(args: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(_text(args, "order"), validate=True)
    except binascii.Error:
        raise InputError("not_an_order", field="file") from None


def _listed(args: Mapping[str, Any], name: str) -> list[str]:
    value = args.get(name) or []
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value
