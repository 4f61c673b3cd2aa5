"""The book of a device that learned of its own seal: closed to read, open to write down care.

What was opened and all rows are dropped; the entries stay as they came, sealed under keys that are
forgotten. What is written from then on goes each under a key for it alone, handed to the scope's
readers in a control record, used once and forgotten. It lies above the seal, so it waits in
quarantine wherever it is read; nothing is lost, and a device that is admitted again opens its
book again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from protocols.errors import LedgerError
from protocols.feeds.body import encode_body
from protocols.ids import DocId, EncounterId, FactRef, KeyId
from protocols.ledger.schema import build_again
from protocols.ledger.store import Store
from protocols.ledger.writing import Instant, Written
from protocols.records.catalogue import ROW_TABLES, encode_fact
from protocols.records.document import opening
from protocols.records.shape import Draft, Plan
from protocols.trust.charter import Sensitivity
from protocols.trust.control import ENVELOPES_MAX
from protocols.trust.keyring import capture
from protocols.trust.sessions import Session

if TYPE_CHECKING:
    from protocols.ledger.book import Ledger

Entropy = Callable[[int], bytes]


def is_closed(store: Store) -> bool:
    """Whether the book was closed for a seal and not opened again."""
    return store.one("SELECT 1 FROM meta WHERE name = 'closed'") is not None


def close(store: Store, last_arrival: int) -> None:
    """Drop all that was opened; entries wait for their keys. Inside a transaction."""
    store.execute(
        "INSERT OR IGNORE INTO unopened (entry, void, reason, need)"
        " SELECT e.arrival, 0, 'key', k.key_id FROM entry e JOIN key_name k ON k.no = e.scope_key"
        " WHERE e.doc IS NOT NULL OR (e.kind = 0 AND e.body IS NOT NULL)"
    )
    store.execute("UPDATE entry SET doc = NULL WHERE doc IS NOT NULL")
    for table in ("strand", "document", "subject", "draft"):
        store.execute(f"DELETE FROM {table}")
    build_again(store, ROW_TABLES)
    store.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")
    _note_opened(store, last_arrival)


def reopen(store: Store) -> None:
    """Have every entry that waits for a key tried again. Inside a transaction."""
    store.execute("DELETE FROM unopened WHERE void = 0 AND reason = 'key'")
    store.execute("DELETE FROM meta WHERE name = 'closed'")
    _note_opened(store, 0)


def _note_opened(store: Store, arrival: int) -> None:
    store.execute("INSERT OR REPLACE INTO meta VALUES ('opened', ?)", (str(arrival).encode(),))


def record(
    ledger: Ledger, plan: Plan, wall_ms: int, entropy: Entropy, session: Session
) -> list[Written]:
    """Write the drafts of a plan, each as a document of its own. Inside the caller's `atomic`.

    Raises:
        LedgerError: `no_scope` when this device never had one for it.
    """
    written: list[Written] = []
    for draft in plan.drafts:
        founded = written[0].subject if written else None
        begun = next((each.encounter for each in written if each.encounter), None)
        at = Instant(wall_ms, entropy(8), session)
        written.append(_draft(ledger, draft, (founded, begun), at, entropy))
    return written


def _draft(
    ledger: Ledger,
    draft: Draft,
    made: tuple[DocId | None, EncounterId | None],
    at: Instant,
    entropy: Entropy,
) -> Written:
    founded, begun = made
    subject = founded if draft.subject is not None and not any(draft.subject) else draft.subject
    encounter = draft.encounter
    if encounter is not None and not any(encounter):
        encounter = begun
    facts = (opening(draft, subject, encounter), *draft.facts)
    values = tuple((fact.kind, encode_fact(fact.kind, fact.value, None)) for fact in facts)
    plain = encode_body(at.session, (), values)
    authority = ledger.authority
    scope = authority.scope_for(Sensitivity(draft.sensitivity))
    if scope is None:
        raise LedgerError("no_scope")
    # Without anybody who may read it, it waits for this device itself: until it is admitted again
    # it opens nothing, its own no more than what others wrote.
    own = (authority.device, authority.keys.agree_public)
    readers = authority.roster.readers(scope)[:ENVELOPES_MAX] or [own]
    # Used for this one entry, and forgotten when this call returns.
    key = entropy(32)
    handed = ledger.write_control(capture(scope, key, readers, entropy(32)), at.wall_ms)
    key_id = KeyId(handed.entry.hash)
    sealed, entry = ledger.writer.alone(scope, draft.lane, (key_id, key), plain, at)
    prefix = entry.hash.prefix
    if draft.founds_encounter:
        encounter = EncounterId(prefix)
    spoken = FactRef(prefix, 1 if draft.facts else 0)
    return Written(sealed.feed, entry, spoken, subject or DocId(prefix), encounter)
