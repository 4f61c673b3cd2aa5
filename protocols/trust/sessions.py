"""Who sat at a device: attestations, and the person that an entry's session names."""

from __future__ import annotations

from collections import defaultdict

from protocols.ids import DeviceId, StatementHash
from protocols.trust.certificates import Certificate, Rank
from protocols.trust.control import Attestation, Place, attested
from protocols.trust.identity import verify
from protocols.trust.membership import Membership

Session = tuple[int, bytes]
"""Seq of the attestation in the same control feed and how its hash begins; seq 0 = nobody."""
NOBODY: Session = (0, b"")


class Sessions:
    """All attestations held."""

    def __init__(self, membership: Membership) -> None:
        self._membership = membership
        self._held: defaultdict[tuple[bytes, bytes, int], list[tuple[Place, Attestation]]]
        self._held = defaultdict(list)
        self._signed: dict[bytes, bool] = {}
        """By entry: whether the person signed it. Asked only once the certificate is here."""

    def add(self, record: Attestation, place: Place) -> None:
        """Take one attestation."""
        self._held[place.author, place.epoch, place.seq].append((place, record))

    def persons(
        self, device: bytes, epoch: bytes, session: Session
    ) -> list[tuple[Place, Certificate]]:
        """Return who took the device in this session: one, or none while it is not known."""
        seq, stub = session
        found = [
            (place, certificate)
            for place, record in self._held.get((device, epoch, seq), ())
            if stub
            and place.entry.startswith(stub)
            and (certificate := self._person(place, record)) is not None
        ]
        return sorted(found, key=lambda each: each[0].entry)

    def devices_of(self, person: DeviceId) -> set[DeviceId]:
        """Return where a person ever took a device."""
        return {place.author for place in self.places_of(person)}

    def places_of(self, person: DeviceId) -> list[Place]:
        """Return where a person's attestations stand, in the order of device, epoch and seq."""
        return sorted(
            place
            for several in self._held.values()
            for place, record in several
            if (certificate := self._person(place, record)) and certificate.subject == person
        )

    def attested(self, device: bytes, epoch: bytes) -> list[tuple[Place, Attestation]]:
        """Return all attestations of one life of a device, in their order."""
        found = [
            each
            for (who, life, _), several in self._held.items()
            if (who, life) == (device, epoch)
            for each in several
        ]
        return sorted(found, key=lambda each: (each[0].seq, each[0].entry))

    def _person(self, place: Place, record: Attestation) -> Certificate | None:
        certificate = self._membership.held_by(StatementHash(record.person))
        if certificate is None or certificate.rank != Rank.PERSON:
            return None
        signed = self._signed.get(place.entry)
        if signed is None:
            text = attested(place.author, place.epoch, record.person, record.started_ms)
            signed = verify(certificate.subject, text, record.signature)
            self._signed[place.entry] = signed
        return certificate if signed else None
