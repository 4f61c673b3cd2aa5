"""The current picture of one patient: what boards, searches and unsettled lists read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from protocols.ids import EncounterId
from protocols.records import allergy
from protocols.records import attributes as names
from protocols.records.attributes import BY_NUMBER, Age, Category, Sex
from protocols.records.born import Between, born_apart
from protocols.records.contested import Contest
from protocols.records.custody import custody
from protocols.records.display import clean_text
from protocols.records.encounter import STRICTNESS, EncounterRow
from protocols.records.history import History, Said, unsettled
from protocols.records.identity import short_code
from protocols.records.kinds import KindNo
from protocols.records.patient import AssertionRow, PatientRow, TagRow
from protocols.records.shape import Fact
from protocols.records.triage import RANK, REASSESS, TriageRecord

_OPEN = int(KindNo.DOCUMENT_OPEN)


def patient_row(
    history: History, stays: Sequence[EncounterRow], contests: Sequence[Contest] = ()
) -> PatientRow:
    """Return the current picture, from what stands; what nothing that stands says, from beside.

    Args:
        contests: What is unsettled of the patient's care.
    """
    live = history.alive
    founding = _founding(history)
    shown = _Shown(history)
    age: Age | None = shown.last(names.AGE)
    born: int | None = shown.last(names.BIRTH_DATE)
    family = clean_text(shown.last(names.FAMILY_NAME) or "")
    given = clean_text(shown.last(names.GIVEN_NAME) or "")
    tags = shown.all(names.TAGS)
    reacts, stand = allergy.asked(history), custody(history)
    stay = _stay(stays)
    values = _of_age(age, born_apart(history))
    if stay is not None:
        values |= _of_stay(stay, stays)
    return PatientRow(
        entry=founding.entry,
        idx=founding.index,
        kind=founding.kind,
        standing=0 if live else founding.standing,
        at_ms=founding.at_ms,
        replaced=0 if live or founding.standing else history.replaced(founding),
        id=history.subject,
        code=_code(history),
        name=f"{family} {given}".strip(),
        family=family,
        given=given,
        also=_also(shown, tags),
        tag=clean_text(tags[-1]) if tags else "",
        sex=_sex(shown.said(names.SEX)),
        birth_date=None if born is None else names.date_text(born),
        band=_band(shown, age, born, founding),
        unsettled=_unsettled(history, stay, stays) + len(contests),
        urgent=int(values.get("triage") == Category.RED or _alerted(history, stay)),
        unproven=int(shown.unproven or reacts.unproven),
        custody=stand.state if stand else 0,
        keeper=clean_text(" / ".join(stand.keepers)) if stand else "",
        allergy=reacts.state,
        allergies=reacts.words,
        allergy_open=int(reacts.unsettled > 0),
        **values,
    )


def tag_rows(history: History) -> list[TagRow]:
    """Return every current tag but the newest, which is in the patient's row.

    Tags that do not stand are all here, marked, the one in the patient's row too: that row is
    marked by who founded it, not by who stated the tag.
    """
    said = history.now.get((None, names.TAGS), ())
    beside = history.beside.get((None, names.TAGS), ())
    carried = {tag: one.fact for one in (*beside, *said) for tag in one.value or ()}
    newest = _newest_tag(said)
    if not carried or (len(carried) == 1 and newest in carried):
        return []
    return [
        TagRow(
            entry=fact.entry,
            idx=fact.index | number + 1 << 16,
            kind=fact.kind,
            standing=fact.standing,
            at_ms=fact.at_ms,
            patient=history.subject,
            tag=clean_text(tag),
        )
        for number, (tag, fact) in enumerate(sorted(carried.items()))
        if tag != newest
    ]


def _newest_tag(said: Sequence[Said]) -> str | None:
    return next((one.value[-1] for one in reversed(said) if one.value), None)


def assertion_rows(history: History) -> list[AssertionRow]:
    """Return every current value of the attributes that are unsettled."""
    return [
        AssertionRow(
            entry=fact.entry,
            idx=fact.index | key[1] + 1 << 16,
            kind=fact.kind,
            standing=fact.standing,
            at_ms=fact.at_ms,
            supersedes=history.supersedes(fact),
            patient=history.subject,
            encounter=key[0],
            attribute=BY_NUMBER[key[1]].name if key[1] in BY_NUMBER else f"#{key[1]}",
            value=names.words_of(key[1], value),
        )
        for key in history.contested
        if unsettled(history.now[key], key[1])
        for value, fact in ((said.value, said.fact) for said in history.now[key])
    ]


class _Shown:
    """Patient attributes as shown: what stands, else what is only said beside."""

    def __init__(self, history: History) -> None:
        self._now = history.now
        self._beside = history.beside
        self.unproven = False

    def said(self, number: int) -> Sequence[Said]:
        found = self._now.get((None, number))
        if found is None and self._beside:
            found = self._beside.get((None, number))
            self.unproven = self.unproven or found is not None
        return found or ()

    def last(self, number: int) -> Any:
        found = self._now.get((None, number)) or (self._beside and self.said(number))
        return found[-1].value if found else None

    def all(self, number: int) -> list[str]:
        """Return the members of a set of identifiers, each once, the last one stated last."""
        latest = reversed(self.said(number))
        newest_first = [tag for said in latest for tag in (said.value or ())[::-1]]
        return list(dict.fromkeys(newest_first))[::-1]


def _founding(history: History) -> Fact:
    """Return the fact that the row hangs on: of the founding entry when it is here."""
    first, subject = None, bytes(history.subject)
    for fact in history.facts:
        if fact.kind != _OPEN:
            if fact.prefix == subject:
                return fact
            first = first or fact
    return first or history.facts[0]


def _code(history: History) -> str:
    """Return the short code given by the founding entry, else the oldest one."""
    found, subject = "", bytes(history.subject)
    for kind in (KindNo.PATIENT_REGISTER, KindNo.TRIAGE_RECORD):
        for fact in history.of_kind.get(kind, ()):
            counter: int | None = fact.record.code_no  # type: ignore[union-attr]
            if counter is None or not 0 <= counter < _COUNTER_MAX:
                continue
            if fact.prefix == subject:
                return short_code(fact.code_tag, counter)
            found = found or short_code(fact.code_tag, counter)
    return found


_COUNTER_MAX = 23**9
"""Above what any device will ever reach."""


def _sex(said: Sequence[Said]) -> int:
    """Return the sex shown; pregnant while that is one side of a conflict."""
    if len(said) == 1:
        only = said[0].value
        return int(Sex.UNKNOWN) if only is None else only
    values = [statement.value for statement in said if statement.value is not None]
    if Sex.FEMALE_PREGNANT in values:
        return int(Sex.FEMALE_PREGNANT)
    return values[-1] if values else int(Sex.UNKNOWN)


def _band(shown: _Shown, age: Age | None, born: int | None, founding: Fact) -> int:
    """Return the age band on the day the patient was first written down."""
    born_day = None if born is None else names.birth_day(born)
    day = founding.at_ms // 86_400_000
    # Who was written down before they were born was so by a clock that cannot be right.
    if born is not None and born_day is not None and day >= names.first_day(born) - 1:
        return int(names.band_of(day - born_day))
    if age is not None:
        return int(names.band_of(names.age_days(age)))
    band = shown.last(names.BAND)
    return int(names.Band.UNKNOWN) if band is None else band


_SEARCHED = tuple(
    names.BY_NAME[name].number
    for name in ("other_names", "mother_name", "phone", "kin_phone", "household")
)
_NATIONAL_ID = names.BY_NAME["national_id"].number


def _also(shown: _Shown, tags: Sequence[str]) -> str:
    words = [shown.last(number) for number in _SEARCHED]
    words += shown.last(_NATIONAL_ID) or ()
    return clean_text(" ".join([word for word in (*words, *tags[:-1]) if word]))


def _stay(stays: Sequence[EncounterRow]) -> EncounterRow | None:
    """Return the encounter to show: open before closed, standing before not, then the newest."""
    written = [stay for stay in stays if stay.replaced != 2]
    if not written:
        return None
    return max(
        written,
        key=lambda stay: (
            stay.standing == 0 and not stay.replaced,
            stay.closed_ms is None,
            stay.opened_ms,
            stay.id,
        ),
    )


def _in_care(stay: EncounterRow, stays: Sequence[EncounterRow]) -> list[EncounterRow]:
    """Return all open encounters when the one shown is open, else the one shown."""
    if stay.closed_ms is not None:
        return [stay]
    return [
        other
        for other in stays
        if other.closed_ms is None and (other.standing == 0) is (stay.standing == 0)
    ]


def _of_age(age: Age | None, between: Between | None) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if age is not None:
        values |= {
            "age_value": age.value,
            "age_unit": age.unit,
            "age_estimated": age.estimated,
            "age_day": age.day,
        }
    if between is not None:
        values |= {"born_after": between[0], "born_by": between[1]}
    return values


def _of_stay(stay: EncounterRow, stays: Sequence[EncounterRow]) -> dict[str, Any]:
    """Return the columns that come from encounters; the cautious triage of all that are open."""
    triaged = [other for other in _in_care(stay, stays) if other.triage is not None]
    used = min(triaged, key=lambda other: (RANK[other.triage or 0], other.id), default=None)
    apart = len({other.triage for other in triaged}) > 1
    extreme = apart and any(other.triage in REASSESS for other in triaged)
    return {
        "triage": used and used.triage,
        "triage_at_ms": used and used.triage_at_ms,
        "triage_open": int(apart or any(other.triage_open for other in triaged)),
        "reassess": int(extreme or any(other.reassess for other in triaged)),
        "bed": stay.bed,
        "ward": stay.ward,
        "isolation": max(
            (other.isolation for other in _in_care(stay, stays) if other.isolation is not None),
            key=lambda digit: -STRICTNESS.index(digit),
            default=None,
        ),
        "site": stay.site,
        "encounter": stay.id,
        "arrived_ms": stay.opened_ms,
        "closed_ms": stay.closed_ms,
        "problem": stay.problem,
    }


def _unsettled(history: History, stay: EncounterRow | None, stays: Sequence[EncounterRow]) -> int:
    person = sum(
        key[0] is None and unsettled(history.now[key], key[1]) for key in history.contested
    )
    return person + sum(other.unsettled for other in _in_care(stay, stays)) if stay else person


def _alerted(history: History, stay: EncounterRow | None) -> bool:
    """Return whether a triage of the encounter shown, that is current, carries an alert."""
    if stay is None or stay.closed_ms is not None:
        return False
    return any(
        said.fact.record.alerts
        for said in history.now.get((EncounterId(stay.id), names.TRIAGE), ())
        if isinstance(said.fact.record, TriageRecord)
    )
