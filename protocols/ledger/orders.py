"""Orders to erase: asked for by one coordinator, signed by a second, written by the first.

The order travels between the two as a file. It names entries and documents by their ids, never
anybody by name; what they are, each of the two reads in the own book before signing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from protocols.errors import InputError, PeerError
from protocols.ids import DeviceId, DocId, EntryHash, PatientId, ScopeId
from protocols.ledger import about
from protocols.ledger.book import Ledger
from protocols.ledger.writing import Written
from protocols.trust.certificates import Rank
from protocols.trust.control import DOCUMENTS_MAX, ERASED_MAX, Erase, Hold
from protocols.trust.erasure import approval_holds, approve_erase
from protocols.trust.statements import Key32, pack, unpack

MAGIC = b"fieldmesh erase order 1\n"
ERASES_MAX = 256
"""In one file: a patient has a document or a few for each encounter."""
ORDER_BYTES_MAX = 640 * 1024
"""Some 20,000 entries; written out it still fits one line of the local socket."""
REASONS = {"asked": 1, "law": 2, "time-over": 3, "mistake": 4}
"""Why: the person asked for it, a law or court did, it need not be kept longer, it is wrong."""


class EraseOrder(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a file of an order holds."""

    operation: Key32
    author: Key32
    """The device that asked, and that will write the records."""
    erases: Annotated[tuple[Erase, ...], Meta(min_length=1, max_length=ERASES_MAX)]


@dataclass(frozen=True, slots=True)
class Meant:
    """What an order would erase, as this book knows it."""

    patients: tuple[tuple[str, str], ...]
    """Id and short code of each patient it is about; '' for what is known of nobody here."""
    documents: int
    entries: int
    unknown: int
    """Entries that are not in this book."""
    held: int
    """Entries that a legal hold keeps."""
    first_ms: int | None
    last_ms: int | None
    reason: int
    author: DeviceId
    approver: DeviceId | None
    """None before somebody signed."""
    holders: tuple[DeviceId, ...]
    """Devices that have to confirm it."""
    needs_issuer: bool
    """Whether neither of the two has an issuer's rank: then it would not count."""
    issuers: tuple[DeviceId, ...]
    """Who could give the signature that it then needs, as far as is known here."""


class Progress(NamedTuple):
    """How far one erase has come."""

    erase: EntryHash
    author: DeviceId
    approver: DeviceId
    written_ms: int
    reason: int
    documents: tuple[DocId, ...]
    entries: int
    counts: bool
    """Whether two who may erase in a scope stand behind it."""
    held: int
    """Entries that a legal hold keeps here."""
    confirmed: tuple[tuple[DeviceId, int], ...]
    """Who said it is done there, and when."""
    missing: tuple[tuple[DeviceId, int], ...]
    """Who has not, and when that device was last linked here; 0 = never."""


# Asking, approving, writing


def late_documents(ledger: Ledger) -> dict[DocId, list[bytes]]:
    """What came after an erase to what it named: documents with the entries still to go."""
    late: dict[DocId, list[bytes]] = {}
    for entry, document in ledger.eraser.late().items():
        late.setdefault(document, []).append(bytes(entry))
    erased = list(ledger.authority.erasures.documents())
    beside = (each for each in about.beside_erased(ledger, erased) if each not in erased)
    for document in (*ledger.eraser.about_erased(), *beside):
        late[document] = sorted({*late.get(document, ()), *_entries_of(ledger, document)})
    return late


def request(
    ledger: Ledger, documents: Sequence[DocId], reason: int, *, late: bool = False
) -> bytes:
    """Return the file that asks a second coordinator to sign an erase of whole documents.

    Args:
        late: Also whatever came late to documents that are erased already.

    Raises:
        InputError: `may_not_erase` when this device coordinates not all of them,
            `nothing_to_erase`, `too_many`.
    """
    authority = ledger.authority
    wanted = {document: _entries_of(ledger, document) for document in documents}
    if late:
        wanted |= {
            document: entries
            for document, entries in late_documents(ledger).items()
            if _coordinates(ledger, entries, authority.device)
        }
    wanted = {document: entries for document, entries in wanted.items() if entries}
    if not wanted:
        raise InputError("nothing_to_erase")
    for entries in wanted.values():
        _must_coordinate(ledger, entries, authority.device)
    erases = tuple(
        Erase(
            tuple(entries[at : at + ERASED_MAX]), (bytes(document),), reason, bytes(32), bytes(64)
        )
        for document, entries in sorted(wanted.items())
        for at in range(0, len(entries), ERASED_MAX)
    )
    if len(erases) > ERASES_MAX:
        raise InputError("too_many", limit=ERASES_MAX)
    return _packed(EraseOrder(bytes(authority.operation), bytes(authority.device), erases))


