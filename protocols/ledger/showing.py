"""Headers of what was released: which feeds may be shown bare, to whom, and what comes in so.

A scope whose charter lets headers leave has the feeds of released documents follow to the
organisations they were released to, header by header and without a body, so that the chains of
what they were shown verify and extend there. Where the charter keeps headers at home, nothing goes.
"""

from __future__ import annotations

from collections.abc import Sequence

from protocols.errors import PeerError
from protocols.feeds.feed import Genesis, decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.ids import DeviceId, ScopeId
from protocols.ledger.book import Ledger, Taken

ASKED_AT_ONCE = 500


class Everything:
    """Every entry: a run of which none keeps its body."""

    def __contains__(self, entry: object) -> bool:
        return True


def documents_for(ledger: Ledger, device: DeviceId, epoch: bytes) -> dict[ScopeId, set[bytes]]:
    """Return the documents whose feeds may follow to a device as headers, by scope.

    Args:
        epoch: The present life of the device; a sealed one is shown nothing.
    """
    authority = ledger.authority
    roster, releases = authority.roster, authority.releases
    if roster.charter is None or not releases.any:
        return {}
    member = roster.device(device)
    if member is None or roster.cut(device, epoch):
        return {}
    found: dict[ScopeId, set[bytes]] = {}
    for terms in roster.charter.scopes:
        scope = ScopeId(terms.id)
        if terms.headers_leave and not roster.may_hold(device, scope, epoch):
            documents = releases.shown_to(member.root, scope, roster)
            if documents:
                found[scope] = documents
    return found


def feeds_of(ledger: Ledger, documents: dict[ScopeId, set[bytes]]) -> set[int]:
    """Return local numbers of the feeds that hold entries of these documents, each in its scope.

    Who cannot read a document finds the feed that it begins in, and no other.
    """
    found: set[int] = set()
    for scope, named in documents.items():
        arrivals = list(ledger.chain.names.find_all(named).values())
        for at in range(0, len(arrivals), ASKED_AT_ONCE):
            some = arrivals[at : at + ASKED_AT_ONCE]
            marks = ",".join("?" * len(some))
            for (no,) in ledger.store.all(
                f"SELECT feed FROM entry WHERE arrival IN ({marks})"
                " UNION SELECT e.feed FROM entry d JOIN strand t ON t.doc = d.doc"
                f" JOIN entry e ON e.arrival = t.entry WHERE d.arrival IN ({marks})",
                [*some, *some],
            ):
                if _lies_in(ledger, ledger.chain.by_no[no].genesis, scope):
                    found.add(no)
    return found


def take(ledger: Ledger, runs: Sequence[Run], wall_ms: int) -> Taken:
    """Store runs that came over a link; feeds that are shown to us as headers stay so.

    Raises:
        PeerError: `detached_body`. Whoever leaves out a body that nobody ordered away, and that is
            not kept from us by its scope's law, keeps it from everybody after us.
    """
    bare = [run for run in runs if None in [line.body for line in run.lines]]
    hollow = [run.feed for run in bare if not ledger.eraser.may_lack(run)]
    if not hollow:
        return ledger.take(runs, wall_ms)
    if not all(_is_shown(ledger, run) for run in bare if run.feed in hollow):
        raise PeerError("detached_body")
    with ledger.atomic():
        for feed in hollow:
            ledger.chain.note_hollow(feed)
        return ledger.take(runs, wall_ms)


def _is_shown(ledger: Ledger, run: Run) -> bool:
    """Whether a feed is of a scope of which something was released to us, and no more may be."""
    genesis = decode_genesis(run.genesis) if run.genesis else ledger.chain.genesis_of(run.feed)
    authority = ledger.authority
    shown = documents_for(ledger, authority.device, bytes(authority.epoch))
    return genesis is not None and any(_lies_in(ledger, genesis, scope) for scope in shown)


def _lies_in(ledger: Ledger, genesis: Genesis, scope: ScopeId) -> bool:
    roster = ledger.authority.roster
    return (
        genesis.lane != Lane.CONTROL
        and roster.scope_of(ScopeId(genesis.scope), genesis.device) == scope
    )
