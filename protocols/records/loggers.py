"""Temperature loggers: two CSV layouts as their own software exports them; any other is refused.

- *HOBOware* (Onset HOBO): a line with the title, then a header with ``Date Time, GMT+02:00`` and
  ``Temp, °C (LGR S/N: 1234, SEN S/N: 1234)``, then a line each reading; rows without a temperature
  say what was done to the logger.
- *EasyLog USB* (Lascar EL-USB): a header
  ``NAME,Time,Celsius(°C),High Alarm,Low Alarm,Serial Number``, then a line each reading; alarms and
  serial number stand in the first one only. It says no time zone.

Both write days and months in the order of the computer that made the file. It is taken from the
numbers; where they allow both, somebody has to say.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from protocols.errors import InputError
from protocols.guidelines.coldchain import DAY_MIN, Reading, merged
from protocols.guidelines.decimals import read_decimal

FILE_BYTES_MAX = 16 * 1024 * 1024
READINGS_MAX = 200_000
"""Nearly four years of one every ten minutes."""
TENTHS_MAX = 1_000
"""Colder or warmer than 100 °C is no storeroom."""
HEAD_LINES = 4
"""Lines among which the header is looked for."""

LAYOUTS = ("hoboware", "easylog")
ORDERS = ("dmy", "mdy", "ymd")
"""Of day, month and year."""
OFFSET_MINUTES_MAX = 14 * 60


class Log(NamedTuple):
    """What one file holds."""

    layout: str
    make: str
    serial: str
    """'' where the file does not say."""
    readings: tuple[Reading, ...]
    """In order of time, each once."""
    skipped: int
    """Lines without a temperature."""


def read_log(raw: bytes, *, order: str = "", offset_min: int | None = None) -> Log:
    """Return the readings of a file.

    Args:
        raw: The file as it is.
        order: One of `ORDERS` where the person said; '': from the numbers.
        offset_min: Minutes that the logger's clock is ahead of UTC; None: as the file says.

    Raises:
        InputError: `too_long`, `not_a_logger`, `unit_refused`, `logger_offset`, `logger_dates`,
            `logger_line` with the line, `nothing_stated` when no line holds a temperature.
    """
    if len(raw) > FILE_BYTES_MAX:
        raise InputError("too_long", field="file", limit=FILE_BYTES_MAX)
    rows = _rows(_text(raw))
    for at, row in enumerate(rows[:HEAD_LINES]):
        found = _hoboware(row) or _easylog(row)
        if found is not None:
            return _read(found, rows[at + 1 :], at + 2, order, offset_min)
    raise InputError("not_a_logger", field="file", allowed=("HOBOware CSV", "EasyLog USB CSV"))


class _Layout(NamedTuple):
    """Where in a line what stands."""

    name: str
    make: str
    time: int
    celsius: int
    serial: str
    serial_at: int | None
    offset_min: int | None


_GMT = re.compile(r"Date Time, (?:GMT|UTC)\s*([+-])(\d{2}):?(\d{2})", re.ASCII)
_LOGGER = re.compile(r"LGR S/N: ?([0-9A-Za-z-]{1,32})")


def _hoboware(row: Sequence[str]) -> _Layout | None:
    times = [(at, match) for at, name in enumerate(row) if (match := _GMT.fullmatch(name))]
    temperatures = [(at, name) for at, name in enumerate(row) if name.startswith("Temp, ")]
    if not times or not temperatures:
        return None
    celsius = [(at, name) for at, name in temperatures if re.match(r"Temp, .?C\b", name)]
    if not celsius:
        raise InputError("unit_refused", field="file", allowed=("°C",))
    at, match = times[0]
    minutes = int(match[2]) * 60 + int(match[3])
    serial = _LOGGER.search(celsius[0][1])
    return _Layout(
        "hoboware",
        "Onset HOBO",
        at,
        celsius[0][0],
        serial[1] if serial else "",
        None,
        -minutes if match[1] == "-" else minutes,
    )


def _easylog(row: Sequence[str]) -> _Layout | None:
    names = [name.lower() for name in row]
    if len(names) < 3 or names[1] != "time" or "serial number" not in names:
        return None
    if names[2].startswith("fahrenheit"):
        raise InputError("unit_refused", field="file", allowed=("°C",))
    if not names[2].startswith("celsius"):
        return None
    return _Layout("easylog", "Lascar EL-USB", 1, 2, "", names.index("serial number"), None)


class _Line(NamedTuple):
    at: int
    when: _When
    tenths: int


def _read(
    layout: _Layout, rows: Sequence[Sequence[str]], first: int, order: str, offset_min: int | None
) -> Log:
    offset = layout.offset_min if offset_min is None else offset_min
    if offset is None:
        raise InputError("logger_offset", field="utc_offset", allowed=("+02:00", "-05:00"))
    lines: list[_Line] = []
    serial, skipped = layout.serial, 0
    for at, row in enumerate(rows, first):
        if layout.serial_at is not None and not serial and len(row) > layout.serial_at:
            serial = row[layout.serial_at][:32]
        if not any(row):
            continue
        text = row[layout.celsius] if len(row) > max(layout.celsius, layout.time) else ""
        if not text or not any(sign.isdigit() for sign in text):
            skipped += 1
            continue
        if len(lines) >= READINGS_MAX:
            raise InputError("too_many", field="file", limit=READINGS_MAX)
        lines.append(_Line(at, _when(row[layout.time], at), _tenths(text, at)))
    if not lines:
        raise InputError("nothing_stated", field="file")
    minutes = _minutes(lines, order)
    readings = (
        Reading(minute - offset, line.tenths) for minute, line in zip(minutes, lines, strict=True)
    )
    return Log(layout.name, layout.make, serial, tuple(merged([readings])), skipped)


def _tenths(text: str, at: int) -> int:
    try:
        value = read_decimal(text, "file").exact
    except InputError:
        raise _bad_line(at) from None
    tenths = round(Fraction(value) * 10)
    if abs(tenths) > TENTHS_MAX:
        raise _bad_line(at)
    return tenths


# times


class _When(NamedTuple):
    """Three numbers of a date in the order they stand, and the minute of the day."""

    parts: tuple[int, int, int]
    year_first: bool
    minute: int


_WHEN = re.compile(
    r"(\d{1,4})[-/. ](\d{1,2})[-/. ](\d{1,4})[ T]+(\d{1,2}):(\d{2})(?::(\d{2})(?:\.\d+)?)?"
    r"\s*([AaPp])?\.?[Mm]?\.?",
    re.ASCII,
)
HALF_DAY = 12


def _when(text: str, at: int) -> _When:
    match = _WHEN.fullmatch(text.strip())
    if match is None:
        raise _bad_line(at)
    hour, minute = int(match[4]), int(match[5])
    if match[7] and not 1 <= hour <= HALF_DAY:
        raise _bad_line(at)
    if match[7]:
        hour = hour % HALF_DAY + (HALF_DAY if match[7] in "Pp" else 0)
    if hour >= 24 or minute >= 60:
        raise _bad_line(at)
    parts = (int(match[1]), int(match[2]), int(match[3]))
    return _When(parts, len(match[1]) == len("2026"), hour * 60 + minute)


def _minutes(lines: Sequence[_Line], order: str) -> list[int]:
    """Return minutes since 1970 on the logger's own clock, in the one order of parts that fits."""
    year_first = lines[0].when.year_first
    allowed = ("ymd",) if year_first else ("dmy", "mdy")
    tried = [each for each in allowed if not order or each == order]
    fits = {each: found for each in tried if (found := _in_order(lines, each)) is not None}
    if len(fits) > 1:
        # Read the wrong way round, the next day is a month away.
        steps = {each: _widest(found) for each, found in fits.items()}
        near = [each for each, step in steps.items() if step <= DAY_MIN]
        same = len({tuple(found) for found in fits.values()}) == 1
        fits = {each: fits[each] for each in (near if len(near) == 1 else tried[:same])}
    if len(fits) != 1:
        raise InputError("logger_dates", field="dates", allowed=allowed)
    return next(iter(fits.values()))