def approve(ledger: Ledger, raw: bytes) -> bytes:
    """Return the same order with this device's signature as the second.

    Raises:
        InputError: `order_own` on the device that asked, `may_not_erase`, `erase_rank` when
            neither of the two has an issuer's rank, and as `read`.
    """
    authority, order = ledger.authority, read(ledger, raw)
    author = DeviceId(order.author)
    if author == authority.device:
        raise InputError("order_own")
    for erase in order.erases:
        _must_coordinate(ledger, erase.entries, authority.device)
        _must_decide(ledger, erase.entries, author, authority.device)
    signed = (
        approve_erase(erase, authority.operation, author, authority.keys) for erase in order.erases
    )
    return _packed(EraseOrder(order.operation, order.author, tuple(signed)))


def apply(ledger: Ledger, raw: bytes, wall_ms: int) -> list[Written]:
    """Write an approved order into this device's feed: from here on it is carried out.

    Raises:
        InputError: `order_not_own` on another device than the one that asked, `order_unsigned`,
            `order_approver` when whoever signed is no coordinator or is sealed, `may_not_erase`,
            `erase_rank`.
    """
    authority, order = ledger.authority, read(ledger, raw)
    if order.author != bytes(authority.device):
        raise InputError("order_not_own")
    for erase in order.erases:
        if not any(erase.approver):
            raise InputError("order_unsigned")
        if not approval_holds(erase, authority.operation, authority.device):
            raise InputError("order_approver")
        _must_coordinate(ledger, erase.entries, authority.device)
        _must_coordinate(ledger, erase.entries, DeviceId(erase.approver), "order_approver")
        _must_decide(ledger, erase.entries, authority.device, DeviceId(erase.approver))
    with ledger.atomic():
        return [ledger.write_control(erase, wall_ms) for erase in order.erases]


def read(ledger: Ledger, raw: bytes) -> EraseOrder:
    """Read the file of an order.

    Raises:
        InputError: `not_an_order`, `order_elsewhere` when it is of another operation.
    """
    if len(raw) > ORDER_BYTES_MAX or not raw.startswith(MAGIC):
        raise InputError("not_an_order", field="file")
    try:
        order = unpack(EraseOrder, raw[len(MAGIC) :])
    except PeerError:
        raise InputError("not_an_order", field="file") from None
    if order.operation != bytes(ledger.authority.operation):
        raise InputError("order_elsewhere", field="file")
    for erase in order.erases:
        for listed in (erase.entries, erase.documents):
            if list(listed) != sorted(set(listed)):
                raise InputError("not_an_order", field="file")
    return order


def hold(ledger: Ledger, documents: Sequence[DocId], wall_ms: int) -> list[Written]:
    """Keep documents from being erased until it is lifted.

    Raises:
        InputError: `may_not_hold`, `nothing_to_hold`.
    """
    if not documents:
        raise InputError("nothing_to_hold")
    for document in documents:
        entries = _entries_of(ledger, document)
        _must_coordinate(ledger, entries, ledger.authority.device, "may_not_hold")
    names = sorted(bytes(document) for document in documents)
    with ledger.atomic():
        return [
            ledger.write_control(Hold(tuple(names[at : at + DOCUMENTS_MAX]), ()), wall_ms)
            for at in range(0, len(names), DOCUMENTS_MAX)
        ]


