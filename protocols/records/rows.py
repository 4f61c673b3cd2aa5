"""Rows and facts in words: JSON for other programs, pairs of text for the chart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from protocols.ids import EncounterId, EntryPrefix, FactRef, PatientId, SiteId
from protocols.records import attributes as names
from protocols.records import care, immunization, pack, supplies
from protocols.records.acceptance import ResultAccept
from protocols.records.attributes import BY_NUMBER, Category, EncounterClass, Sex, word, words_of
from protocols.records.barcode import BarcodeTeach
from protocols.records.barcode import own_words as barcode_words
from protocols.records.catalogue import BY_NUMBER as KIND_BY_NUMBER
from protocols.records.confirmation import TriageConfirm
from protocols.records.correction import EntryRetract
from protocols.records.display import clean_text
from protocols.records.encounter import OUTCOMES, EncounterClose
from protocols.records.history import History, Said
from protocols.records.kinds import KindNo
from protocols.records.moment import iso as iso
from protocols.records.note import NOTE_CHARS_MAX, TOPICS, NoteAdd
from protocols.records.observation import ABSENT, ObservationRecord, ResultAssign, in_words
from protocols.records.patient import RELATIONS, PatientLink, PatientUnlink
from protocols.records.planning import CLOCK_DOUBTFUL
from protocols.records.shape import Circumstances, Fact, Row, Source
from protocols.trust.standing import Standing

REPLACED = ("", "superseded", "entered-in-error")

Pairs = tuple[tuple[str, str], ...]


class Shown(NamedTuple):
    """One attribute as the chart lists it: several statements with different values = unsettled."""

    name: str
    encounter: EncounterId | None
    said: tuple[Said, ...]
    """Those that stand first, then those that do not; each with its fact."""


def to_json(row: Row) -> dict[str, Any]:
    """Return a row for another program: words for codes, printable ids, ISO instants.

    What the ledger joins (id of the fact, author, feed, seq, scope, recorded_at) is not here.
    """
    found: dict[str, Any] = {"table": row.TABLE}
    for name in row.__struct_fields__:
        value = getattr(row, name)
        if name in ("entry", "idx") or name.startswith("age_"):
            continue
        if name.endswith("_ms"):
            stem = name.removesuffix("_ms")
            found[stem if stem.endswith("at") else f"{stem}_at"] = iso(value)
        elif name == "supersedes":
            found[name] = _references(value)
        elif (row.TABLE, name) in supplies.COLUMNS:
            found[name] = supplies.COLUMNS[row.TABLE, name](value)
        elif (row.TABLE, name) in pack.COLUMNS:
            found[name] = pack.COLUMNS[row.TABLE, name](value)
        elif (row.TABLE, name) in immunization.COLUMNS:
            found[name] = immunization.COLUMNS[row.TABLE, name](value)
        elif name == "id":
            found["id"] = str(_ID_OF[row.TABLE](value))
        elif name in _WORDS:
            found[_RENAMED.get(name, name)] = None if value is None else _WORDS[name](value)
        else:
            found[name] = value
    if hasattr(row, "age_value"):
        found["age"] = _age(row)
    return found


_UNNAMED = {
    int(KindNo.DOCUMENT_OPEN): "document.open",
    int(KindNo.ENCOUNTER_COUNTED): "encounter.counted",
}
"""What is shown of kinds that no command writes."""


def kind_name(number: int) -> str:
    """Return the name of a kind; `#n` when this software does not know it."""
    kind = KIND_BY_NUMBER.get(number)
    return f"#{number}" if kind is None else kind.name or _UNNAMED[number]


def summary(fact: Fact) -> Pairs:
    """Return what a fact says, as (catalogue key or code, cleaned text with unit) pairs."""
    record = fact.record
    if record is None:
        return (("unreadable", kind_name(fact.kind)),)
    said = [
        (BY_NUMBER[number].name if number in BY_NUMBER else f"#{number}", words_of(number, value))
        for number, value in record.asserts()
    ]
    said += _own_words(record)
    if isinstance(record, NoteAdd) and record.about is not None:
        prefix, index = record.about
        whole = (prefix or fact.doc_id)[:16] + (index & 0xFFFF).to_bytes(2)
        said += [("addendum", next(iter(_references(whole)), ""))]
    circumstances = record.circumstances
    if circumstances is not None:
        said += [
            (name, clean_text(text))
            for name, text in (
                ("precision", circumstances.precision),
                ("by", circumstances.by),
                ("source", word(Source, circumstances.source) if circumstances.source else ""),
                ("device", " ".join(filter(None, circumstances.device or ()))),
                ("reason", circumstances.reason),
                ("clock", _clock_doubt(circumstances)),
            )
            if text
        ]
    return tuple(said)


def _clock_doubt(circumstances: Circumstances) -> str:
    return "doubtful" if CLOCK_DOUBTFUL in circumstances.confirmed else ""


def fact_json(fact: Fact) -> dict[str, Any]:
    """Return a fact for another program, whatever its kind; the ledger joins the rest."""
    return {
        "id": str(fact.ref),
        "kind": kind_name(fact.kind),
        "standing": standing_word(fact.standing),
        "at": iso(fact.at_ms),
        "supersedes": _references(History(fact.doc_id, (fact,)).supersedes(fact)),
        "said": dict(summary(fact)),
    }


def attributes(history: History) -> list[Shown]:
    """Return every attribute with its current statements, in the order of their numbers."""
    keys = sorted(
        history.now.keys() | history.beside.keys(), key=lambda key: (key[1], key[0] or b"")
    )
    return [
        Shown(
            BY_NUMBER[number].name,
            encounter,
            (
                *history.now.get((encounter, number), ()),
                *history.beside.get((encounter, number), ()),
            ),
        )
        for encounter, number in keys
        if number in BY_NUMBER
    ]


def standing_word(standing: int) -> str:
    """Return a standing as a word: `stands`, `unadmitted` and so on."""
    return word(Standing, standing)


def _own_words(record: Any) -> list[tuple[str, str]]:
    own = care.own_words(record) or supplies.own_words(record) or immunization.own_words(record)
    if own:
        return own
    match record:
        case ObservationRecord():
            name, value, unit = in_words(record)
            text = value or _pick(ABSENT, record.absent)
            said = [(name, f"{text} {unit}".strip()), *_if_any("remark", record.text)]
            return [*said, *_if_any("claimed", record.claimed)]
        case NoteAdd():
            return [(_pick(TOPICS, record.topic), clean_text(record.text, NOTE_CHARS_MAX))]
        case BarcodeTeach():
            return barcode_words(record)
        case EncounterClose():
            outcome = _pick(tuple(name for name, _ in OUTCOMES), record.outcome)
            return [
                ("outcome", outcome),
                *_if_any("text", record.text),
                *_if_any("destination", record.destination),
            ]
        case PatientLink() | PatientUnlink():
            key = "link" if isinstance(record, PatientLink) else "unlink"
            return [
                (key, _pick(RELATIONS, record.relation)),
                ("other", _patient(record.other) or ""),
            ]
        case ResultAssign():
            return [("assigned", _patient(record.patient) or "")]
        case TriageConfirm():
            return [("confirms", "1")]
        case ResultAccept():
            return [("accepts", str(len(record.results)))]
        case EntryRetract():
            return [("retract", str(len(record.supersedes)))]
    return _triage_words(record)


def _triage_words(record: Any) -> list[tuple[str, str]]:
    if not hasattr(record, "algorithm"):
        return []
    inputs = " ".join(f"{name}={value}" for name, value in record.inputs.items())
    return [
        *_if_any("algorithm", f"{record.algorithm} {record.version}".strip()),
        *_if_any("inputs", inputs),
        *_if_any("alerts", " ".join(record.alerts)),
    ]


def _if_any(key: str, text: str) -> list[tuple[str, str]]:
    return [(key, clean_text(text))] if text else []


def _pick(words: Sequence[str], position: int) -> str:
    return words[position] if 0 <= position < len(words) else f"#{position}"


def _patient(raw: bytes) -> str | None:
    return str(PatientId(raw)) if len(raw) == PatientId.SIZE else None


def _encounter(raw: bytes) -> str | None:
    return str(EncounterId(raw)) if len(raw) == EncounterId.SIZE else None


def _site(raw: bytes) -> str | None:
    return str(SiteId(raw)) if len(raw) == SiteId.SIZE else None


def _references(raw: bytes | None) -> list[str]:
    whole = raw or b""
    return [
        str(FactRef(EntryPrefix(whole[at : at + 16]), int.from_bytes(whole[at + 16 : at + 18])))
        for at in range(0, len(whole) - 17, 18)
    ]


def _reference(raw: bytes | None) -> str | None:
    return next(iter(_references(raw)), None)


def _age(row: Any) -> dict[str, Any] | None:
    if row.age_value is None:
        return None
    return {
        "value": str(row.age_value),
        "unit": names.AGE_WORDS.get(row.age_unit, "?"),
        "estimated": bool(row.age_estimated),
        "stated": (iso(row.age_day * 86_400_000) or "")[:10] or None if row.age_day else None,
    }


_ID_OF: dict[str, Callable[[bytes], Any]] = {
    "patient": PatientId,
    "encounter": EncounterId,
    "site": SiteId,
}
_RENAMED = {"care": "class"}
_WORDS: dict[str, Callable[[Any], Any]] = {
    "kind": kind_name,
    "standing": standing_word,
    "replaced": lambda value: REPLACED[value] or None,
    "patient": _patient,
    "other": _patient,
    "encounter": _encounter,
    "site": _site,
    "part_of": _site,
    "subject_id": bytes.hex,
    "about": lambda value: value if isinstance(value, str) else _reference(value),
    "confirms": lambda value: _reference(value),
    "confirmed": lambda value: _references(value),
    "accepted": lambda value: _references(value),
    "sex": lambda value: word(Sex, value),
    "triage": lambda value: word(Category, value),
    "category": lambda value: word(Category, value),
    "care": lambda value: word(EncounterClass, value),
    "outcome": lambda value: _pick(tuple(name for name, _ in OUTCOMES), value),
    "type": lambda value: word(names.SiteType, value),
    "relation": lambda value: _pick(RELATIONS, value),
    "source": lambda value: word(Source, value),
    **care.WORDS,
    **dict.fromkeys(
        (
            "linked",
            "in_error",
            "triage_open",
            "reassess",
            "urgent",
            "unproven",
            "unassigned",
            "counts",
            "unconfirmed",
            "unaccepted",
        ),
        bool,
    ),
}