def _widest(minutes: Sequence[int]) -> int:
    return max((after - before for before, after in pairwise(minutes)), default=0)


def _in_order(lines: Iterable[_Line], order: str) -> list[int] | None:
    """Return the minutes when every date exists in that order and none goes back by a day."""
    found: list[int] = []
    for line in lines:
        by_name = dict(zip(order, line.when.parts, strict=True))
        year = by_name["y"] + (2000 if by_name["y"] < 100 else 0)
        try:
            day = datetime(year, by_name["m"], by_name["d"], tzinfo=UTC)
        except ValueError:
            return None
        minute = int(day.timestamp()) // 60 + line.when.minute
        # A clock that is put back for winter goes back by an hour.
        if minute < 0 or (found and minute < found[-1] - DAY_MIN):
            return None
        found.append(minute)
    return found


# text


def _text(raw: bytes) -> str:
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            break
    return raw.decode("cp1252", "replace")


def _rows(text: str) -> list[list[str]]:
    """Return the cells of each line, by the mark that parts the most of the first lines."""
    if "\0" in text:
        return []
    lines = text.splitlines()
    head = "\n".join(lines[:HEAD_LINES])
    mark = max((";", "\t", ","), key=head.count)
    try:
        return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=mark)]
    except csv.Error:
        return []


def _bad_line(at: int) -> InputError:
    return InputError("logger_line", field=f"file:{at}")