def unhold(ledger: Ledger, entry: EntryHash, wall_ms: int) -> Written:
    """Lift a hold.

    Raises:
        InputError: `unknown_hold`, `may_not_hold`.
    """
    authority = ledger.authority
    held = {each for scope in _scopes(ledger) for each in _holds(ledger, scope)}
    if entry not in held:
        raise InputError("unknown_hold", field="hold")
    mine = [s for s in _scopes(ledger) if authority.roster.may_rotate(authority.device, s)]
    if not any(entry in _holds(ledger, scope) for scope in mine):
        raise InputError("may_not_hold")
    with ledger.atomic():
        return ledger.write_control(Hold((), (), bytes(entry)), wall_ms)


# Looking


def meant(ledger: Ledger, order: EraseOrder) -> Meant:
    """Say what an order would erase, as far as this book knows it."""
    named = [entry for erase in order.erases for entry in erase.entries]
    known = _known(ledger, named)
    clocks = [clock >> 16 for clock, *_ in known.values()]
    subjects = {(subject, code) for *_, subject, code in known.values() if subject is not None}
    patients = {(str(PatientId(subject)), code or "") for subject, code in subjects}
    approver = order.erases[0].approver
    scopes = {scope for _, scope, *_ in known.values()}
    two = [DeviceId(order.author), *([DeviceId(approver)] if any(approver) else ())]
    return Meant(
        tuple(sorted(patients)),
        len({document for erase in order.erases for document in erase.documents}),
        len(named),
        len(named) - len(known),
        sum(_is_held(ledger, erase, name) for erase in order.erases for name in erase.entries),
        min(clocks, default=None),
        max(clocks, default=None),
        order.erases[0].reason,
        DeviceId(order.author),
        DeviceId(approver) if any(approver) else None,
        tuple(sorted(_awaited(ledger, scopes, order.erases))),
        not _decides(ledger, named, *two),
        tuple(each for each in ledger.authority.member_devices() if _decides(ledger, named, each)),
    )


def holders(ledger: Ledger, scope: ScopeId) -> list[DeviceId]:
    """Devices that may hold a scope, sealed ones too: what they took they may have still."""
    roster = ledger.authority.roster
    members = ((each, roster.device(each)) for each in ledger.authority.member_devices())
    return [
        device
        for device, member in members
        if roster.may_hold(device, scope) or (member is not None and member.sealed)
    ]


def progress(ledger: Ledger) -> list[Progress]:
    """How far every erase has come, the newest first."""
    erasures = ledger.authority.erasures
    found = [_progress(ledger, entry) for entry in erasures.erases()]
    return sorted(found, key=lambda each: (-each.written_ms, each.erase))


def holds(ledger: Ledger) -> list[tuple[EntryHash, Hold]]:
    """Holds that stand and are not lifted."""
    erasures = ledger.authority.erasures
    entries = {entry for scope in _scopes(ledger) for entry in _holds(ledger, scope)}
    return [(entry, held) for entry in sorted(entries) if (held := erasures.hold(entry))]


def _progress(ledger: Ledger, entry: EntryHash) -> Progress:
    erasures = ledger.authority.erasures
    ordered = erasures.erase(entry)
    assert ordered is not None
    record, scopes = ordered.record, ledger.eraser.scopes_of(entry)
    said: dict[DeviceId, int] = {}
    for each in erasures.confirmed(entry):
        said[each.device] = max(said.get(each.device, 0), written_ms(ledger, each.entry))
    awaited = _awaited(ledger, scopes, (record,)) - said.keys()
    peers = ledger.peers.all
    last = {device: peers[device].last_contact_ms if device in peers else 0 for device in awaited}
    return Progress(
        entry,
        ordered.place.author,
        DeviceId(record.approver),
        written_ms(ledger, entry),
        record.reason,
        tuple(map(DocId, record.documents)),
        len(record.entries),
        bool(scopes),
        sum(_is_held(ledger, record, name) for name in record.entries),
        tuple(sorted(said.items())),
        tuple(sorted(last.items())),
    )


