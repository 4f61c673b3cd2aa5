"""The roster: who belongs to the operation and what each may write, from control records alone.

Fed in any order it always ends the same: a certificate stands when its issuer's authority allows
it, and authority only ever grows from the charter's roots downward. No clock takes part; what a
device wrote before its certificate came counts as much as what it writes after.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.ids import DeviceId, EntryHash, FeedId, KeyId, OperationId, ScopeId, StatementHash
from protocols.trust.certificates import Rank, open_name
from protocols.trust.charter import Charter, Scope
from protocols.trust.control import Admission, Certificates, Founding, Record, UnknownControl
from protocols.trust.membership import Membership
from protocols.trust.standing import Standing
from protocols.trust.statements import SignedStatement

_CONTROL = bytes(16)


VERDICTS_MAX = 65_536
"""Verdicts remembered; more means somebody makes up kind numbers."""


@dataclass(frozen=True, slots=True)
class Member:
    """What is known of one device through its standing certificates."""

    device: DeviceId
    name: str
    """'' when it has none that our keys open."""
    org: str
    jurisdiction: str
    rank: Rank
    """The highest it holds."""
    roles: frozenset[int]
    scopes: frozenset[bytes]
    agree: tuple[bytes, ...]
    """Its X25519 keys, those of the newest certificate first."""
    not_after_ms: int
    """When the last of its certificates ends, Unix milliseconds; 0 = open."""


class Roster:
    """Everything that control records say about one operation's devices."""

    def __init__(self, operation: OperationId) -> None:
        self._membership = Membership(operation)
        self._admissions: dict[EntryHash, tuple[Admission, DeviceId]] = {}
        self._concerned: dict[bytes, set[EntryHash]] = defaultdict(set)
        """Admissions by the key of their device and of their admitter."""
        self._became: dict[bytes, tuple[EntryHash, ScopeId]] = {}
        """As `_adopted`, for whichever device: the lowest entry hash of all."""
        self._adopted: dict[tuple[bytes, bytes], tuple[EntryHash, ScopeId]] = {}
        self._verdicts: dict[tuple[bytes, int, bytes], Standing] = {}
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

    def add(
        self, record: Record | UnknownControl, author: DeviceId, entry: EntryHash
    ) -> frozenset[DeviceId]:
        """Take one control record; return the devices whose entries must be judged again.

        What does not hold is left out without an error: its entry stays in its feed as
        evidence. The same record twice changes nothing.
        """
        match record:
            case Founding():
                changed = self._with_admissions(self._membership.found(record.charter))
            case Certificates():
                changed = self._with_admissions(self._membership.certify(record.statements))
            case Admission():
                self._admissions[entry] = (record, author)
                for key in (record.device, bytes(author)):
                    self._concerned[key].add(entry)
                changed = self._adopt(entry)
            case _:
                changed = set()
        self._members.clear()
        if changed:
            self._verdicts.clear()
        return frozenset(changed)

    def certify(self, statements: Iterable[SignedStatement]) -> frozenset[DeviceId]:
        """Take certificates that came outside a feed, as in an enrolment grant."""
        return self.add(Certificates(tuple(statements)), DeviceId.zero(), EntryHash.zero())

    # Judging

    def standing(self, device: DeviceId, kind: int, scope: ScopeId) -> Standing:
        """Say whether facts of this kind by this device count in the scope of their feed.

        `scope` is the one in the feed's genesis: the operation's own, or the device's old one.
        """
        asked = (device, kind, scope)
        verdict = self._verdicts.get(asked)
        if verdict is None:
            if len(self._verdicts) >= VERDICTS_MAX:
                self._verdicts.clear()
            verdict = self._verdicts[asked] = self._judged(device, kind, scope)
        return verdict

    def scope_of(self, scope: ScopeId, device: DeviceId | None = None) -> ScopeId | None:
        """Return the operation's scope that this one is or has become; None = not ours.

        With `device`: for its feeds. Without: for anybody's, where one answer has to do.
        """
        if scope == _CONTROL or (self.charter and self.charter.scope(scope)):
            return scope
        of_device = (device, scope) if device is not None else None
        adopted = self._adopted.get(of_device) if of_device else self._became.get(scope)
        return None if adopted is None else adopted[1]

    def adopted(self) -> Mapping[tuple[DeviceId, ScopeId], ScopeId]:
        """All old scopes that admissions made the operation's, by device."""
        return {
            (DeviceId(device), ScopeId(old)): to
            for (device, old), (_, to) in sorted(self._adopted.items())
        }

    def may_link(
        self,
        agree: bytes,
        *,
        claimed: DeviceId | None = None,
        lower_ms: int = 0,
        upper_ms: int | None = None,
    ) -> DeviceId | None:
        """Return the device that a proved X25519 key belongs to; None = not one of ours, now.

        Args:
            claimed: Who the peer says it is, for a key that stands in two certificates.
            lower_ms: A time that has surely passed; upper_ms: one that surely has not come.
        """
        return self._membership.linked(agree, claimed=claimed, lower_ms=lower_ms, upper_ms=upper_ms)

    def may_rotate(self, device: DeviceId, scope: ScopeId) -> bool:
        """Whether a device may give the scope a new key: a coordinator of it, or above."""
        return any(
            authority.rank <= Rank.COORDINATOR and scope in authority.scopes
            for authority in self._membership.authorities(device)
        )

    def may_hold(self, device: DeviceId, scope: ScopeId) -> bool:
        """Whether a device may be handed this scope's entries, sealed as they are.

        The sender asks, on every carrier. Control goes to every member; a scope that is not
        the operation's goes to nobody.
        """
        authorities = self._membership.authorities(device)
        if self.charter is None or not authorities:
            return False
        if scope == _CONTROL:
            return True
        ours = self.scope_of(scope)
        terms = self.charter.scope(ours) if ours else None
        if terms is None:
            return False
        return terms.ciphertext_may_leave or self._under_law(device, terms)

    # Looking up

    def device(self, device: DeviceId, keys: Mapping[KeyId, bytes] | None = None) -> Member | None:
        """Return what is known of a device; None while no certificate of it stands.

        Args:
            keys: Scope keys that may open its name.
        """
        if keys:
            return self._look_up(device, keys)
        if device not in self._members:
            if len(self._members) >= VERDICTS_MAX:
                self._members.clear()
            self._members[device] = self._look_up(device, {})
        return self._members[device]

    def _look_up(self, device: DeviceId, keys: Mapping[KeyId, bytes]) -> Member | None:
        authorities = self._membership.authorities(device)
        if not authorities:
            return None
        certificates = self._membership.certificates(device)
        names = (open_name(each.sealed_name, subject=device, keys=keys) for each in certificates)
        highest = min(authorities, key=lambda each: (each.rank, each.root))
        org = self._membership.org(highest)
        ends = [authority.not_after_ms for authority in authorities]
        return Member(
            device=device,
            name=next(filter(None, names), ""),
            org=org.name,
            jurisdiction=org.jurisdiction,
            rank=highest.rank,
            roles=frozenset().union(*(each.roles for each in authorities)),
            scopes=frozenset().union(*(each.scopes for each in authorities)),
            agree=tuple(dict.fromkeys(each.agree for each in certificates if each.agree)),
            not_after_ms=max(ends) if all(ends) else 0,
        )

    def members(self) -> list[DeviceId]:
        """All devices and persons with a standing certificate, sorted."""
        return self._membership.subjects()

    def readers(self, scope: ScopeId) -> list[tuple[DeviceId, bytes]]:
        """Who is entitled to the keys of one of the operation's scopes: (device, X25519 key)."""
        terms = self.charter.scope(scope) if self.charter else None
        if terms is None:
            return []
        entitled = {
            (device, certificate.agree)
            for device in self.members()
            for certificate in self._membership.certificates(device)
            if certificate.agree
            and scope in certificate.scopes
            and (not terms.readers or not set(terms.readers).isdisjoint(certificate.roles))
            and self._under_law(device, terms)
        }
        return sorted(entitled)

    def chain(self, device: DeviceId) -> tuple[SignedStatement, ...]:
        """The certificates another node needs to judge this device, issuer first."""
        return self._membership.chain(device)

    def next_serial(self, issuer: DeviceId) -> int:
        """The number for the next new subject of this issuer."""
        return self._membership.next_serial(issuer)

    def reused_serials(self) -> list[tuple[DeviceId, int]]:
        """Issuers that gave one number to two subjects: proof that a count was broken."""
        return self._membership.reused_serials()

    def epochs(self, device: DeviceId) -> dict[bytes, FeedId]:
        """Epochs that standing admissions adopted for a device, with their control feeds."""
        return {
            epoch: FeedId(feed)
            for entry in sorted(self._concerned.get(device, ()), reverse=True)
            if self._admissions[entry][0].device == device and self._admits(entry)
            for epoch, feed in self._admissions[entry][0].epochs
        }

    # Inside

    def _with_admissions(self, grown: set[DeviceId]) -> set[DeviceId]:
        """Look again at the admissions of and by keys that have gained authority."""
        changed = set(grown)
        for key in grown:
            for entry in self._concerned.get(key, ()):
                changed |= self._adopt(entry)
        return changed

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
        admission, admitter = self._admissions[entry]
        if self.charter is None:
            return False
        old = {old for old, _ in admission.scopes}
        new = {new for _, new in admission.scopes}
        taken = old & {scope.id for scope in self.charter.scopes}
        return (
            self._membership.stands(admission.device, StatementHash(admission.certificate))
            and not taken
            and _CONTROL not in old
            and any(
                each.rank <= Rank.COORDINATOR and each.scopes >= new
                for each in self._membership.authorities(admitter)
            )
        )

    def _judged(self, device: DeviceId, kind: int, scope: ScopeId) -> Standing:
        authorities = self._membership.authorities(device)
        ours = self.scope_of(scope, device)
        if self.charter is None or not authorities or ours is None:
            return Standing.UNADMITTED
        if ours == _CONTROL:
            return Standing.STANDS
        roles = {role for each in authorities if ours in each.scopes for role in each.roles}
        allowed = any(
            not role.kinds or kind in role.kinds
            for role in self.charter.roles
            if role.number in roles
        )
        return Standing.STANDS if allowed else Standing.REFUSED

    def _under_law(self, device: bytes, terms: Scope) -> bool:
        """Whether the law a device stands under is one that may hold the scope."""
        laws = {
            self._membership.org(each).jurisdiction for each in self._membership.authorities(device)
        }
        return not terms.jurisdictions or not laws.isdisjoint(terms.jurisdictions)
