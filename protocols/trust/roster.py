"""The roster: who belongs to the operation and what each may write, from control records alone.

Fed in any order it always ends the same: everything is judged from the charter's roots downward,
and no clock takes part. What a device wrote before its certificate came counts as much as what it
writes after; what it wrote above a seal is named as such wherever it is shown.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from protocols.ids import DeviceId, EntryHash, FeedId, KeyId, OperationId, ScopeId, StatementHash
from protocols.trust import readers
from protocols.trust.certificates import Authority, Certificate, Rank
from protocols.trust.charter import Charter
from protocols.trust.control import (
    Admission,
    Attestation,
    Certificates,
    Founding,
    Place,
    Record,
    Seal,
    UnknownControl,
)
from protocols.trust.judging import Judgement, Judging
from protocols.trust.member import Member, member_of
from protocols.trust.membership import Membership
from protocols.trust.positions import Positions
from protocols.trust.seals import Bound, Refused
from protocols.trust.sessions import NOBODY, Session, Sessions
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement, statement_hash
from protocols.trust.vouching import Vouched, vouching

_CONTROL, _LEAST = bytes(16), Rank.COORDINATOR
VERDICTS_MAX = 65_536
"""Verdicts remembered; more means somebody makes up kind numbers."""


class Roster:
    """Everything that control records say about one operation's devices and persons."""

    def __init__(self, operation: OperationId) -> None:
        self.positions = Positions()
        self._membership = Membership(operation, self.positions)
        self._sessions = Sessions(self._membership)
        self._judging = Judging(self._membership, self._sessions)
        self._admissions: dict[EntryHash, tuple[Admission, Place]] = {}
        self._concerned: dict[bytes, set[EntryHash]] = defaultdict(set)
        """Admissions by the key of their device and of their admitter."""
        self._became: dict[bytes, tuple[EntryHash, ScopeId]] = {}
        """As `_adopted`, for whichever device: the lowest entry hash of all."""
        self._adopted: dict[tuple[bytes, bytes], tuple[EntryHash, ScopeId]] = {}
        self._changed: set[DeviceId] = set()
        self._verdicts: dict[tuple[bytes, bytes, int, bytes, Session], Judgement] = {}
        self._revision = 0
        self._members: dict[DeviceId, Member | None] = {}
        """Asked for once an entry: is this device HQ?"""

    @property
    def operation(self) -> OperationId:
        """Whose roster it is."""
        return self._membership.operation

    @property
    def charter(self) -> Charter | None:
        """None until a founding record of the operation comes; nobody is admitted before."""
        return self._membership.charter

    # Taking records

    def add(self, record: Record | UnknownControl | None, place: Place) -> None:
        """Take one control entry; `changed` says what comes of it.

        What does not hold is left out without an error: its entry stays in its feed as
        evidence. The same entry twice changes nothing. Of a record that does not read, None, the
        place counts all the same.
        """
        if self.positions.of(place.entry) is not None:
            return
        self._membership.note(place, forked=self.positions.add(place))
        match record:
            case Founding():
                self._grow(self._membership.found(record.charter))
            case Certificates():
                self._certify(record.statements, place)
            case Admission():
                self._admissions[place.entry] = (record, place)
                for key in (record.device, bytes(place.author)):
                    self._concerned[key].add(place.entry)
                self._changed |= self._adopt(place.entry)
            case Attestation():
                self._sessions.add(record, place)
            case Seal():
                self._membership.seal(record, place)
            case _:
                return
        self._forget()

    def certify(self, statements: Iterable[SignedStatement]) -> None:
        """Take certificates that came outside a feed, as in a greeting."""
        self._certify(statements)
        self._forget()

    def holds(self, name: StatementHash) -> bool:
        """Whether an authentic certificate is here, standing or not."""
        return self._membership.held_by(name) is not None

    def changed(self) -> frozenset[DeviceId]:
        """Return and forget the devices and persons whose entries must be judged again."""
        self._settle()
        changed, self._changed = self._changed, set()
        return frozenset(changed.union(*map(self._sessions.devices_of, changed)))

    def _settle(self) -> None:
        """Judge what has to be judged anew since somebody last asked."""
        moved = self._membership.settle()
        if not moved:
            return
        self._changed |= moved
        before, self._adopted, self._became = self._adopted, {}, {}
        for entry in self._admissions:
            self._adopt(entry)
        self._changed |= {
            DeviceId(device)
            for device, old in before.keys() | self._adopted.keys()
            if before.get((device, old)) != self._adopted.get((device, old))
        }
        self._forget()

    def _grow(self, grown: set[DeviceId]) -> None:
        """Look again at the admissions of and by keys that have gained authority."""
        self._changed |= grown
        for key in grown:
            for entry in self._concerned.get(key, ()):
                self._changed |= self._adopt(entry)

    def _certify(self, statements: Iterable[SignedStatement], place: Place | None = None) -> None:
        given = list(statements)
        names = [statement_hash(each) for each in given]
        new = [name for name in names if not self.holds(name)]
        self._grow(self._membership.certify(given, place))
        for name in new:
            held = self._membership.held_by(name)
            if held is not None and held.rank == Rank.PERSON:
                # Standing or not: from now on it is known who sat where their sessions are named.
                self._changed.add(DeviceId(held.subject))

    def _forget(self) -> None:
        self._revision += 1
        self._members.clear()
        self._verdicts.clear()

    # Judging

    @property
    def revision(self) -> int:
        """Rises whenever `judge` may say something else than before."""
        self._settle()
        return self._revision

    def judge(
        self,
        author: tuple[DeviceId, bytes],
        kind: int,
        scope: ScopeId,
        session: Session = NOBODY,
    ) -> Judgement:
        """Say whether facts of this kind count in the scope of their feed, and how far.

        Args:
            author: The device and its epoch.
            kind: Kind number of the fact.
            scope: The one in the feed's genesis: the operation's own, or the device's old one.
            session: What the entry names; who could not read it asks for NOBODY's.
        """
        self._settle()
        asked = (*author, kind, scope, session)
        verdict = self._verdicts.get(asked)
        if verdict is None:
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            verdict = self._verdicts[asked] = self._judged(*asked)
        return verdict

    def standing(
        self,
        device: DeviceId,
        kind: int,
        scope: ScopeId,
        session: Session = NOBODY,
        *,
        epoch: bytes = b"",
    ) -> Standing:
        """Say the same of what a device writes now, above every seal.

        Args:
            epoch: In this life, which a session always is of; empty: in whichever.
        """
        judgement = self.judge((device, epoch), kind, scope, session)
        return Standing.QUARANTINED if judgement.closed(epoch) else judgement.standing

    def person(self, device: DeviceId, epoch: bytes, session: Session) -> DeviceId | None:
        """Return who took a device in a session; None while nobody certified is known to have."""
        self._settle()
        return next(
            (
                DeviceId(certificate.subject)
                for place, certificate in self._sessions.persons(device, epoch, session)
                if self._membership.authorities_at(place)
                and self._membership.ways(certificate.subject)
            ),
            None,
        )

    def sessions_of(self, person: DeviceId) -> list[Place]:
        """Return where a person's attestations stand, in the order of device, epoch and seq."""
        return self._sessions.places_of(person)

    def scope_of(self, scope: ScopeId, device: DeviceId | None = None) -> ScopeId | None:
        """Return the operation's scope that this one is or has become; None = not ours.

        With `device`: for its feeds. Without: for anybody's, where one answer has to do.
        """
        self._settle()
        if scope == _CONTROL or (self.charter and self.charter.scope(scope)):
            return scope
        of_device = (device, scope) if device is not None else None
        adopted = self._adopted.get(of_device) if of_device else self._became.get(scope)
        return None if adopted is None else adopted[1]

    def adopted(self) -> Mapping[tuple[DeviceId, ScopeId], ScopeId]:
        """All old scopes that admissions made the operation's, by device."""
        self._settle()
        return {
            (DeviceId(device), ScopeId(old)): to
            for (device, old), (_, to) in sorted(self._adopted.items())
        }

    def may_link(
        self,
        agree: bytes,
        *,
        claimed: DeviceId | None = None,
        epoch: bytes | None = None,
        lower_ms: int = 0,
        upper_ms: int | None = None,
        sealed: bool = False,
    ) -> DeviceId | None:
        """Return the device that a proved X25519 key belongs to; None = not one of ours, now.

        Args:
            sealed: Sealed devices too: what they may be handed is for `may_hold` to say.
            claimed: Who the peer says it is, for a key that stands in two certificates.
            epoch: Its present life: a sealed device may have been admitted again in a later one.
            lower_ms: A time that has surely passed; upper_ms: one that surely has not come.
        """
        self._settle()
        return self._membership.linked(
            agree,
            claimed=claimed,
            epoch=epoch,
            lower_ms=lower_ms,
            upper_ms=upper_ms,
            sealed=sealed,
        )

    def may_rotate(self, device: DeviceId, scope: ScopeId, rank: Rank = _LEAST) -> bool:
        """Whether a device may give the scope a new key now: a coordinator of it, or above."""
        self._settle()
        return _coordinates(self._membership.authorities(device), scope, rank)

    def coordinates_at(self, entry: EntryHash, scope: ScopeId, rank: Rank = _LEAST) -> bool:
        """Whether a coordinator of the scope, of this rank, wrote an entry below its seals."""
        self._settle()
        at = self.positions.of(entry)
        return at is not None and _coordinates(self._membership.authorities_at(at), scope, rank)

    def ever_coordinated(self, key: bytes, scope: ScopeId, rank: Rank = _LEAST) -> bool:
        """Whether a key is certified as a coordinator of the scope or above, sealed or not."""
        self._settle()
        return _coordinates((each for each, _ in self._membership.ways(key)), scope, rank)

    def may_hold(self, device: DeviceId, scope: ScopeId, epoch: bytes | None = None) -> bool:
        """Whether a device may be handed this scope's entries, sealed as they are.

        The sender asks, on every carrier. Control goes to every member, a sealed one too: how
        else should it learn of its seal. A scope that is not the operation's goes to nobody.

        Args:
            epoch: Its present life; None for any.
        """
        self._settle()
        if self.charter is None or not self._membership.ways(device):
            return False
        if scope == _CONTROL:
            return True
        if not self._membership.authorities(device, epoch):
            return False
        ours = self.scope_of(scope)
        terms = self.charter.scope(ours) if ours else None
        if terms is None:
            return False
        return terms.leaves or readers.under_law(
            self._membership, self._membership.authorities(device), terms
        )

    # Looking up

    def device(self, device: DeviceId, keys: Mapping[KeyId, bytes] | None = None) -> Member | None:
        """Return what is known of a device; None while no certificate of it stands.

        Args:
            keys: Scope keys that may open its name.
        """
        self._settle()
        if keys:
            return member_of(self._membership, device, keys)
        if device not in self._members:
            if len(self._members) >= VERDICTS_MAX:
                self._members.clear()
            self._members[device] = member_of(self._membership, device, {})
        return self._members[device]

    def certificates(self, key: DeviceId) -> list[tuple[StatementHash, Certificate]]:
        """Return the standing certificates of a device or person, the newest first."""
        self._settle()
        return self._membership.named_certificates(key)

    def newest_chain(self, key: DeviceId) -> tuple[SignedStatement, ...]:
        """As `chain`, ending in the newest certificate: it says what a person is licensed for."""
        self._settle()
        return self._membership.newest_chain(key)

    def vouched(self, device: DeviceId, epoch: bytes) -> Vouched | None:
        """As `vouching.vouching`."""
        self._settle()
        return vouching(self._membership, self._sessions, device, epoch)

    def members(self) -> list[DeviceId]:
        """All devices and persons with a standing certificate, sealed ones too; sorted."""
        self._settle()
        return self._membership.subjects()

    def bounds(self, key: DeviceId, certificate: StatementHash | None = None) -> list[Bound]:
        """The seals that count against a device or person, or one certificate of it, by entry."""
        self._settle()
        if not self._membership.seals_any:
            return []
        ways = self._membership.ways(key, certificate)
        found = {bound.seal: bound for _, way in ways for bound in way}
        return [found[entry] for entry in sorted(found)]

    def why_not_seal(self, author: DeviceId, subject: DeviceId) -> str:
        """Say why a seal by one key on another would not count now, or '' when it would."""
        self._settle()
        return self._membership.why_not_seal(author, subject)

    def cut(self, device: DeviceId, epoch: bytes | None = None) -> bool:
        """Whether a member may do nothing any more, in this life of the device or in any."""
        self._settle()
        membership = self._membership
        if not membership.seals_any:
            return False
        return bool(membership.ways(device)) and not membership.authorities(device, epoch)

    def devices_of(self, person: DeviceId) -> set[DeviceId]:
        """Where a person ever took a device."""
        return self._sessions.devices_of(person)

    def refused_seals(self) -> list[Refused]:
        """Seals that do not count, which somebody should be told of."""
        self._settle()
        return self._membership.refused

    def readers(self, scope: ScopeId) -> list[tuple[DeviceId, bytes]]:
        """Who is entitled to the keys of one of the operation's scopes: (device, X25519 key)."""
        self._settle()
        terms = self.charter.scope(scope) if self.charter else None
        return readers.readers(self._membership, terms) if terms else []

    def reads(self, device: DeviceId, scope: ScopeId) -> bool:
        """Whether a device is entitled to the keys of one of the operation's scopes."""
        self._settle()
        terms = self.charter.scope(scope) if self.charter else None
        return terms is not None and readers.reads(self._membership, device, terms)

    def gave_at(self, entry: EntryHash, scope: ScopeId) -> bool:
        """Whether a control entry was written by a device that could give the scope's keys."""
        self._settle()
        place = self.positions.of(entry)
        terms = self.charter.scope(scope) if self.charter else None
        if place is None or terms is None:
            return False
        return readers.gave_at(self._membership, place, terms)

    def chain(self, device: DeviceId) -> tuple[SignedStatement, ...]:
        """The certificates another node needs to judge this device, issuer first."""
        self._settle()
        return self._membership.chain(device)

    def next_serial(self, issuer: DeviceId) -> int:
        """The number for the next new subject of this issuer."""
        return self._membership.next_serial(issuer)

    def reused_serials(self) -> list[tuple[DeviceId, int]]:
        """Issuers that gave one number to two subjects: proof that a count was broken."""
        return self._membership.reused_serials()

    def epochs(self, device: DeviceId) -> dict[bytes, FeedId]:
        """Epochs that standing admissions adopted for a device, with their control feeds."""
        self._settle()
        return {
            epoch: FeedId(feed)
            for entry in sorted(self._concerned.get(device, ()), reverse=True)
            if self._admissions[entry][0].device == device and self._admits(entry)
            for epoch, feed in self._admissions[entry][0].epochs
        }

    # Inside

    def _adopt(self, entry: EntryHash) -> set[DeviceId]:
        """Map the scopes of an admission that stands; the lowest entry hash wins a dispute."""
        if not self._admits(entry):
            return set()
        admission, changed = self._admissions[entry][0], set()
        for old, new in admission.scopes:
            mine = (entry, ScopeId(new))
            place = (admission.device, old)
            if place not in self._adopted or mine < self._adopted[place]:
                self._adopted[place] = mine
                self._became[old] = min(mine, self._became.get(old, mine))
                changed.add(DeviceId(admission.device))
        return changed

    def _admits(self, entry: EntryHash) -> bool:
        admission, place = self._admissions[entry]
        if self.charter is None:
            return False
        old, new = ({pair[at] for pair in admission.scopes} for at in (0, 1))
        taken = old & {scope.id for scope in self.charter.scopes}
        certificate = StatementHash(admission.certificate)
        # Another organisation must not say under whose law a device's earlier records lie.
        roots = {each.root for each, _ in self._membership.ways(admission.device, certificate)}
        return (
            not taken
            and _CONTROL not in old
            and any(
                each.rank <= Rank.COORDINATOR and each.scopes >= new and each.root in roots
                for each in self._membership.authorities_at(place)
            )
        )

    def _judged(
        self, device: DeviceId, epoch: bytes, kind: int, scope: ScopeId, session: Session
    ) -> Judgement:
        of_device = self._membership.ways(device)
        ours = self.scope_of(scope, device)
        if self.charter is None or not of_device or ours is None:
            return Judgement(Standing.UNADMITTED)
        if ours == _CONTROL:
            return Judgement(Standing.STANDS, frozenset(way for _, way in of_device))
        return self._judging.judge((device, epoch), kind, ours, session)


def _coordinates(authorities: Iterable[Authority], scope: bytes, rank: Rank) -> bool:
    return any(each.rank <= rank and scope in each.scopes for each in authorities)
