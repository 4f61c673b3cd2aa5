"""Whom a release may go to, and what of a patient's documents may go there at all."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.errors import InputError
from protocols.ids import DocId, ScopeId
from protocols.ledger.book import Ledger
from protocols.trust.certificates import Rank
from protocols.trust.charter import ORGS_MAX, Sensitivity
from protocols.trust.control import RELEASED_TO_MAX
from protocols.trust.keyring import Reader

Piece = tuple[ScopeId, DocId, dict[bytes, bytes]]
"""Scope, document and body keys of one record."""


def that_may_go(ledger: Ledger, named: Sequence[Piece], roots: Sequence[bytes]) -> list[Piece]:
    """Return what may leave: no counts, and concerns for safety where somebody may read such.

    Raises:
        InputError: `release_count` when only counts are named.
    """
    charter = ledger.authority.roster.charter
    closeness = {scope.id: scope.sensitivity for scope in (charter.scopes if charter else ())}
    pieces = [each for each in named if closeness.get(each[0]) != Sensitivity.AGGREGATE]
    if not pieces:
        raise InputError("release_count")
    entrusted = [
        each
        for each in pieces
        if closeness.get(each[0]) != Sensitivity.PROTECTION or _who_reads(ledger, roots, each[0])
    ]
    # Where only these were named, whoever asks is told that nobody there may read them.
    return entrusted or pieces


def roots_of(ledger: Ledger, names: Sequence[str]) -> list[bytes]:
    """Return the root keys of organisations, by name.

    Raises:
        InputError: `unknown_org`.
    """
    charter = ledger.authority.roster.charter
    orgs = {org.name.casefold(): org.root for org in (charter.orgs if charter else ())}
    if not 0 < len(names) <= ORGS_MAX:
        raise InputError("unknown_org", field="for", allowed=tuple(orgs))
    for name in names:
        if name.casefold() not in orgs:
            raise InputError("unknown_org", field="for", allowed=tuple(orgs))
    return sorted({orgs[name.casefold()] for name in names})


def readers_of(ledger: Ledger, roots: Sequence[bytes], scope: ScopeId) -> list[Reader]:
    """Devices of these organisations that may read such: each by its newest certificate's key."""
    found = _who_reads(ledger, roots, scope)
    if not found:
        raise InputError("no_recipient", field="for")
    if len(found) > RELEASED_TO_MAX:
        raise InputError("too_many", limit=RELEASED_TO_MAX)
    return found


def _who_reads(ledger: Ledger, roots: Sequence[bytes], scope: ScopeId) -> list[Reader]:
    roster = ledger.authority.roster
    charter = roster.charter
    assert charter is not None
    names = {org.name for org in charter.orgs if org.root in roots}
    terms = charter.scope(scope)
    readers = set(terms.readers if terms else ())
    found = []
    for device in roster.members():
        member = roster.device(device)
        if member is None or not member.agree or member.sealed or member.org not in names:
            continue
        if member.rank < Rank.PERSON and (not readers or readers & member.roles):
            found.append((device, member.agree[0]))
    return found
