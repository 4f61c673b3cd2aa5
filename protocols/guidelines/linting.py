"""What is wrong with a pack, and in which line: for whoever writes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines import (
    coldchain,
    doses,
    due,
    guideline,
    interventions,
    items,
    limits,
    news2,
    observations,
    schedules,
    triage,
    vaccines,
)
from protocols.guidelines import syndromes as syndromes_of
from protocols.guidelines import vocabulary as vocabulary_of
from protocols.guidelines.canonical import tables
from protocols.guidelines.lines import Lines, Path, lines_of
from protocols.guidelines.pack import PackHead
from protocols.trust.packs import NAME_CHARS_MAX, VERSION_CHARS_MAX

FAULTS_MAX = 100
"""Told at once; the rest comes when these are mended."""


WORDS_MAX = 4
"""Places a sentence begins with, one in the other."""


class Fault(NamedTuple):
    """One thing that is wrong."""

    line: int
    """Counted from 1."""
    what: str


class Form(NamedTuple):
    """What a pack of one name has to look like."""

    type: type[msgspec.Struct]
    check: Callable[[Any], list[str]]


FORMS: Mapping[str, Form] = {
    "observations": Form(observations.ObservationPack, observations.check),
    "news2": Form(news2.News2Pack, news2.check),
    "limits": Form(limits.LimitsPack, limits.check),
    "triage": Form(triage.TriagePack, triage.check),
    "formulary": Form(doses.Formulary, doses.check),
    "syndromes": Form(syndromes_of.Syndromes, syndromes_of.check),
    "due": Form(due.DuePack, due.check),
    "vocabulary": Form(vocabulary_of.Vocabulary, vocabulary_of.check),
    "items": Form(items.Items, items.check),
    "coldchain": Form(coldchain.ColdChain, coldchain.check),
    "vaccines": Form(vaccines.Vaccines, vaccines.check),
    "interventions": Form(interventions.Interventions, interventions.check),
}
"""Packs the software knows by name. Every other one is a schedule or a guideline."""

SCHEDULE = Form(schedules.Schedule, schedules.check)
"""Of every pack whose name begins with `schedules.PREFIX`."""

GUIDELINE = Form(guideline.Guideline, guideline.check)


def lint(text: str) -> list[Fault]:
    """Return what is wrong with a pack, in the order of its lines; empty when nothing is."""
    try:
        found = tables(text)
    except SetupError as error:
        return [_of_toml(str(error.values["place"]))]
    lines = lines_of(text)
    wrong = [*_head_faults(found, lines)]
    form = _form_of(found)
    try:
        pack = msgspec.convert(found, form.type)
    except msgspec.ValidationError as error:
        return _sorted([*wrong, _of_form(str(error), lines)])
    try:
        said = form.check(pack)
    except SetupError as error:
        said = [str(error.values.get("place", error))]
    except ValueError as error:
        said = [str(error)]
    return _sorted([*wrong, *(Fault(_line_of(each, found, lines), each) for each in said)])


def read_any(text: str) -> msgspec.Struct:
    """Return a checked pack of whatever form its name asks for.

    Raises:
        SetupError: `bad_pack`, with the line and what is wrong there first.
    """
    wrong = lint(text)
    if wrong:
        raise SetupError("bad_pack", place=f"line {wrong[0].line}: {wrong[0].what}")
    return read_faultless(text)


def read_faultless(text: str) -> msgspec.Struct:
    """Return a pack in which no fault was found before, as in those that come with the software."""
    found = tables(text)
    return msgspec.convert(found, _form_of(found).type)


def _form_of(found: Mapping[str, Any]) -> Form:
    head = found.get("pack")
    name = head.get("name") if isinstance(head, dict) else None
    if not isinstance(name, str):
        return GUIDELINE
    return FORMS.get(name, SCHEDULE if name.startswith(schedules.PREFIX) else GUIDELINE)


def _sorted(wrong: Iterable[Fault]) -> list[Fault]:
    return sorted(set(wrong))[:FAULTS_MAX]


_AT_LINE = re.compile(r"at line (\d+)")


def _of_toml(what: str) -> Fault:
    match = _AT_LINE.search(what)
    return Fault(int(match[1]) if match else 1, what)


def _head_faults(found: Mapping[str, Any], lines: Lines) -> Iterable[Fault]:
    """What every pack has to say of itself, whatever its form."""
    try:
        head = msgspec.convert(found.get("pack"), PackHead)
    except msgspec.ValidationError:
        return  # The form says it, with its place.
    for field, most in (("name", NAME_CHARS_MAX), ("version", VERSION_CHARS_MAX), ("title", 120)):
        value = getattr(head, field)
        if not 0 < len(value) <= most:
            yield Fault(lines.at(("pack", field)), f"{field} has 1 to {most} characters")
    if not _NAME.fullmatch(head.name):
        yield Fault(lines.at(("pack", "name")), "a name is small letters, digits and -")
    if not _VERSION.fullmatch(head.version):
        yield Fault(lines.at(("pack", "version")), "a version is numbers with points, such as 2.1")
    if not head.source:
        yield Fault(lines.at(("pack", "source")), "source is missing")
    if head.approved_by:
        what = "approved_by stays empty: a clinical lead signs with `fieldnode pack approve`"
        yield Fault(lines.at(("pack", "approved_by")), what)


_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)
_VERSION = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}", re.ASCII)


def _of_form(message: str, lines: Lines) -> Fault:
    """Give the line of a fault that names its path, as `$.step[3].amount[0].unit`."""
    what, _, path = message.partition(" - at `$")
    parts: list[str | int] = [
        int(index) if index else name
        for name, index in re.findall(r"\.([\w-]+)|\[(\d+)\]", path.rstrip("`"))
    ]
    unknown = re.search(r"unknown field `([^`]+)`", what)
    if unknown:
        parts.append(unknown[1])
    return Fault(lines.at(tuple(parts)), what)


def _line_of(sentence: str, found: Mapping[str, Any], lines: Lines) -> int:
    """Give the line of the row that a sentence begins with: `start: breath-fast: there is no…`."""
    *words, what = sentence.split(": ")
    _, path = _resolved(found, words)
    here = _follow(found, path)
    row = re.search(r"\brow (\d+)", what)
    if row:
        inside = next((each for each in _lists(here) if len(each[1]) >= int(row[1])), None)
        if inside is not None:
            path = (*path, *inside[0], int(row[1]) - 1)
    field = re.match(r"([a-z_]+) (?:is|has|are) ", what)
    if field and isinstance(here, dict) and field[1] in here:
        path = (*path, field[1])
    return lines.at(path)


_IDS = ("id", "name", "code", "substance")


def _resolved(here: Any, words: list[str]) -> tuple[int, Path]:
    """Return how many of the words name something below here, one in the other, and the way.

    Two rows of different kinds may be called alike, so the way that explains most words counts.
    """
    best: tuple[int, Path] = (0, ())
    for at, word in enumerate(words[:WORDS_MAX]):
        for path in _called(here, word):
            deeper, rest = _resolved(_follow(here, path), words[at + 1 :])
            if deeper + 1 > best[0]:
                best = (deeper + 1, (*path, *rest))
        if best[0]:
            return best
    return best


def _called(here: Any, word: str) -> Iterable[Path]:
    """Yield the ways to whatever is called so: a key, a row by its number, a row by its id."""
    if isinstance(here, dict) and word in here:
        yield (word,)
    row = re.fullmatch(r"row (\d+)", word)
    if row and isinstance(here, list) and 0 < int(row[1]) <= len(here):
        yield (int(row[1]) - 1,)
    level: list[tuple[Path, Any]] = [((), here)]
    while level:
        below: list[tuple[Path, Any]] = []
        for path, value in level:
            if path and isinstance(value, dict) and word in [value.get(each) for each in _IDS]:
                yield path
            below += [((*path, key), part) for key, part in _parts(value)]
        level = below


def _parts(value: Any) -> Iterable[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return value.items()
    return enumerate(value) if isinstance(value, list) else ()


def _follow(here: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        here = here[part]
    return here


def _lists(here: Any) -> list[tuple[tuple[str | int, ...], list[Any]]]:
    if isinstance(here, list):
        return [((), here)]
    if not isinstance(here, dict):
        return []
    return [((key,), value) for key, value in here.items() if isinstance(value, list)]
