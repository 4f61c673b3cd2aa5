"""What every command does before it becomes drafts: find the patient, the time, the facts seen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import msgspec

from protocols.errors import InputError
from protocols.ids import DocId, EncounterId, FactRef, PatientId, SiteId
from protocols.records.history import History, history_of
from protocols.records.identity import parse_code
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.shape import Circumstances, Fact, Source, View
from protocols.records.spelling import SPACE, one_of, shaped

FUTURE_MS = 5 * 60_000
"""A time this far ahead of the clock is asked about once."""


CLOCK_DOUBTFUL = "clock_doubtful"
"""Written with what is recorded while the clock cannot be right."""

EARLIEST_MS = -2_208_988_800_000
"""1900-01-01: nothing in care happened before."""
LATEST_MS = 4_102_444_800_000
"""2100-01-01: no record is of a time after it."""

REASON_CHARS_MAX = 500
SUPERSEDES_MAX = 64
"""Facts one command may name."""

_NO_TEXT = re.compile("[\0\ud800-\udfff]")
_SOURCES = {member.name.lower(): member for member in Source}
_HERE_AND_NOW = Circumstances()

IdType = TypeVar("IdType", bound=DocId)

PRECISIONS = ("hour", "day", "month", "year", "about")

SourceText = Annotated[str, one_of(("", *_SOURCES))]
Moment = Annotated[str | int, shaped(f"^{SPACE}[0-9]{{4}}", minimum=EARLIEST_MS, maximum=LATEST_MS)]
"""What `read_time` takes; ISO 8601 has more spellings than a pattern should."""


class Command(msgspec.Struct, frozen=True, gc=False):
    """One line for `fieldnode record`, its fields typed and known, its meaning not yet checked."""

    kind: str
    key: str
    """Names the line; see `commands.Line`."""
    patient: str | None = None
    """An id or a short code."""
    tag: str | None = None
    """The patient by the tag they carry, instead of `patient`."""
    encounter: str | None = None
    site: str | None = None
    at: str | int | None = None
    at_precision: str | None = None
    by: str | None = None
    source: str | None = None
    device: tuple[str, str, str] | None = None
    data: Any = None
    """The kind's own struct."""
    confirm: tuple[str, ...] = ()
    supersedes: tuple[FactRef, ...] = ()
    reason: str | None = None
    store: str | None = None
    """Id of the site whose stock it takes from or adds to."""


