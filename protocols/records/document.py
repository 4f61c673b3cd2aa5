"""What a document is about: the first fact of the first entry of every document."""

from __future__ import annotations

from typing import NamedTuple

from protocols.ids import PREFIX_BYTES, DocId, EncounterId
from protocols.records.kinds import KindNo
from protocols.records.shape import Draft, Kind, NewFact, Small, Statement, SubjectKind

# fields


class DocumentOpen(Statement, frozen=True):
    """Names the subject; written by the ledger, never by a command."""

    subject_kind: Small = SubjectKind.PATIENT
    """A `SubjectKind`; of one that is not known here the document is about nothing yet."""
    subject: bytes = b""
    """Id of the subject; empty: this document founds it and lends its own id."""
    encounter: bytes | None = None
    """None: a document of the subject itself; empty: this document founds the encounter."""
    predecessors: tuple[tuple[bytes, tuple[bytes, ...]], ...] = ()
    """In a successor: the full documents before it, each with the heads its writer knew."""

    def __post_init__(self) -> None:
        """Refuse ids that are none: such a document has no subject for anybody."""
        for value in (self.subject, self.encounter or b""):
            if len(value) not in (0, PREFIX_BYTES):
                raise ValueError("id")

    def subject_id(self, document: DocId) -> DocId:
        """Return the subject, given the id of the document this fact opens."""
        return DocId(self.subject) if self.subject.strip(b"\0") else document

    def encounter_id(self, document: DocId) -> EncounterId | None:
        """Return the encounter the document belongs to, or None."""
        if self.encounter is None:
            return None
        return EncounterId(self.encounter or document)


# commands: none; the ledger opens a document when a draft needs one


# apply


def opening(
    draft: Draft,
    subject: DocId | None,
    encounter: EncounterId | None,
    predecessors: tuple[tuple[bytes, tuple[bytes, ...]], ...] = (),
) -> NewFact:
    """Return fact 0 of a new document for `draft`.

    Args:
        draft: What is about to be written.
        subject: Its subject once known; None when the new document founds it.
        encounter: Its encounter once known; ignored when the draft founds one.
        predecessors: (document, heads) of the full documents that this one continues.
    """
    return NewFact(
        KindNo.DOCUMENT_OPEN,
        DocumentOpen(
            subject_kind=int(draft.subject_kind),
            subject=bytes(subject or b""),
            encounter=b"" if draft.founds_encounter else encounter and bytes(encounter),
            predecessors=predecessors,
        ),
    )


# rows: none; `History` reads the encounter from here


class Opened(NamedTuple):
    """What the ledger keeps of a document."""

    subject_kind: SubjectKind
    subject: DocId
    encounter: EncounterId | None


def opened(record: Statement | None, document: DocId) -> Opened | None:
    """Return what a document is about, or None when its first fact does not say."""
    if not isinstance(record, DocumentOpen):
        return None
    try:
        kind = SubjectKind(record.subject_kind)
    except ValueError:
        return None
    return Opened(kind, record.subject_id(document), record.encounter_id(document))


KIND = Kind(number=KindNo.DOCUMENT_OPEN, name="", value=DocumentOpen)

# merge note: two people who open a document for one subject apart make two documents; rows read
# both, and writers go on in the one with the smallest id.
