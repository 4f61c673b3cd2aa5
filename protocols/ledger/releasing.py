"""Releases: asked for, approved, written, and what another organisation does with one.

Who holds the sealed entries already opens exactly those whose keys came. Who may not hold the scope
takes a file: the feeds they stand in, as headers with only these bodies, so that hash, chain and
signature verify as they do at home.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from protocols.errors import InputError, PeerError
from protocols.feeds.entry import SALT_BYTES, body_key_of
from protocols.feeds.feed import decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, Run, decode_run
from protocols.ids import DeviceId, DocId, EntryHash, PatientId, ScopeId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.ledger.recipients import readers_of, roots_of, that_may_go
from protocols.ledger.writing import Written
from protocols.trust.control import Release
from protocols.trust.release import ENTRIES_MAX, approval_holds, approve_release, make_release
from protocols.trust.statements import Key32, pack, unpack

ORDER_MAGIC = b"fieldmesh release order 1\n"
FILE_MAGIC = b"fieldmesh release 1\n"
CARD_MAGIC = b"fieldmesh release card 1\n"
RELEASES_MAX = 64
RUN_BYTES = 32 * 1024
ORDER_BYTES_MAX = 640 * 1024
FILE_BYTES_MAX = 16 * 1024 * 1024
RUNS_MAX = 20_000
PURPOSES = {"transfer": 1, "referral": 2, "public-health": 3, "family": 4, "legal": 5}
"""Why: the patient goes there, advice is asked, an outbreak, the family is traced, a court."""
BASIS_CHARS_MAX = 200

_Bytes = Annotated[bytes, Meta(min_length=1, max_length=FILE_BYTES_MAX)]


class ReleaseOrder(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a file holds that asks for a release."""

    operation: Key32
    author: Key32
    releases: Annotated[tuple[Release, ...], Meta(min_length=1, max_length=RELEASES_MAX)]


