"""Which certificates stand: judged from the charter's roots downward, rank by rank.

Without seals standing only ever grows, so each certificate is judged when it comes. A seal makes
everything be judged anew: certificates of one rank first, then the seals on keys of that rank,
whose authors are all of a lower one and judged already. So nothing goes round, and the order of
arrival cannot matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from protocols.errors import PeerError
from protocols.ids import DeviceId, OperationId, StatementHash
from protocols.trust.certificates import (
    Authority,
    Certificate,
    Rank,
    granted,
    open_certificate,
    refusal,
    root_authority,
    time_refusal,
)
from protocols.trust.charter import Charter, Org, SignedCharter, open_charter, operation_id
from protocols.trust.control import Place, Seal
from protocols.trust.positions import Positions
from protocols.trust.seals import Bound, Refused, Way, Written, bound_of, outranks, worst
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement, statement_hash, verify_statement

FOREVER_MS = 2**48
"""Later than any certificate can end."""

Held = dict[StatementHash, dict[bytes, tuple[Authority, Way]]]
"""Of one subject, by certificate and root key: the authority, and the seals on it."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One authentic certificate, standing or not."""

    hash: StatementHash
    statement: SignedStatement
    certificate: Certificate


class Membership:
    """The charter, all certificates that stand under it, and how far they count."""

    def __init__(self, operation: OperationId, positions: Positions) -> None:
        self.operation = operation
        self.charter: Charter | None = None
        self.refused: list[Refused] = []
        """Seals that do not count."""
        self._positions = positions
        self._held: dict[StatementHash, _Held] = {}
        self._issued: dict[bytes, list[_Held]] = defaultdict(list)
        self._published: dict[StatementHash, list[Place]] = defaultdict(list)
        """Where issuers wrote down what they signed, each in its own feed."""
        self._seals: dict[bytes, list[Written]] = defaultdict(list)
        """By subject, extensions too."""
        self._sealers: set[bytes] = set()
        self._heads: set[tuple[bytes, int]] = set()
        """(feed, seq) that seals name: what is here in such a place decides what they cover, and
        another branch there as much as the entry itself."""
        self._due = False
        """Whether everything has to be judged anew before anybody asks."""
        self._standing: dict[bytes, Held] = {}
        self._by_agree: dict[bytes, set[DeviceId]] = defaultdict(set)

    # Taking records

    def found(self, signed: SignedCharter) -> set[DeviceId]:
        """Take the operation's charter; return the keys whose authority changed at once."""
        if self.charter is not None or operation_id(signed.body) != self.operation:
            return set()
        try:
            self.charter = open_charter(signed)
        except PeerError:
            return set()
        if self._seals:
            self._due = True
            return set()
        grown = {DeviceId(org.root) for org in self.charter.orgs}
        for org in self.charter.orgs:
            grown |= self._judge_below(org.root)
        return grown

    def certify(
        self, statements: Iterable[SignedStatement], place: Place | None = None
    ) -> set[DeviceId]:
        """Take certificates; return the keys whose authority changed at once.

        Args:
            place: The entry that carries them; None when they came outside a feed.
        """
        new: list[_Held] = []
        for statement in statements:
            name = statement_hash(statement)
            if place is not None and place.author == statement.issuer:
                self._published[name].append(place)
                # Below a seal on its issuer it may stand for the first time.
                self._due |= bool(self._seals.get(statement.issuer))
            held = None if name in self._held else self._authentic(name, statement)
            if held is not None:
                self._held[name] = held
                self._issued[statement.issuer].append(held)
                new.append(held)
        if self._due:
            return set()
        grown: set[DeviceId] = set()
        for held in new:
            grown |= self._judge(held)
        # Whoever is sealed or seals weighs on others: then everything is judged anew.
        self._due = any(key in self._seals or key in self._sealers for key in grown)
        return grown

    def seal(self, record: Seal, place: Place) -> None:
        """Take a seal or an extension of one."""
        self._seals[record.subject].append(Written(record, place))
        self._sealers.add(place.author)
        self._heads.update((feed, seq) for feed, seq, _ in record.heads)
        self._due = True

    def note(self, place: Place, *, forked: bool) -> None:
        """Take up that a control entry is here."""
        if self._seals and (forked or (bytes(place.feed), place.seq) in self._heads):
            self._due = True

    def settle(self) -> set[DeviceId]:
        """Judge what is due; return the keys whose authority changed."""
        if not self._due:
            return set()
        self._due = False
        return self._judge_all()

    # Asking

    @property
    def seals_any(self) -> bool:
        """Whether there is a seal at all, whether it counts or not."""
        return bool(self._seals)

    def subjects(self) -> list[DeviceId]:
        """All devices and persons with a standing certificate, sealed ones too; sorted."""
        return sorted(DeviceId(key) for key in self._standing)

    def held_by(self, name: StatementHash) -> Certificate | None:
        """Return an authentic certificate, standing or not."""
        held = self._held.get(name)
        return held.certificate if held else None

    def ways(
        self, key: bytes, certificate: StatementHash | None = None
    ) -> list[tuple[Authority, Way]]:
        """All that a key may do, as a root and by each of its certificates, and its seals.

        Args:
            certificate: By this one only.
        """
        if certificate is not None:
            return list(self._standing.get(key, {}).get(certificate, {}).values())
        root = root_authority(self.charter, key) if self.charter else None
        below = [
            each for by_root in self._standing.get(key, {}).values() for each in by_root.values()
        ]
        return below if root is None else [(root, ()), *below]

    def authorities(self, key: bytes, epoch: bytes | None = None) -> list[Authority]:
        """What a key may do now: all that no seal ends.

        Args:
            epoch: For this life of a device; a seal may except later ones. None: for any.
        """
        return [authority for authority, way in self.ways(key) if not cut(way, epoch)]

    def authorities_at(self, place: Place) -> list[Authority]:
        """What the author of a control entry could do with it."""
        return [
            authority
            for authority, way in self.ways(place.author)
            if self._reach(way, place) == Standing.STANDS
        ]

    def why_not_seal(self, author: bytes, subject: bytes) -> str:
        """Say why a seal that is written now would not count, as `Refused`; '' when it would."""
        reasons = [
            "seal_sealed" if cut(way, None) else outranks(sealer, sealed)
            for sealer, way in self.ways(author)
            for sealed, _ in self.ways(subject)
        ]
        return min(reasons, key=("", *_TELLING).index, default="seal_author")

    def org(self, authority: Authority) -> Org:
        """The organisation that an authority comes from."""
        org = self.charter.org_of(authority.root) if self.charter else None
        assert org is not None
        return org

    def certificates(self, device: bytes) -> list[Certificate]:
        """Standing certificates of a device, the newest first."""
        return [certificate for _, certificate in self.named_certificates(device)]

    def statement(self, name: StatementHash) -> SignedStatement | None:
        """Return an authentic certificate as it was signed, standing or not."""
        held = self._held.get(name)
        return held.statement if held else None

    def named_certificates(self, key: bytes) -> list[tuple[StatementHash, Certificate]]:
        """The same with their names."""
        held = [self._held[name] for name in self._standing.get(key, {})]
        held.sort(
            key=lambda each: (-each.certificate.not_before_ms, -each.certificate.serial, each.hash)
        )
        return [(each.hash, each.certificate) for each in held]

    def linked(
        self,
        agree: bytes,
        *,
        claimed: DeviceId | None = None,
        epoch: bytes | None = None,
        lower_ms: int = 0,
        upper_ms: int | None = None,
        sealed: bool = False,
    ) -> DeviceId | None:
        """As `Roster.may_link`."""
        devices = {
            device
            for device in self._by_agree.get(agree, ())
            for statement, by_root in self._standing.get(device, {}).items()
            if self._held[statement].certificate.agree == agree
            and any(
                not time_refusal(authority, lower_ms, upper_ms) and (sealed or not cut(way, epoch))
                for authority, way in by_root.values()
            )
        }
        return claimed if claimed in devices else min(devices, default=None)

    def chain(self, device: DeviceId) -> tuple[SignedStatement, ...]:
        """The certificates another node needs to judge this device, issuer first."""
        links: list[SignedStatement] = []
        below: Certificate | None = None
        key: bytes = device
        while self.charter is not None and self.charter.org_of(key) is None:
            held = self._link(key, below)
            if held is None:
                return ()
            links.append(held.statement)
            key, below = held.statement.issuer, held.certificate
        return tuple(reversed(links))

    def newest_chain(self, key: DeviceId) -> tuple[SignedStatement, ...]:
        """As `Roster.newest_chain`."""
        newest = next((name for name, _ in self.named_certificates(key)), None)
        statement = self.statement(newest) if newest else None
        if statement is None:
            return ()
        return (*self.chain(DeviceId(statement.issuer)), statement)

    def next_serial(self, issuer: DeviceId) -> int:
        """The number for the next new subject of this issuer."""
        return 1 + max(
            (held.certificate.serial for held in self._issued.get(issuer, ())), default=0
        )

    def reused_serials(self) -> list[tuple[DeviceId, int]]:
        """Issuers that gave one number to two subjects: proof that a count was broken."""
        subjects: dict[tuple[bytes, int], set[bytes]] = defaultdict(set)
        for held in self._held.values():
            numbered = (held.statement.issuer, held.certificate.serial)
            subjects[numbered].add(held.certificate.subject)
        return sorted(
            (DeviceId(issuer), serial)
            for (issuer, serial), several in subjects.items()
            if len(several) > 1
        )

    # Judging

    def _authentic(self, name: StatementHash, statement: SignedStatement) -> _Held | None:
        try:
            certificate = open_certificate(statement)
        except PeerError:
            return None
        if certificate.operation != self.operation or not verify_statement(statement):
            return None
        return _Held(name, statement, certificate)

    def _judge(self, held: _Held) -> set[DeviceId]:
        """See whether a certificate stands now, and all that hangs on it."""
        if not self._stand(held):
            return set()
        subject = DeviceId(held.certificate.subject)
        return self._judge_below(subject) | {subject}

    def _judge_below(self, issuer: bytes) -> set[DeviceId]:
        grown: set[DeviceId] = set()
        for held in tuple(self._issued.get(issuer, ())):
            grown |= self._judge(held)
        return grown

    def _stand(self, held: _Held) -> bool:
        """Let a certificate stand by every authority of its issuer that allows it, newly."""
        certificate = held.certificate
        given = self._standing.get(certificate.subject, {}).get(held.hash, {})
        grown = {
            parent.root: (granted(parent, certificate), ())
            for parent, way in self.ways(held.statement.issuer)
            if parent.root not in given
            and not refusal(parent, certificate, self.operation)
            and self._issued_within(held, way)
        }
        if grown:
            subject = DeviceId(certificate.subject)
            self._standing.setdefault(subject, {}).setdefault(held.hash, {}).update(grown)
            if certificate.agree:
                self._by_agree[certificate.agree].add(subject)
        return bool(grown)

    def _issued_within(self, held: _Held, way: Way) -> bool:
        """Whether an issuer's seals leave this certificate standing."""
        return all(
            held.hash in bound.certificates
            or any(
                self._reach((bound,), place) == Standing.STANDS
                for place in self._published.get(held.hash, ())
            )
            for bound in way
        )

    def _reach(self, way: Way, place: Place) -> Standing:
        return worst(
            way,
            place.feed,
            place.epoch,
            lambda seq, head: self._positions.covered(place, seq, head),
        )

    def _judge_all(self) -> set[DeviceId]:
        """Judge every certificate and seal anew; return the keys that changed."""
        before, self._standing = self._standing, {}
        self._by_agree.clear()
        by_rank: dict[int, list[_Held]] = defaultdict(list)
        for held in self._held.values():
            by_rank[held.certificate.rank].append(held)
        for rank in Rank:
            for held in by_rank[rank]:
                self._stand(held)
            for subject in self._seals:
                self._apply_seals(subject, rank)
        self.refused = sorted(self._refusals())
        return {
            DeviceId(key)
            for key in before.keys() | self._standing.keys()
            if before.get(key) != self._standing.get(key)
        }

    def _apply_seals(self, subject: bytes, rank: Rank) -> None:
        """Put on authorities of this rank the seals that count against them."""
        for by_root in self._standing.get(subject, {}).values():
            for root, (authority, _) in by_root.items():
                if authority.rank == rank:
                    by_root[root] = (authority, self._way(subject, authority))

    def _way(self, subject: bytes, authority: Authority) -> Way:
        counting = [each for each in self._seals[subject] if not self._why_not(each, authority)]
        own = {each.place.entry: each for each in counting if not each.record.extends}
        return tuple(
            bound_of(
                own[entry],
                sorted(
                    (each for each in counting if each.record.extends == entry),
                    key=lambda each: each.place.entry,
                ),
            )
            for entry in sorted(own)
        )

    def _why_not(self, seal: Written, authority: Authority) -> str:
        """Say why a seal does not count against an authority, or '' when it does."""
        reasons = []
        for sealer, way in self.ways(seal.place.author):
            reason = outranks(sealer, authority)
            if not reason and self._reach(way, seal.place) != Standing.STANDS:
                reason = "seal_sealed"
            if not reason:
                return ""
            reasons.append(reason)
        return min(reasons, key=_TELLING.index, default="seal_author")

    def _refusals(self) -> Iterator[Refused]:
        for subject, seals in self._seals.items():
            authorities = [authority for authority, _ in self.ways(subject)]
            for each in seals:
                reasons = [self._why_not(each, authority) for authority in authorities]
                if reasons and all(reasons):
                    reason = min(reasons, key=_TELLING.index)
                    yield Refused(each.place.entry, each.place.author, DeviceId(subject), reason)

    def _link(self, key: bytes, below: Certificate | None) -> _Held | None:
        """The standing certificate of a key that allows the link below it."""
        fit = [
            self._held[name]
            for name, by_root in self._standing.get(key, {}).items()
            if below is None
            or any(
                not refusal(authority, below, self.operation) for authority, _ in by_root.values()
            )
        ]
        # The one that lasts longest: a renewal must not hide behind what it renews.
        return min(
            fit,
            key=lambda each: (-(each.certificate.not_after_ms or FOREVER_MS), each.hash),
            default=None,
        )


_TELLING = ["seal_sealed", "seal_scope", "seal_rank", "seal_org", "seal_author"]
"""Of several reasons the one that comes nearest to counting."""


def cut(way: Way, epoch: bytes | None) -> bool:
    """Whether a seal ends an authority for now, in this life of the device or in all."""
    return any(_cuts(bound, epoch) for bound in way)


def _cuts(bound: Bound, epoch: bytes | None) -> bool:
    if bound.reduces:
        return False
    return epoch not in bound.epochs if epoch is not None else not bound.epochs
