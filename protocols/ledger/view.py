"""What a command may ask the book while it is planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache

import msgspec

from protocols.errors import InputError
from protocols.ids import (
    PREFIX_BYTES,
    DeviceId,
    DocId,
    EncounterId,
    FactRef,
    PatientId,
    ScopeId,
    SiteId,
)
from protocols.ledger import counting, packs, tags
from protocols.ledger.book import Ledger
from protocols.records.encounter import EncounterRow
from protocols.records.shape import Fact, Row, RowType, columns
from protocols.trust.charter import Sensitivity

MATCHES_MAX = 20
"""Patients named in an `ambiguous` answer."""


@cache
def _names(table: type[Row]) -> tuple[str, ...]:
    return tuple(name for name, _ in columns(table))


class BookView:
    """The book as one command sees it; `protocols.records.shape.View`."""

    def __init__(
        self, ledger: Ledger, now_ms: int, entropy: Callable[[int], bytes] | None = None
    ) -> None:
        """Look at the book.

        Args:
            entropy: For who writes what it plans.
        """
        self._ledger = ledger
        self._entropy = entropy
        self._store = ledger.store
        self.now_ms = now_ms
        self._minted = 0
        self._packs: list[packs.HeldPack] | None = None
        """Looked up once for each command."""

    @property
    def scope(self) -> ScopeId:
        """The identified scope that care is written in."""
        return self._ledger.authority.care_scope

    def patient_named(self, text: str) -> PatientId:
        """Return the one patient whose id or short code this is.

        Raises:
            InputError: `not_found`, `ambiguous`.
        """
        found = self.patients_named(text)
        if len(found) != 1:
            raise InputError("ambiguous" if found else "not_found", field="patient")
        return found[0]

    def patients_named(self, text: str) -> Sequence[PatientId]:
        """Patients whose id or short code this is."""
        if text.startswith("pat_"):
            try:
                wanted = PatientId.parse(text)
            except InputError:
                return ()
            if self._ledger.authority.keyring.closed:
                # Who may not read may write: whoever reads it will know whether there is one.
                return (wanted,)
            row = self._store.one(
                "SELECT 1 FROM subject s JOIN patient p ON p.subject = s.no WHERE s.id = ?",
                (bytes(wanted),),
            )
            return (wanted,) if row else ()
        rows = self._store.all("SELECT id FROM patient WHERE code = ? LIMIT ?", (text, MATCHES_MAX))
        return [PatientId(row[0]) for row in rows]

    def patients_tagged(self, tag: str) -> Sequence[PatientId]:
        """Patients that carry this tag by a standing, unreplaced assertion."""
        return sorted(carrier.patient for carrier in tags.carriers(self._store, tag))

    def encounter_patient(self, encounter: EncounterId) -> PatientId | None:
        """The patient an encounter belongs to, or None when it is unknown here."""
        row = self._store.one(
            "SELECT s.id FROM document d JOIN subject s ON s.no = d.subject"
            " WHERE d.encounter = ? LIMIT 1",
            (bytes(encounter),),
        )
        return PatientId(row[0]) if row else None

    def open_encounters(self, patient: PatientId) -> Sequence[EncounterId]:
        """Encounters of the patient that are not closed, newest first."""
        merger = self._ledger.merger
        found = merger.subject(patient)
        if found is None or not merger.may_have(found[0], EncounterRow):
            return []
        rows = self._store.all(
            "SELECT id FROM encounter WHERE subject = ?"
            " AND closed_ms IS NULL AND replaced = 0 ORDER BY opened_ms DESC, id",
            (found[0],),
        )
        return [EncounterId(row[0]) for row in rows]

    def facts(self, subject: DocId) -> Sequence[Fact]:
        """All facts of a subject, in display order."""
        merger = self._ledger.merger
        found = merger.subject(subject)
        return merger.facts_of(found[0]) if found else []

    def subject_of(self, ref: FactRef) -> DocId | None:
        """The subject of a fact's document, or None when the fact is unknown here."""
        row = self._store.one(
            "SELECT j.id FROM entry e JOIN document d ON d.no = e.doc"
            " JOIN subject j ON j.no = d.subject WHERE e.arrival = ?",
            (self._ledger.chain.names.find(ref.entry),),
        )
        return DocId(row[0]) if row else None

    def sites(self) -> Sequence[SiteId]:
        """All sites known here."""
        return [SiteId(row[0]) for row in self._store.all("SELECT id FROM site")]

    @property
    def home_site(self) -> SiteId | None:
        """Where this device works: the site it registered first."""
        row = self._store.one(
            "SELECT s.id FROM site s JOIN entry e ON e.arrival = s.entry"
            " JOIN feed f ON f.no = e.feed WHERE f.device = ? AND s.replaced < 2"
            " ORDER BY s.entry LIMIT 1",
            (self._ledger.authority.device,),
        )
        return SiteId(row[0]) if row else None

    @property
    def device(self) -> DeviceId:
        """The device this is written on."""
        return self._ledger.authority.device

    @property
    def organisation(self) -> str:
        """Whose device this is; '' while it belongs to nobody."""
        member = self._ledger.authority.roster.device(self.device)
        return member.org if member else ""

    def fresh_subject(self) -> bytes | None:
        """16 random bytes to count a new encounter under; None where nothing is counted."""
        if self._entropy is None or not counting.writes(self._ledger, Sensitivity.AGGREGATE):
            return None
        return self._entropy(PREFIX_BYTES)

    @property
    def protects(self) -> bool:
        """Whether this device has a protection scope that it can write in, a sealed one too."""
        authority = self._ledger.authority
        if authority.keyring.closed:
            return authority.scope_for(Sensitivity.PROTECTION) is not None
        return counting.writes(self._ledger, Sensitivity.PROTECTION)

    def rows_where(self, table: type[RowType], column: str, value: object) -> Sequence[RowType]:
        """Rows of a table in which an indexed column holds a value, in the order of their keys."""
        assert column in table.INDEXED
        names = _names(table)
        found = self._store.all(
            f"SELECT {', '.join(names)} FROM {table.TABLE} WHERE {column} = ?"
            " ORDER BY subject, entry, idx",
            (bytes(value) if isinstance(value, bytes) else value,),
        )
        return [table(**dict(zip(names, each, strict=True))) for each in found]

    def pack(self, name: str) -> msgspec.Struct | None:
        """The contents of a pack as this node works by it; None when there is none of the name."""
        if self._packs is None:
            self._packs = packs.held(self._ledger)
        return packs.used_of(self._packs, name)

    def next_code_no(self) -> int:
        """The next unused number for a short code of this device and epoch."""
        name = f"code_no:{self._ledger.authority.epoch!s}"
        row = self._store.one("SELECT value FROM meta WHERE name = ?", (name,))
        number = int(row[0]) if row else 0
        self._store.execute(
            "INSERT OR REPLACE INTO meta VALUES (?,?)", (name, str(number + 1).encode())
        )
        return number
