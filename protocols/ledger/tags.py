"""Who carries a tag, and which tags several patients carry: asked of rows, never of a screen.

A tag is an identifier that somebody stated. Two nodes apart may give one tag to two patients, and
both statements are kept; so this is found after every merge, wherever the two meet, and it ends
when one patient no longer carries the tag. `tg-12` is `TG-12`, here as wherever tags are compared:
the rows' columns are.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.ids import PatientId
from protocols.ledger.store import Store
from protocols.trust.standing import Standing

FINDABLE = (int(Standing.STANDS), int(Standing.UNADMITTED), int(Standing.UNCHECKED))
"""A tag stated by a writer who is not admitted yet counts: better a doubt than a second patient."""

SHARED_MAX = 200
"""Tags of one answer."""

CARRIERS_MAX = 20
"""Patients named for one tag."""

_FOUND = f"({', '.join(map(str, FINDABLE))})"

_IN_CARE = "p.encounter IS NOT NULL AND p.closed_ms IS NULL AND p.replaced < 2"

_NEWEST = f"""
SELECT p.id, p.code FROM patient p WHERE p.tag = ? AND p.standing IN {_FOUND}
 AND NOT EXISTS (SELECT 1 FROM tag t WHERE t.subject = p.subject AND t.tag = p.tag
                 AND t.standing NOT IN {_FOUND})
 ORDER BY p.code, p.id LIMIT {CARRIERS_MAX}"""

_OLDER = f"""
SELECT p.id, p.code FROM tag t JOIN patient p ON p.subject = t.subject
 WHERE t.tag = ? AND t.standing IN {_FOUND} ORDER BY p.code, p.id LIMIT {CARRIERS_MAX}"""


_WORN_IN_CARE = f"""
SELECT 1 FROM patient p WHERE p.tag = ? AND {_IN_CARE} UNION ALL
SELECT 1 FROM tag t JOIN patient p ON p.subject = t.subject WHERE t.tag = ? AND {_IN_CARE}
LIMIT 1"""


class Carrier(NamedTuple):
    """A patient who carries a tag."""

    patient: PatientId
    code: str


class SharedTag(NamedTuple):
    """A tag that several patients carry."""

    tag: str
    """In capitals: each of them may have written it in another case."""
    carriers: tuple[Carrier, ...]


def carriers(store: Store, tag: str) -> list[Carrier]:
    """Return all who carry a tag, by their newest statement of it or an older one that is current.

    Args:
        store: Of the ledger.
        tag: As it is written on the band, in whatever case.
    """
    # Asked apart: as one question it costs twice as much, and every command asks it.
    found = {
        (code, patient)
        for question in (_NEWEST, _OLDER)
        for patient, code in store.all(question, (tag,))
    }
    return [Carrier(PatientId(patient), code) for code, patient in sorted(found)[:CARRIERS_MAX]]


def shared_in_ward(store: Store) -> list[SharedTag]:
    """Return the tags of patients in care that somebody else carries too."""
    return _shared(store, f"FROM patient p WHERE {_IN_CARE}", ())


def shared_now(store: Store, tag: str) -> SharedTag | None:
    """Return one tag with its carriers, if somebody in care carries it and another patient too."""
    found = carriers(store, tag)
    if len(found) < 2 or store.one(_WORN_IN_CARE, (tag, tag)) is None:
        return None
    return SharedTag(tag, tuple(found))


def folded(tag: str) -> str:
    """Return a tag as `SharedTag` names it: letters of ASCII in capitals, as rows compare them."""
    return tag.encode().upper().decode()


def shared_by(store: Store, patients: Sequence[bytes]) -> list[SharedTag]:
    """Return the tags of these patients that somebody else carries too."""
    marks = ", ".join("?" * len(patients))
    return _shared(
        store,
        f"FROM subject s JOIN patient p ON p.subject = s.no WHERE s.id IN ({marks})",
        tuple(map(bytes, patients)),
    )


def _shared(store: Store, whose: str, values: tuple[bytes, ...]) -> list[SharedTag]:
    """Look the tags of some patients up among everybody's, then ask who stands by each."""
    # Crossed in this order: the few patients first, then what each of them wears.
    candidates = store.all(
        f"WITH some AS MATERIALIZED (SELECT p.subject {whose}), worn AS ("
        " SELECT p.subject, p.tag FROM some CROSS JOIN patient p ON p.subject = some.subject"
        " WHERE p.tag <> '' UNION ALL"
        " SELECT t.subject, t.tag FROM some CROSS JOIN tag t ON t.subject = some.subject)"
        " SELECT DISTINCT upper(w.tag) FROM worn w WHERE"
        " EXISTS (SELECT 1 FROM patient q WHERE q.tag = w.tag AND q.subject <> w.subject)"
        " OR EXISTS (SELECT 1 FROM tag q WHERE q.tag = w.tag AND q.subject <> w.subject)"
        f" ORDER BY 1 LIMIT {SHARED_MAX}",
        values,
    )
    found = (SharedTag(tag, tuple(carriers(store, tag))) for (tag,) in candidates)
    return [shared for shared in found if len(shared.carriers) > 1]
