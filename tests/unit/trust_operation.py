"""A small operation for the tests: two organisations, their issuers, coordinators and devices."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from protocols.ids import EntryHash, FeedId, OperationId, ScopeId
from protocols.trust.certificates import Certificate, Rank, sign_certificate
from protocols.trust.charter import (
    CHARTER_VERSION,
    Charter,
    Org,
    Role,
    Scope,
    Sensitivity,
    SignedCharter,
    operation_id,
    sign_charter,
)
from protocols.trust.control import Admission, Certificates, Founding, Place, Record
from protocols.trust.identity import DeviceKeys
from protocols.trust.statements import SignedStatement, statement_hash

CARE = ScopeId(b"care" * 4)
COUNTS = ScopeId(b"coun" * 4)
OLD = ScopeId(b"old!" * 4)
CLINICIAN, LOGISTICIAN, ALL = 1, 2, 3
TRIAGE, STOCK = 30, 70
"""Kind numbers: the clinician's role lists the first, the logistician's the second."""


def entropy(label: str, size: int = 32) -> bytes:
    """The same bytes for the same label."""
    return hashlib.shake_256(label.encode()).digest(size)


def keys(label: str) -> DeviceKeys:
    """The same keys for the same label."""
    return DeviceKeys.from_entropy(entropy(label, 64))


JAPAN, MINISTRY = keys("root japan"), keys("root ministry")


def charter_of(*roots: tuple[DeviceKeys, str, str]) -> Charter:
    """A charter of these organisations with two scopes and three roles."""
    orgs = sorted((Org(name, root.device, law) for root, name, law in roots), key=lambda o: o.root)
    return Charter(
        version=CHARTER_VERSION,
        name="camp",
        nonce=entropy("nonce", 16),
        created_ms=1_790_000_000_000,
        orgs=tuple(orgs),
        scopes=(
            Scope(CARE, "care", Sensitivity.IDENTIFIED, ("KE",), ciphertext_may_leave=False),
            Scope(COUNTS, "counts", Sensitivity.AGGREGATE),
        ),
        roles=(
            Role(CLINICIAN, "clinician", (TRIAGE,)),
            Role(LOGISTICIAN, "logistician", (STOCK,)),
            Role(ALL, "all"),
        ),
    )


def two_ministries() -> SignedCharter:
    """The charter of both organisations, signed by both."""
    charter = charter_of((JAPAN, "Japan team", "JP"), (MINISTRY, "Ministry", "KE"))
    return sign_charter(charter, [JAPAN, MINISTRY])


FOUNDED = two_ministries()
OPERATION: OperationId = operation_id(FOUNDED.body)


def certificate(subject: DeviceKeys, rank: Rank = Rank.DEVICE, **changes: object) -> Certificate:
    """A certificate as wide as the rank usually has it; `changes` replace fields."""
    fields: dict[str, object] = {
        "version": 1,
        "operation": OPERATION,
        "subject": subject.device,
        "agree": subject.agree_public,
        "rank": rank,
        "roles": (CLINICIAN, LOGISTICIAN, ALL) if rank < Rank.DEVICE else (CLINICIAN,),
        "scopes": (CARE, COUNTS),
        "depth": max(0, Rank.DEVICE - rank),
        "count": 500 if rank < Rank.DEVICE else 0,
    }
    return Certificate(**(fields | changes))  # type: ignore[arg-type]


def certify(
    issuer: DeviceKeys, subject: DeviceKeys, rank: Rank = Rank.DEVICE, **changes: object
) -> SignedStatement:
    """A signed certificate."""
    return sign_certificate(certificate(subject, rank, **changes), issuer)


@dataclass
class Written:
    """Control records with their places, as a ledger would hand them over."""

    records: list[tuple[Record, Place]] = field(default_factory=list)
    tips: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    """By feed: seq and hash of its last entry."""

    def write(
        self, author: DeviceKeys, record: Record, *, epoch: str = "epoch"
    ) -> tuple[Record, Place]:
        """Append one record by this author to its control feed."""
        feed = feed_of(author, epoch)
        seq, prev = self.tips.get(feed, (0, feed))
        entry = EntryHash(entropy(f"entry {len(self.records)}"))
        place = Place(author.device, entropy(epoch, 8), feed, seq + 1, prev, entry)
        self.tips[feed] = (seq + 1, entry)
        self.records.append((record, place))
        return record, place

    def head(self, author: DeviceKeys, *, epoch: str = "epoch") -> tuple[bytes, int, bytes]:
        """How far an author's control feed has come, as a seal names it."""
        feed = feed_of(author, epoch)
        seq, last = self.tips.get(feed, (0, bytes(32)))
        return bytes(feed), seq, bytes(last)


def feed_of(author: DeviceKeys, epoch: str = "epoch") -> FeedId:
    """The control feed of one life of a device."""
    return FeedId(entropy(f"feed {author.device.hex()} {epoch}"))


def camp() -> Written:
    """A Japanese issuer and coordinator certify a tent; the ministry's issuer certifies HQ.

    The tent had an operation of its own and is admitted with its old scope.
    """
    written = Written()
    issuer, coordinator, tent, hq = map(keys, ("issuer", "coordinator", "tent", "hq"))
    chain = (
        certify(JAPAN, issuer, Rank.ISSUER),
        certify(issuer, coordinator, Rank.COORDINATOR),
        certify(coordinator, tent),
    )
    written.write(hq, Founding(FOUNDED))
    for statement in chain:
        written.write(coordinator, Certificates((statement,)))
    written.write(hq, Certificates((certify(MINISTRY, hq, Rank.ISSUER),)))
    written.write(
        coordinator,
        Admission(
            tent.device,
            ((entropy("epoch", 8), entropy("control feed")),),
            statement_hash(chain[-1]),
            ((OLD, CARE),),
        ),
    )
    return written