@dataclass(slots=True)
class Desk:
    """One command being worked on: looks things up, remembers what it has warned of."""

    command: Command
    view: View
    warnings: list[str] = field(default_factory=list)
    _histories: dict[bytes, History] = field(default_factory=dict)

    def confirmed(self, code: str, where: str, *, allowed: tuple[str, ...] = ()) -> None:
        """Let a doubtful value pass only when the person has confirmed this warning.

        Raises:
            InputError: `confirm_needed`; `confirm` holds the code that confirms.
        """
        if code not in self.command.confirm:
            raise InputError("confirm_needed", field=where, allowed=allowed, confirm=code)
        self.warn(code)

    def warn(self, code: str) -> None:
        """Save all the same, and say so."""
        if code not in self.warnings:
            self.warnings.append(code)

    def patient(self) -> PatientId:
        """Return the patient the command names.

        Raises:
            InputError: `missing_field`, `not_found`, `ambiguous`, `bad_code`, `bad_id`.
        """
        found = self.patient_if_any()
        if found is None:
            raise InputError("missing_field", field="patient", allowed=("id", "code", "{tag}"))
        return found

    def patient_if_any(self) -> PatientId | None:
        """Return the patient the command names, or None when it names none."""
        command = self.command
        named = None
        if command.patient is not None:
            named = self.patient_named(command.patient, "patient")
        elif command.tag is not None:
            named = _only(
                self.view.patients_tagged(tidy(command.tag, "patient.tag", 64)), "patient"
            )
        if command.encounter is None:
            return named
        owner = self.view.encounter_patient(self._encounter_id())
        if owner is None:
            raise InputError("not_found", field="encounter")
        if named is not None and named != owner:
            raise InputError("wrong_encounter", field="encounter")
        return owner

    def must_be_theirs(self, subject: DocId, where: str) -> None:
        """Refuse a fact of another patient than the one the line names, if it names one.

        Raises:
            InputError: `wrong_subject`.
        """
        if self.patient_if_any() not in (None, subject):
            raise InputError("wrong_subject", field=where)

    def patient_named(self, text: str, where: str) -> PatientId:
        """Return the one patient with this id or short code."""
        if text.startswith("pat_"):
            _read_id(PatientId, text, where)
            return _only(self.view.patients_named(text), where)
        try:
            spelled = parse_code(text)
        except InputError as error:
            raise error.at(where) from None
        return _only(self.view.patients_named(spelled), where)

    def encounter(self, patient: PatientId) -> EncounterId | None:
        """Return the encounter named, else the patient's newest open one, else None."""
        if self.command.encounter is not None:
            return self._encounter_id()
        return next(iter(self.view.open_encounters(patient)), None)

    def site(self, text: str | None, where: str) -> SiteId | None:
        """Return a known site by its id.

        Raises:
            InputError: `bad_id` or `not_found`.
        """
        if text is None:
            return None
        site = _read_id(SiteId, text, where)
        if site not in self.view.sites():
            raise InputError("not_found", field=where)
        return site

    def store_if_any(self) -> SiteId | None:
        """Return the store the command names, a known site; None when it names none."""
        return self.site(self.command.store, "store")

    def store(self) -> SiteId:
        """Return the store the command names, a known site.

        Raises:
            InputError: `missing_field`, `bad_id` or `not_found`.
        """
        found = self.store_if_any()
        if found is None:
            raise InputError("missing_field", field="store")
        return found

    def circumstances(self, *, reason_needed: bool = False) -> Circumstances | None:
        """Return when, by whom and how; None when it is now, by the author, typed."""
        command = self.command
        if reason_needed and not (command.reason or "").strip():
            raise InputError("reason_needed", field="reason")
        at_ms, implied = self._at()
        doubt = (CLOCK_DOUBTFUL,) if self.view.now_ms < IMPLAUSIBLE_BEFORE_MS else ()
        for code in doubt:
            self.warn(code)
        whole = Circumstances(
            at_s=None if at_ms is None else at_ms // 1000,
            precision=_one_of(command.at_precision, PRECISIONS, "at_precision") or implied,
            by=tidy(command.by, "by", 120) if command.by is not None else "",
            source=_source(command.source),
            device=_device(command.device),
            reason=tidy(command.reason, "reason", REASON_CHARS_MAX) if command.reason else "",
            confirmed=(*(code for code in self.warnings if code in command.confirm), *doubt),
        )
        return None if whole == _HERE_AND_NOW else whole

    def at_ms(self) -> int:
        """Return when it happened: as stated, else now."""
        stated, _ = self._at()
        return self.view.now_ms if stated is None else stated

    def history(self, subject: DocId) -> History:
        """Return what is known here of a subject."""
        if subject not in self._histories:
            self._histories[subject] = history_of(subject, self.view.facts(subject))
        return self._histories[subject]

    def seen(
        self, subject: DocId, numbers: Iterable[int], encounter: EncounterId | None = None
    ) -> tuple[FactRef, ...]:
        """Return the facts whose statement of one of these attributes is shown now.

        Statements that do not stand are shown beside, so they count as seen too.
        """
        history = self.history(subject)
        found: dict[FactRef, None] = {}
        for number in numbers:
            key = (encounter, number)
            for said in (*history.now.get(key, ()), *history.beside.get(key, ())):
                found[said.fact.ref] = None
        return tuple(found)

    def named(self, subject: DocId) -> tuple[FactRef, ...]:
        """Return the facts the person named in `supersedes`, all of this subject.

        Raises:
            InputError: `not_found` or `wrong_subject`.
        """
        for ref in self.command.supersedes:
            owner = self.view.subject_of(ref)
            if owner is None:
                raise InputError("not_found", field="supersedes")
            if owner != subject:
                raise InputError("wrong_subject", field="supersedes")
        return self.command.supersedes

    def fact(self, ref: FactRef, where: str) -> tuple[DocId, Fact]:
        """Return a known fact and its subject.

        Raises:
            InputError: `not_found`.
        """
        subject = self.view.subject_of(ref)
        for fact in self.view.facts(subject) if subject is not None else ():
            if fact.prefix == ref.entry and fact.index == ref.index:
                assert subject is not None
                return subject, fact
        raise InputError("not_found", field=where)

    def _encounter_id(self) -> EncounterId:
        assert self.command.encounter is not None
        return _read_id(EncounterId, self.command.encounter, "encounter")

    def _at(self) -> tuple[int | None, str]:
        if self.command.at is None:
            return None, ""
        at_ms, precision = read_time(self.command.at)
        if at_ms > self.view.now_ms + FUTURE_MS:
            self.confirmed("future_time", "at")
        return at_ms, precision