class ReleaseFile(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a file holds that carries a release to whoever may not hold its scope."""

    operation: Key32
    control: Annotated[tuple[_Bytes, ...], Meta(max_length=RUNS_MAX)]
    """Runs of control feeds: by whom everything was written, and who may release."""
    runs: Annotated[tuple[_Bytes, ...], Meta(max_length=RUNS_MAX)]
    """Runs of the feeds concerned: headers, and the bodies that are released."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a coordinator wants shown, and to whom."""

    documents: tuple[DocId, ...]
    recipients: tuple[str, ...]
    """Names of organisations of the charter."""
    purpose: int
    basis: str


class Shown(NamedTuple):
    """One release as it stands in the book, or in an order."""

    release: EntryHash | None
    """None in an order that is not written yet."""
    scope: str
    documents: tuple[DocId, ...]
    recipients: tuple[str, ...]
    purpose: int
    basis: str
    author: DeviceId
    approver: DeviceId | None
    written_ms: int
    counts: bool
    devices: int
    """How many devices it is sealed to."""
    open_here: int
    """Entries that this device opens by it."""


# Asking, approving, writing


def request(ledger: Ledger, wish: Wish, entropy: bytes) -> bytes:
    """Return the file that asks a second coordinator to sign a release.

    Args:
        entropy: 64 fresh random bytes for each of RELEASES_MAX records.

    Raises:
        InputError: `may_not_release`, `nothing_to_release`, `unknown_org`, `no_recipient`,
            `basis_missing`, `too_many`; `release_count` when only counts are named: each is a
            count of one, and a count below five does not leave.

    Of a patient's documents, concerns for safety go only where somebody may read them, and what the
    patient is counted as goes nowhere.
    """
    authority = ledger.authority
    if not 0 < len(wish.basis.strip()) <= BASIS_CHARS_MAX:
        raise InputError("basis_missing", field="basis", limit=BASIS_CHARS_MAX)
    roots = roots_of(ledger, wish.recipients)
    named = [
        (scope, document, keys)
        for document in sorted(set(wish.documents))
        for scope, keys in _keys_of(ledger, document)
    ]
    if not named:
        raise InputError("nothing_to_release")
    pieces = that_may_go(ledger, named, roots)
    if len(pieces) > RELEASES_MAX:
        raise InputError("too_many", limit=RELEASES_MAX)
    releases = []
    for at, (scope, document, keys) in enumerate(pieces):
        if not authority.roster.may_rotate(authority.device, scope):
            raise InputError("may_not_release")
        fresh = entropy[64 * at : 64 * at + 64]
        releases.append(
            make_release(
                scope, [bytes(document)], keys, purpose=wish.purpose, basis=wish.basis.strip(),
                recipients=roots, readers=readers_of(ledger, roots, scope),
                key=fresh[:32], ephemeral_secret=fresh[32:],
            )
        )  # fmt: skip
    order = ReleaseOrder(bytes(authority.operation), bytes(authority.device), tuple(releases))
    return ORDER_MAGIC + pack(order)


def approve(ledger: Ledger, raw: bytes) -> bytes:
    """Return the same order with this device's signature as the second.

    Raises:
        InputError: `order_own`, `may_not_release`, and as `read`.
    """
    authority, order = ledger.authority, read(ledger, raw)
    author = DeviceId(order.author)
    if author == authority.device:
        raise InputError("order_own")
    for each in order.releases:
        if not authority.roster.may_rotate(authority.device, ScopeId(each.scope)):
            raise InputError("may_not_release")
    signed = (
        approve_release(each, authority.operation, author, authority.keys)
        for each in order.releases
    )
    return ORDER_MAGIC + pack(ReleaseOrder(order.operation, order.author, tuple(signed)))


def apply(ledger: Ledger, raw: bytes, wall_ms: int) -> list[Written]:
    """Write an approved order: from here on whoever it is for can open it.

    Raises:
        InputError: `order_not_own`, `order_unsigned`, `order_approver`, `may_not_release`.
    """
    authority, order = ledger.authority, read(ledger, raw)
    if order.author != bytes(authority.device):
        raise InputError("order_not_own")
    for each in order.releases:
        scope = ScopeId(each.scope)
        if not any(each.approver):
            raise InputError("order_unsigned")
        approver = DeviceId(each.approver)
        if not approval_holds(each, authority.operation, authority.device) or (
            not authority.roster.may_rotate(approver, scope)
        ):
            raise InputError("order_approver")
        if not authority.roster.may_rotate(authority.device, scope):
            raise InputError("may_not_release")
    with ledger.atomic():
        return [ledger.write_control(each, wall_ms) for each in order.releases]


def read(ledger: Ledger, raw: bytes) -> ReleaseOrder:
    """Read the file of an order.

    Raises:
        InputError: `not_a_release_order`, `order_elsewhere`.
    """
    if len(raw) > ORDER_BYTES_MAX or not raw.startswith(ORDER_MAGIC):
        raise InputError("not_a_release_order", field="file")
    try:
        order = unpack(ReleaseOrder, raw[len(ORDER_MAGIC) :])
    except PeerError:
        raise InputError("not_a_release_order", field="file") from None
    if order.operation != bytes(ledger.authority.operation):
        raise InputError("order_elsewhere", field="file")
    return order


# The files for those who share no network


def card(ledger: Ledger) -> bytes:
    """Return the file that makes this operation's devices known to who has never met them."""
    file = ReleaseFile(bytes(ledger.authority.operation), _control(ledger), ())
    return CARD_MAGIC + pack(file)


def take_card(ledger: Ledger, raw: bytes, wall_ms: int) -> None:
    """Take a card: control records, judged as if they had come over a link.

    Raises:
        InputError: `not_a_release_card`, `order_elsewhere`.
    """
    file = _file(ledger, raw, CARD_MAGIC, "not_a_release_card")
    try:
        with ledger.atomic():
            _take_control(ledger, file, wall_ms)
    except (PeerError, Gap):
        raise InputError("not_a_release_card", field="file") from None
    ledger.catch_up_all()


def export(ledger: Ledger, releases: Sequence[EntryHash]) -> bytes:
    """Return the file that carries these releases, with all that is needed to judge them.

    Raises:
        InputError: `unknown_release`; `release_lacking` when a body is not here any more.
    """
    named: dict[bytes, bytes] = {}
    for entry in releases:
        if entry not in ledger.authority.releases.all():
            raise InputError("unknown_release", field="release")
        record = ledger.authority.releases.release(entry).record
        for document in record.documents:
            for _, keys in _keys_of(ledger, DocId(document)):
                named |= keys
    if not named:
        raise InputError("release_lacking")
    feeds = _feeds_of(ledger, named)
    file = ReleaseFile(
        bytes(ledger.authority.operation),
        _control(ledger),
        tuple(run for feed, last in feeds for run in _runs(ledger, feed, named.keys(), last)),
    )
    return FILE_MAGIC + pack(file)


def import_file(ledger: Ledger, raw: bytes, wall_ms: int) -> int:
    """Take a release file, whole or not at all; return how many bodies it brought.

    Raises:
        InputError: `not_a_release_file`, `order_elsewhere`, `release_not_for_us` when nothing in it
            is sealed to this device by a release that counts, `release_too_much` when it carries
            what no release shows.
    """
    file = _file(ledger, raw, FILE_MAGIC, "not_a_release_file")
    try:
        with ledger.atomic():
            _take_control(ledger, file, wall_ms)
            brought = sum(_take_run(ledger, raw_run, wall_ms) for raw_run in file.runs)
            if not brought:
                raise InputError("release_not_for_us")
    except (PeerError, Gap):
        raise InputError("not_a_release_file", field="file") from None
    ledger.catch_up_all()
    return brought


# Looking


def shown(ledger: Ledger) -> list[Shown]:
    """Every release, the newest first."""
    releases = ledger.authority.releases
    found = [
        _shown(ledger, entry, releases.release(entry).record, releases.release(entry).place.author)
        for entry in releases.all()
    ]
    return sorted(found, key=lambda each: (-each.written_ms, each.release or b""))


def released_patients(ledger: Ledger) -> set[PatientId]:
    """Patients whom this device knows only because another organisation released them to it."""
    authority = ledger.authority
    releases = authority.releases
    documents = {
        document
        for entry in releases.all()
        if (held := releases.release(entry)).keys
        and releases.counts(entry, authority.roster)
        and not authority.keyring.heads(ScopeId(held.record.scope))
        for document in held.record.documents
    }
    found = set()
    for document in documents:
        for (subject,) in ledger.store.all(
            "SELECT s.id FROM document d JOIN subject s ON s.no = d.subject"
            " WHERE d.doc_id = ? AND s.kind = 1",
            (document,),
        ):
            found.add(PatientId(subject))
    return found


def ordered(ledger: Ledger, order: ReleaseOrder) -> list[Shown]:
    """What an order would release."""
    author = DeviceId(order.author)
    return [_shown(ledger, None, each, author) for each in order.releases]


def _shown(ledger: Ledger, entry: EntryHash | None, record: Release, author: DeviceId) -> Shown:
    authority = ledger.authority
    charter = authority.roster.charter
    scope = charter.scope(record.scope) if charter else None
    orgs = {org.root: org.name for org in charter.orgs} if charter else {}
    arrival = ledger.chain.names.find(entry[:16]) if entry else None
    counts = entry is not None and authority.releases.counts(entry, authority.roster)
    return Shown(
        entry,
        scope.name if scope else "?",
        tuple(map(DocId, record.documents)),
        tuple(orgs.get(root, "?") for root in record.recipients),
        record.purpose,
        record.basis,
        author,
        DeviceId(record.approver) if any(record.approver) else None,
        ledger.chain.clock_of(arrival) >> 16 if arrival else 0,
        counts,
        len(record.envelopes),
        len(authority.releases.release(entry).keys) if entry is not None and counts else 0,
    )


# Inside


class _AllBut:
    """Everything but these entries: what travels without its body."""

    def __init__(self, kept: Collection[bytes]) -> None:
        self._kept = kept

    def __contains__(self, entry: object) -> bool:
        return entry not in self._kept


def _runs(
    ledger: Ledger, feed: FeedState, bodies: Collection[bytes] | None, last: int
) -> list[bytes]:
    """Encode every branch of a feed up to the first kept signature at or after a place.

    Args:
        bodies: Entries that keep theirs; None: all do.
    """
    found: list[bytes] = []
    for tip in feed.tips:
        after = 0
        while after < min(last, tip.seq):
            bare = None if bodies is None else _AllBut(bodies)
            run = ledger.chain.run_after(feed, tip, after, RUN_BYTES, bare)
            if run is None:
                break
            found.append(run[0])
            after = run[1]
    return found


def _feeds_of(ledger: Ledger, named: Collection[bytes]) -> list[tuple[FeedState, int]]:
    """Return the feeds these entries stand in, each with the last place among them."""
    last: dict[int, int] = {}
    for entry in named:
        row = ledger.store.one(
            "SELECT feed, seq FROM entry WHERE arrival = ?", (ledger.chain.names.find(entry[:16]),)
        )
        if row:
            last[row[0]] = max(last.get(row[0], 0), row[1])
    return [(ledger.chain.by_no[no], seq) for no, seq in sorted(last.items())]


def _decoded(ledger: Ledger, raw: bytes) -> Run:
    run, end = decode_run(raw, 0, ledger.chain.genesis_of, ledger.chain.prev_of)
    if end != len(raw):
        raise PeerError("malformed", what="run")
    return run


def _file(ledger: Ledger, raw: bytes, magic: bytes, code: str) -> ReleaseFile:
    if len(raw) > FILE_BYTES_MAX or not raw.startswith(magic):
        raise InputError(code, field="file")
    try:
        file = unpack(ReleaseFile, raw[len(magic) :])
    except PeerError:
        raise InputError(code, field="file") from None
    if file.operation != bytes(ledger.authority.operation):
        raise InputError("order_elsewhere", field="file")
    return file


def _control(ledger: Ledger) -> tuple[bytes, ...]:
    """All control feeds: they go to every member of the operation."""
    feeds = [feed for feed in ledger.chain.feeds.values() if feed.genesis.lane == Lane.CONTROL]
    return tuple(run for feed in feeds for run in _runs(ledger, feed, None, feed.seq))


def _take_control(ledger: Ledger, file: ReleaseFile, wall_ms: int) -> None:
    for raw in file.control:
        ledger.take([_control_run(ledger, raw)], wall_ms)


def _control_run(ledger: Ledger, raw: bytes) -> Run:
    run = _decoded(ledger, raw)
    if not all(line.kind for line in run.lines) or any(line.body is None for line in run.lines):
        raise PeerError("malformed", what="control")
    return run


def _take_run(ledger: Ledger, raw: bytes, wall_ms: int) -> int:
    """Store one run of headers with released bodies; return how many bodies it brought."""
    run = _decoded(ledger, raw)
    first = run.lines[0]
    held = decode_genesis(run.genesis) if run.genesis else ledger.chain.genesis_of(run.feed)
    assert held is not None
    scope = ledger.authority.roster.scope_of(ScopeId(held.scope), held.device)
    if first.kind or scope is None:
        raise InputError("release_not_for_us")
    keys = ledger.authority.releases.keys(scope, ledger.authority.roster)
    if not keys:
        raise InputError("release_not_for_us")
    if any(line.body is not None and line.hash not in keys for line in run.lines):
        raise InputError("release_too_much")
    ledger.attach(run)
    ledger.take([run], wall_ms)
    if any(line.body is None for line in run.lines):
        ledger.chain.note_hollow(run.feed)
    return sum(line.body is not None for line in run.lines)


def _keys_of(ledger: Ledger, document: DocId) -> list[tuple[ScopeId, dict[bytes, bytes]]]:
    """Return the body keys of a document's entries, by scope, as many as one record holds each."""
    by_scope: dict[ScopeId, dict[bytes, bytes]] = {}
    roster = ledger.authority.roster
    for arrival, digest in ledger.store.all(
        "SELECT e.arrival, e.hash FROM document d JOIN strand t ON t.doc = d.no"
        " JOIN entry e ON e.arrival = t.entry WHERE d.doc_id = ? ORDER BY e.hash",
        (bytes(document),),
    ):
        header, body, feed = ledger.chain.rebuild_header(arrival)
        key = ledger.authority.key_of(header[83:115])
        scope = roster.scope_of(ScopeId(feed.genesis.scope), feed.genesis.device)
        if key is not None and body is not None and scope is not None:
            body_key = body_key_of(key, header[3:43], header[43:75], body[:SALT_BYTES])
            by_scope.setdefault(scope, {})[bytes(digest)] = body_key
    return [
        (scope, dict(list(keys.items())[at : at + ENTRIES_MAX]))
        for scope, keys in sorted(by_scope.items())
        for at in range(0, len(keys), ENTRIES_MAX)
    ]
