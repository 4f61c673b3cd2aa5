"""Calls of the local socket about releases: orders, files, and what was shown to whom."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.ids import EntryHash
from protocols.ledger import releasing
from protocols.ledger.releasing import PURPOSES, Shown, Wish
from protocols.ledger.safefile import disk_trouble
from protocols.live.audited import event
from protocols.live.charters import write_file
from protocols.live.crossing import ReleaseLine
from protocols.live.erasing import Doer, Reader, named_documents
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.audit import What


class ReleaseOrderLine(msgspec.Struct, frozen=True):
    """`release_request`, `release_approve`, `release_show`: what an order would release."""

    order: str
    """The file, base64."""
    releases: tuple[ReleaseLine, ...]
    left: int = 0
    """Of a request: documents about the patients that stay at home, counts among them."""


def request(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Ask for a release: `patients`, `documents`, `to` (organisations), `purpose`, `basis`."""
    purpose, basis, to = args.get("purpose"), args.get("basis"), args.get("to")
    if purpose not in PURPOSES:
        raise InputError("bad_value", field="purpose", allowed=tuple(PURPOSES))
    names = [str(each) for each in to] if isinstance(to, list) else []
    documents = named_documents(node, now, args).documents
    wish = Wish(documents, tuple(names), PURPOSES[str(purpose)], str(basis or ""))
    fresh = now.entropy(64 * releasing.RELEASES_MAX)
    order = _order(node, releasing.request(node.ledger, wish, fresh))
    going = {document for each in order.releases for document in each.documents}
    return msgspec.structs.replace(order, left=len({*map(str, documents)} - going))


def show(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Say what an `order` would release."""
    return _order(node, _raw(args))


def approve(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Sign an `order` as the second coordinator."""
    return _order(node, releasing.approve(node.ledger, _raw(args)))


def apply(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Write an approved `order`; return the releases it became."""
    written = releasing.apply(node.ledger, _raw(args), now.wall_ms)
    noted = [
        effect
        for each in written
        for effect in node.note(event(now, What.RELEASE, document=bytes(each.entry.hash)), now)
    ]
    names = {str(each.entry.hash) for each in written}
    lines = [line for line in _lines(node) if line.id in names]
    return lines, [*noted, *node.wrote_control(now)]


def export(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Write a file of `releases` (ids) to `target`; it is in the audit trail."""
    said = args.get("releases")
    entries = [EntryHash.parse(str(each)) for each in said] if isinstance(said, list) else []
    raw = releasing.export(node.ledger, entries)
    effects = [
        effect
        for entry in entries
        for effect in node.audit([event(now, What.RELEASE, document=bytes(entry))], now)
    ]
    write_file(Path(_text(args, "target")), raw)
    return len(raw), effects


def write_card(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Write the file `target` that makes our devices known to who never met them."""
    write_file(Path(_text(args, "target")), releasing.card(node.ledger))
    return True


def take_card(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Take such a file from `source`."""
    with disk_trouble(), Path(_text(args, "source")).open("rb") as file:
        raw = file.read(releasing.FILE_BYTES_MAX + 1)
    releasing.take_card(node.ledger, raw, now.wall_ms)
    return True, node.wrote_control(now)


def take(node: Node, now: Now, args: Mapping[str, Any]) -> tuple[object, Sequence[Effect]]:
    """Take a release file from `source`; return how many entries it brought."""
    with disk_trouble(), Path(_text(args, "source")).open("rb") as file:
        raw = file.read(releasing.FILE_BYTES_MAX + 1)
    return releasing.import_file(node.ledger, raw, now.wall_ms), ()


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> object:
    """Every release: what, to whom, when, on which basis, by whom approved."""
    return _lines(node)


READS: dict[str, Reader] = {
    "releases": listed,
    "release_request": request,
    "release_show": show,
    "release_approve": approve,
    "release_card": write_card,
}
DEEDS: dict[str, Doer] = {
    "release_apply": apply,
    "release_export": export,
    "release_import": take,
    "release_meet": take_card,
}


def _order(node: Node, raw: bytes) -> ReleaseOrderLine:
    order = releasing.read(node.ledger, raw)
    lines = tuple(_line(node, each) for each in releasing.ordered(node.ledger, order))
    return ReleaseOrderLine(base64.b64encode(raw).decode(), lines)


def _lines(node: Node) -> list[ReleaseLine]:
    return [_line(node, each) for each in releasing.shown(node.ledger)]


def _line(node: Node, shown: Shown) -> ReleaseLine:
    names = node.ledger.authority.name_of
    words = {number: word for word, number in PURPOSES.items()}
    approver = shown.approver
    return ReleaseLine(
        str(shown.release) if shown.release else "",
        shown.scope,
        tuple(map(str, shown.documents)),
        shown.recipients,
        words.get(shown.purpose, f"#{shown.purpose}"),
        shown.basis,
        names(shown.author) or str(shown.author),
        (names(approver) or str(approver)) if approver else "",
        shown.written_ms,
        shown.counts,
        shown.devices,
        shown.open_here,
    )


def _raw(args: Mapping[str, Any]) -> bytes:
    try:
        return base64.b64decode(_text(args, "order"), validate=True)
    except binascii.Error:
        raise InputError("not_a_release_order", field="file") from None


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value
