"""Which certificates stand: the part of the roster that grows from the charter's roots downward.

Standing only ever grows, so the order of arrival cannot matter: a certificate stands as soon as
some standing authority of its issuer allows it, and ranks strictly fall, so nothing goes round.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from protocols.errors import PeerError
from protocols.ids import DeviceId, OperationId, StatementHash
from protocols.trust.certificates import (
    Authority,
    Certificate,
    granted,
    open_certificate,
    refusal,
    root_authority,
    time_refusal,
)
from protocols.trust.charter import Charter, Org, SignedCharter, open_charter, operation_id
from protocols.trust.statements import SignedStatement, statement_hash, verify_statement

FOREVER_MS = 2**48
"""Later than any certificate can end."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One authentic certificate, standing or not."""

    hash: StatementHash
    statement: SignedStatement
    certificate: Certificate


class Membership:
    """The charter, and all certificates that stand under it."""

    def __init__(self, operation: OperationId) -> None:
        self.operation = operation
        self.charter: Charter | None = None
        self._held: dict[StatementHash, _Held] = {}
        self._issued: dict[bytes, list[_Held]] = defaultdict(list)
        self._standing: dict[bytes, dict[StatementHash, dict[bytes, Authority]]] = {}
        """By subject, certificate and root key: the authority it gives."""
        self._by_agree: dict[bytes, set[DeviceId]] = defaultdict(set)

    def found(self, signed: SignedCharter) -> set[DeviceId]:
        """Take the operation's charter; return the keys that have gained authority."""
        if self.charter is not None or operation_id(signed.body) != self.operation:
            return set()
        try:
            self.charter = open_charter(signed)
        except PeerError:
            return set()
        grown = {DeviceId(org.root) for org in self.charter.orgs}
        for org in self.charter.orgs:
            grown |= self._judge_below(org.root)
        return grown

    def certify(self, statements: Iterable[SignedStatement]) -> set[DeviceId]:
        """Take certificates; return the keys that have gained authority."""
        grown: set[DeviceId] = set()
        for statement in statements:
            held = self._authentic(statement)
            if held is not None:
                self._held[held.hash] = held
                self._issued[statement.issuer].append(held)
                grown |= self._judge(held)
        return grown

    def subjects(self) -> list[DeviceId]:
        """All devices and persons with a standing certificate, sorted."""
        return sorted(DeviceId(key) for key in self._standing)

    def stands(self, subject: bytes, certificate: StatementHash) -> bool:
        """Whether this certificate stands and is this subject's."""
        return certificate in self._standing.get(subject, {})

    def authorities(self, key: bytes) -> list[Authority]:
        """All that a key may do: as a root, and by each of its certificates."""
        root = root_authority(self.charter, key) if self.charter else None
        below = [
            authority
            for by_root in self._standing.get(key, {}).values()
            for authority in by_root.values()
        ]
        return below if root is None else [root, *below]

    def org(self, authority: Authority) -> Org:
        """The organisation that an authority comes from."""
        org = self.charter.org_of(authority.root) if self.charter else None
        assert org is not None
        return org

    def certificates(self, device: bytes) -> list[Certificate]:
        """Standing certificates of a device, the newest first."""
        held = [self._held[name] for name in self._standing.get(device, {})]
        held.sort(key=lambda each: (-each.certificate.not_before_ms, each.hash))
        return [each.certificate for each in held]

    def linked(
        self,
        agree: bytes,
        *,
        claimed: DeviceId | None = None,
        lower_ms: int = 0,
        upper_ms: int | None = None,
    ) -> DeviceId | None:
        """As `Roster.may_link`."""
        devices = {
            device
            for device in self._by_agree.get(agree, ())
            for statement, authorities in self._standing[device].items()
            if self._held[statement].certificate.agree == agree
            and not all(time_refusal(each, lower_ms, upper_ms) for each in authorities.values())
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

    def _authentic(self, statement: SignedStatement) -> _Held | None:
        name = statement_hash(statement)
        if name in self._held:
            return None
        try:
            certificate = open_certificate(statement)
        except PeerError:
            return None
        if certificate.operation != self.operation or not verify_statement(statement):
            return None
        return _Held(name, statement, certificate)

    def _judge(self, held: _Held) -> set[DeviceId]:
        """See whether a certificate stands now, and all that hangs on it."""
        subject = DeviceId(held.certificate.subject)
        given = self._standing.get(subject, {}).get(held.hash, {})
        grown = {
            parent.root: granted(parent, held.certificate)
            for parent in self.authorities(held.statement.issuer)
            if parent.root not in given and not refusal(parent, held.certificate, self.operation)
        }
        if not grown:
            return set()
        self._standing.setdefault(subject, {}).setdefault(held.hash, {}).update(grown)
        if held.certificate.agree:
            self._by_agree[held.certificate.agree].add(subject)
        return self._judge_below(subject) | {subject}

    def _judge_below(self, issuer: bytes) -> set[DeviceId]:
        grown: set[DeviceId] = set()
        for held in tuple(self._issued.get(issuer, ())):
            grown |= self._judge(held)
        return grown

    def _link(self, key: bytes, below: Certificate | None) -> _Held | None:
        """The standing certificate of a key that allows the link below it."""
        fit = [
            self._held[name]
            for name, by_root in self._standing.get(key, {}).items()
            if below is None
            or any(not refusal(each, below, self.operation) for each in by_root.values())
        ]
        # The one that lasts longest: a renewal must not hide behind what it renews.
        return min(
            fit,
            key=lambda each: (-(each.certificate.not_after_ms or FOREVER_MS), each.hash),
            default=None,
        )