def _awaited(ledger: Ledger, scopes: Collection[ScopeId], erases: Sequence[Erase]) -> set[DeviceId]:
    """Who may have it: who may hold the scopes, and the organisations it was released to."""
    roster, releases = ledger.authority.roster, ledger.authority.releases
    charter = roster.charter
    documents = {document for erase in erases for document in erase.documents}
    roots = {
        root
        for entry in releases.all()
        if releases.counts(entry, roster)
        and not documents.isdisjoint(releases.release(entry).record.documents)
        for root in releases.release(entry).record.recipients
    }
    orgs = {org.name for org in (charter.orgs if charter else ()) if org.root in roots}
    members = ((each, roster.device(each)) for each in ledger.authority.member_devices())
    shown = {device for device, member in members if member is not None and member.org in orgs}
    return shown.union(*(holders(ledger, scope) for scope in scopes))


def _is_held(ledger: Ledger, erase: Erase, name: bytes) -> bool:
    documents = {*erase.documents, name[:16]}
    return any(
        name in held.entries or not documents.isdisjoint(held.documents)
        for _, held in holds(ledger)
    )


def _scopes(ledger: Ledger) -> list[ScopeId]:
    charter = ledger.authority.roster.charter
    return [ScopeId(scope.id) for scope in charter.scopes] if charter else []


def _holds(ledger: Ledger, scope: ScopeId) -> list[EntryHash]:
    return ledger.authority.erasures.holds(scope, ledger.authority.roster)


def written_ms(ledger: Ledger, entry: EntryHash) -> int:
    """When a control entry was written, by its author's clock; 0 where it is not here."""
    arrival = ledger.chain.names.find(entry[:16])
    return ledger.chain.clock_of(arrival) >> 16 if arrival else 0


def _entries_of(ledger: Ledger, document: DocId) -> list[bytes]:
    """Full hashes of the entries of a document, sorted."""
    found = ledger.store.all(
        "SELECT e.hash FROM document d JOIN strand t ON t.doc = d.no"
        " JOIN entry e ON e.arrival = t.entry WHERE d.doc_id = ? ORDER BY 1",
        (bytes(document),),
    )
    return [bytes(digest) for (digest,) in found]


def _known(
    ledger: Ledger, names: Sequence[bytes]
) -> dict[bytes, tuple[int, ScopeId, bytes | None, str | None]]:
    """Return by hash (clock, scope, patient, code) of those entries that are in the book."""
    found = {}
    roster = ledger.authority.roster
    for name in names:
        row = ledger.store.one(
            "SELECT e.clock, e.feed, s.id, p.code FROM entry e LEFT JOIN document d ON d.no = e.doc"
            " LEFT JOIN subject s ON s.no = d.subject AND s.kind = 1"
            " LEFT JOIN patient p ON p.subject = s.no WHERE e.arrival = ? AND e.hash = ?",
            (ledger.chain.names.find(name[:16]), name),
        )
        genesis = ledger.chain.by_no[row[1]].genesis if row else None
        scope = roster.scope_of(ScopeId(genesis.scope), genesis.device) if genesis else None
        if row and scope is not None:
            found[name] = (row[0], scope, row[2], row[3])
    return found


def _must_coordinate(
    ledger: Ledger, names: Sequence[bytes], device: DeviceId, code: str = "may_not_erase"
) -> None:
    """Refuse unless a device coordinates the scope of each of these entries that is known here."""
    if not _coordinates(ledger, names, device):
        raise InputError(code)


def _coordinates(ledger: Ledger, names: Sequence[bytes], device: DeviceId) -> bool:
    roster = ledger.authority.roster
    return all(roster.may_rotate(device, scope) for scope in _scopes_of(ledger, names))


def _must_decide(ledger: Ledger, names: Sequence[bytes], *two: DeviceId) -> None:
    """Refuse unless one of the two has an issuer's rank in each scope of these entries."""
    if not _decides(ledger, names, *two):
        raise InputError("erase_rank")


def _decides(ledger: Ledger, names: Sequence[bytes], *who: DeviceId) -> bool:
    roster = ledger.authority.roster
    return all(
        any(roster.may_rotate(device, scope, Rank.ISSUER) for device in who)
        for scope in _scopes_of(ledger, names)
    )


def _scopes_of(ledger: Ledger, names: Sequence[bytes]) -> set[ScopeId]:
    """Scopes of those entries that are known here; all there are when none is."""
    return {scope for _, scope, *_ in _known(ledger, names).values()} or set(_scopes(ledger))


def _packed(order: EraseOrder) -> bytes:
    return MAGIC + pack(order)
