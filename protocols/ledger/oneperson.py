"""All records of one person, as far as people linked them, and what all of them say together."""

from __future__ import annotations

import msgspec

from protocols.ids import PatientId
from protocols.ledger import reading
from protocols.ledger.book import Ledger
from protocols.records.patient import PatientRow

PERSON_RECORDS_MAX = 32
"""Records of one person that are read together; more were linked by mistake."""

_NONE_KNOWN, _LISTED = 1, 2
_SAME = " AND relation = 0 AND linked = 1 AND standing = 0 AND replaced = 0"
"""What a link says that two records are of one person by."""


def same_person(ask: object, patient: bytes) -> list[bytes]:
    """Return all records that people said to be of one person, the one asked about first."""
    assert callable(ask)
    found, asked = {bytes(patient): None}, [bytes(patient)]
    while asked and len(found) < PERSON_RECORDS_MAX:
        one = asked.pop()
        linked = ask(
            f"SELECT other FROM link WHERE patient = ?{_SAME}"
            f" UNION SELECT patient FROM link WHERE other = ?{_SAME} ORDER BY 1",
            (one, one),
        )
        for (other,) in linked:
            if bytes(other) not in found:
                found[bytes(other)] = None
                asked.append(bytes(other))
    return list(found)


def seen_twice(ask: object, session: bytes, since_ms: int) -> tuple[int, int]:
    """Return how many records more than persons have doses in a session, given or not.

    It costs what the session holds, not what was ever linked: it is asked after every child.

    Args:
        ask: `Store.all`.
        session: Its id.
        since_ms: An instant, Unix milliseconds.

    Returns:
        In the whole session, and of what was recorded after that instant.
    """
    assert callable(ask)
    linked = ask(
        "SELECT d.patient, max(d.at_ms) FROM dose d WHERE d.session = ? AND d.standing = 0"
        f" AND d.replaced = 0 AND (EXISTS (SELECT 1 FROM link l WHERE l.patient = d.patient{_SAME})"
        f" OR EXISTS (SELECT 1 FROM link l WHERE l.other = d.patient{_SAME})) GROUP BY d.patient",
        (session,),
    )
    last = {bytes(one): at_ms for one, at_ms in linked}
    whole = late = 0
    looked_at: set[bytes] = set()
    for one in last:
        if one not in looked_at:
            person = [each for each in same_person(ask, one) if each in last]
            looked_at.update(person)
            whole += len(person) - 1
            late += max(sum(last[each] > since_ms for each in person) - 1, 0)
    return whole, late


def with_allergies(ledger: Ledger, row: PatientRow) -> PatientRow:
    """Return a patient's row with the allergies of every record of that person at its head.

    What one record lists holds for the person; *none known* in another one is then unsettled.
    """
    others = [
        found
        for each in same_person(ledger.store.all, row.id)[1:]
        if (found := reading.patient(ledger, PatientId(each))) is not None
    ]
    if not others:
        return row
    states = {row.allergy, *(other.allergy for other in others)}
    said = (words for one in (row, *others) for words in one.allergies.split("; ") if words)
    return msgspec.structs.replace(
        row,
        allergy=max(states),
        allergies="; ".join(dict.fromkeys(said)),
        allergy_open=int(
            any(one.allergy_open for one in (row, *others)) or {_NONE_KNOWN, _LISTED} <= states
        ),
    )
