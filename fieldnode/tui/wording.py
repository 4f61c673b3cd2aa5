"""Values as a person reads them: times, waits, ages, sexes, categories, errors, identities."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo
from itertools import groupby

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import Line, Span, cells, cut, line
from fieldnode.tui.cores.fields import Reason
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.occasion import Occasion
from protocols.errors import FieldmeshError
from protocols.guidelines.syndromes import complaint
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

TRIAGE_ROLES = {0: "dead", 1: "red", 2: "yellow", 3: "green", 4: "expectant"}

TRIAGE_WORDS = {0: "dead", 1: "red", 2: "yellow", 3: "green", 4: "expectant"}
"""Category as in the record."""

SEX_WORDS = {1: "male", 2: "female", 3: "female-pregnant", 9: "unknown"}
"""Sex as in the record."""

_SIGNS = "{}[]"
"""Around units that UCUM has no sign for."""

UNIT_SIGNS = {"Cel": "°C", "/min": "/min", "mm[Hg]": "mmHg", "{score}": ""}
"""Units whose code is not what people read."""


BY_CELLS = 24
"""Room for who did it, in the row of a form that says so."""


def clock(at_ms: int | None, now_ms: int, zone: tzinfo) -> str:
    """Return `14:02`, with the day in front when it is not today's."""
    if at_ms is None:
        return "-"
    try:
        at = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone)
        today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone)
    except (OverflowError, ValueError, OSError):
        return "?"
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at:%m-%d %H:%M}" if at.year == today.year else f"{at:%Y-%m-%d}"


def happened(at_ms: int, precision: str, now_ms: int, zone: tzinfo) -> str:
    """Return when something happened, no more exactly than it is known."""
    if precision in ("day", "month", "year"):
        # A day without a time is the same day everywhere: never turned into another zone's.
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date().isoformat()
        return day[: {"day": 10, "month": 7, "year": 4}[precision]]
    shown = clock(at_ms, now_ms, zone)
    if precision == "hour" and ":" in shown:
        return f"{shown.partition(':')[0]} h"
    if precision == "about":
        return f"~{shown}" if " " not in shown else shown.replace(" ", "~")
    return shown


def occasion_text(words: Catalogue, stated: Occasion | None, person: str, now: str = "") -> str:
    """Return when a record will be said to have happened and who did it, for its form.

    Args:
        words: The reader's.
        stated: What the form holds; None when nothing was stated.
        person: Who is identified at this terminal; '' for nobody.
        now: Said in place of *now*, as for a draft of earlier.
    """
    stated = stated or Occasion()
    at = f"{stated.day} {'~' if stated.about else ''}{stated.time}".strip()
    if at.endswith(stated.time) and stated.time and ":" not in stated.time:
        at += " h"
    by = cut(clean_text(stated.by), BY_CELLS) or clean_text(person) or words("when.nobody")
    key = "when.stated_paper" if stated.paper else "when.stated"
    return words(key, at=at or now or words("when.now"), by=by)