def read_time(at: str | int) -> tuple[int, str]:
    """Return an instant in Unix milliseconds and the precision that its spelling implies.

    Raises:
        InputError: `bad_time`: neither ISO 8601 with an offset, nor a date, nor milliseconds.
    """
    allowed = ("2026-05-01T14:30Z", "2026-05-01T14:30+02:00", "2026-05-01", "Unix milliseconds")
    try:
        at_ms, precision = (at, "") if isinstance(at, int) else _iso_time(at)
    except (ValueError, OverflowError):
        raise InputError("bad_time", field="at", allowed=allowed) from None
    if not EARLIEST_MS <= at_ms <= LATEST_MS:
        raise InputError("bad_time", field="at", allowed=allowed)
    return at_ms, precision


def tidy(text: str, where: str, limit: int) -> str:
    """Return what a person typed in NFC without outer space; nothing else is changed.

    Raises:
        InputError: `empty`, `too_long`, or `bad_text` when it is not text at all.
    """
    if len(text) > 4 * limit:
        raise InputError("too_long", field=where, limit=limit)
    kept = unicodedata.normalize("NFC", text.strip())
    if not kept:
        raise InputError("empty", field=where)
    if len(kept) > limit:
        raise InputError("too_long", field=where, limit=limit)
    if _NO_TEXT.search(kept):
        raise InputError("bad_text", field=where)
    return kept


def refs(found: Iterable[FactRef]) -> tuple[tuple[bytes, int], ...]:
    """Return references as a statement holds them, each once.

    Raises:
        InputError: `too_many` above `SUPERSEDES_MAX`.
    """
    unique = tuple(dict.fromkeys((bytes(ref.entry), ref.index) for ref in found))
    if len(unique) > SUPERSEDES_MAX:
        raise InputError("too_many", field="supersedes", limit=SUPERSEDES_MAX)
    return unique


def given(data: msgspec.Struct) -> dict[str, Any]:
    """Return the fields that the line did carry, null ones too."""
    return {
        name: value
        for name in data.__struct_fields__
        if (value := getattr(data, name)) is not msgspec.UNSET
    }


def _only(found: Iterable[PatientId], where: str) -> PatientId:
    matches = tuple(dict.fromkeys(found))
    if not matches:
        raise InputError("not_found", field=where)
    if len(matches) > 1:
        raise InputError("ambiguous", field=where, allowed=tuple(str(match) for match in matches))
    return matches[0]


def _read_id(kind: type[IdType], text: str, where: str) -> IdType:
    try:
        return kind.parse(text)
    except InputError as error:
        raise error.at(where) from None


def _iso_time(text: str) -> tuple[int, str]:
    shape = text.strip()
    for pattern, precision, rest in (
        (r"\d{4}", "year", "-01-01T00:00+00:00"),
        (r"\d{4}-\d\d", "month", "-01T00:00+00:00"),
        (r"\d{4}-\d\d-\d\d", "day", "T00:00+00:00"),
    ):
        if re.fullmatch(pattern, shape, re.ASCII):
            return _instant(shape + rest), precision
    return _instant(shape), ""


def _instant(text: str) -> int:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("offset")
    return round((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds() * 1000)


def _one_of(text: str | None, allowed: tuple[str, ...], where: str) -> str:
    if text is not None and text not in allowed:
        raise InputError("bad_value", field=where, allowed=allowed)
    return text or ""


def _source(text: str | None) -> int:
    return _SOURCES[_one_of(text, tuple(_SOURCES), "source")] if text else Source.TYPED


def _device(device: tuple[str, str, str] | None) -> tuple[str, str, str] | None:
    if device is None:
        return None
    make, model, serial = (
        part and tidy(part, f"device.{name}", 64)
        for part, name in zip(device, ("make", "model", "serial"), strict=True)
    )
    return make, model, serial