def span_of(words: Catalogue, ms: int) -> str:
    """Return a length of time as `41 min`, `3 h 05`, `2 d`."""
    minutes = max(ms, 0) // 60_000
    if minutes < 60:
        return words("time.minutes", n=minutes)
    if minutes < 24 * 60:
        return words("time.hours", h=minutes // 60, m=f"{minutes % 60:02d}")
    return words("time.days", n=minutes // (24 * 60))


def age(words: Catalogue, text: str) -> str:
    """Return an age with its unit in the reader's language; '' stays ''."""
    value, _, unit = text.rpartition(" ")
    key = f"age.{unit}"
    return f"{value} {words(key)}" if value and words.has(key) else text


def sex(words: Catalogue, digit: int) -> str:
    """Return the word for a sex."""
    return words(f"sex.{SEX_WORDS.get(digit, 'unknown')}")


def triage(words: Catalogue, category: int | None) -> Span:
    """Return number and word of a category, in its role."""
    if category not in TRIAGE_WORDS:
        return Span(f"- {words('triage.none')}", "dim")
    return Span(f"{category} {words(f'triage.{TRIAGE_WORDS[category]}')}", TRIAGE_ROLES[category])


def name(words: Catalogue, text: str) -> str:
    """Return the name, or the word for none."""
    return clean_text(text) or words("patient.unknown")


def called(words: Catalogue, head: BoardLine) -> str:
    """Return the name; of somebody without one, the tag by which they are found at the bedside."""
    tag = clean_text(head.tag)
    if clean_text(head.name) or not tag:
        return name(words, head.name)
    return " ".join((words("patient.unknown"), words("patient.tag", tag=tag)))


def identity(words: Catalogue, head: BoardLine) -> Line:
    """Return who this is, for the top of every page about one patient; the name comes last."""
    category = triage(words, head.triage)
    parts = [
        clean_text(head.code),
        age(words, clean_text(head.age)) or words("age.unknown"),
        sex(words, head.sex),
        clean_text(head.tag),
        words("patient.bed", bed=clean_text(head.bed)) if head.bed else "",
    ]
    middle = "  ".join(part for part in parts if part)
    return line(" ", category, Span(f"  {middle}  "), Span(name(words, head.name), "title"))


ALLERGY = ("chart.allergy_not_asked", "chart.allergy_none", "chart.allergy_listed")
"""What a chart's head says of allergies, by the state in the message."""

CUSTODY = ("", "chart.custody_offered", "chart.custody_with", "chart.custody_unclear",
           "chart.custody_several")  # fmt: skip


def safety_line(words: Catalogue, head: BoardLine, width: int) -> Line:
    """Return what never scrolls away: allergies, then custody where something was said of it."""
    listed = "; ".join(value_text(words, part) for part in head.allergies.split("; "))
    allergic = words(ALLERGY[head.allergy if head.allergy in (1, 2) else 0], what=listed)
    if head.allergy_open:
        allergic = " ".join((allergic, words("chart.allergy_open")))
    role = "bad" if head.allergy == 2 else "plain" if head.allergy == 1 else "warn"
    with_whom = ""
    if 0 < head.custody < len(CUSTODY):
        with_whom = words(CUSTODY[head.custody], keeper=clean_text(head.keeper))
    # Custody keeps its place; a long list of allergies ends in an ellipsis before it.
    with_whom = cut(with_whom, width // 2)
    room = width - 2 - (cells(with_whom) + 3 if with_whom else 0)
    parts: list[Span | str] = [" ", Span(cut(allergic, max(room, 1)), role)]
    if with_whom:
        parts += ["   ", Span(with_whom, "bad" if head.custody > 2 else "plain")]
    return line(*parts)


def problem(words: Catalogue, text: str) -> str:
    """Return a complaint: a code of the packs in the reader's words, else as typed."""
    known = complaint(text, *words.languages) if text and " " not in text else None
    return clean_text(known or text)


def scale_chosen(words: Catalogue, head: BoardLine) -> str:
    """Return that SpO2 is scored on scale 2, and by whose choice; '' for everybody else."""
    who = clean_text(head.scale2_by, SCALE_NAME_CHARS)
    return words("scale.chosen", who=who) if who else ""


SCALE_NAME_CHARS = 24
"""Of whoever chose it: the sentence stands in a row with others."""


def full_identity(words: Catalogue, head: BoardLine) -> list[Line]:
    """Return who this is in full, where a mistake would be about somebody else."""
    tag = clean_text(head.tag)
    parts = [
        clean_text(head.code),
        words("patient.tag", tag=tag) if tag else words("patient.no_tag"),
        age(words, clean_text(head.age)) or words("age.unknown"),
        sex(words, head.sex),
        words("patient.bed", bed=clean_text(head.bed)) if head.bed else "",
    ]
    known = "   ".join(part for part in parts if part)
    return [
        line("  ", Span(name(words, head.name), "title"), Span("  "), triage(words, head.triage)),
        line("  ", known),
    ]


def short_identity(words: Catalogue, head: BoardLine) -> str:
    """Return code and name, as in a draft's label and in *saved*; the tag of who has no name.

    A tag is on the wrist, and the code on none that was not printed.
    """
    if head.tag and not head.name:
        return clean_text(words("patient.tag", tag=head.tag))
    return clean_text(f"{head.code} {name(words, head.name)}")


def error(words: Catalogue, failure: FieldmeshError) -> str:
    """Return the sentence for a refusal, by its code."""
    return code_sentence(words, failure.code)


def code_sentence(words: Catalogue, code: str) -> str:
    """Return the sentence for an error code; an unknown code is shown as it is."""
    key = f"error.{code}"
    return words(key) if words.has(key) else words("error.unnamed", code=clean_text(code, 40))


def reason(words: Catalogue, why: Reason) -> str:
    """Return the sentence for an objection of a form."""
    values = {key: unit(value) if key == "unit" else value for key, value in why.values}
    # Some numbers have no unit: 0 to 10.
    return words(why.key, **values).replace(" .", ".")


def struck(words: Catalogue, keys: Iterable[str | Scan]) -> str:
    """Return keys as a person would name them: typed text together, other keys one by one."""
    named = [key.text if isinstance(key, Scan) else key for key in keys]
    parts: list[str] = []
    for typed, run in groupby(named, key=lambda name: len(name) == 1):
        names = list(run)
        parts += ["".join(names)] if typed else [_key_name(words, name) for name in names]
    return clean_text(" ".join(parts))


def unit(code: str) -> str:
    """Return a unit as people read it."""
    return UNIT_SIGNS.get(code, code)


def value_text(words: Catalogue, text: str) -> str:
    """Return a value in the reader's words when it is one of our codes."""
    for room in ("sex", "triage", "acvpu", "absent", "value"):
        key = f"{room}.{text}"
        if text and " " not in text and words.has(key):
            return words(key)
    of_care = complaint(text, *words.languages) if text and " " not in text else None
    if of_care is not None:
        return clean_text(of_care)
    number, _, code = text.rpartition(" ")
    if number and words.has(f"measure.{code.strip(_SIGNS)}"):
        return clean_text(f"{number} {words(f'measure.{code.strip(_SIGNS)}')}")
    if words.has(f"age.{code}") and number.lstrip("~").isdecimal():
        return age(words, clean_text(text))
    return clean_text(f"{number} {unit(code)}") if number else clean_text(text)


def _key_name(words: Catalogue, name: str) -> str:
    """Return what is printed on a key; a name that is none of ours, as it is."""
    signs = {"up": "↑", "down": "↓", "left": "←", "right": "→", "backspace": "⌫", "tab": "Tab"}
    if name in ("enter", "escape"):
        return words(f"keys.{name}")
    known = name[1:].isdecimal() and name[0] == "f"
    return signs.get(name) or (name.upper() if known else name)
