"""Kinds of answer a form asks for: which keys they take, and what the typed text means.

Every kind has the same three parts: `accept` (may this character be typed here), `alone` (is this
one key the whole answer) and `read` (what does the text mean, or why is it refused).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from fieldnode.tui.cores.keys import fold_digit, fold_single

NOT_MEASURED = "-"
UNRECORDABLE = "/"
ABSENT_MARKS = NOT_MEASURED + UNRECORDABLE

ABOUT = "~"
ABOUT_MARKS = "~≈"
"""In front of a guessed number."""

TEXT_CHARS_MAX = 120
"""Longest one-line answer."""

NUMBER_CHARS_MAX = 9
DECIMALS_MAX = 2
"""Three digits behind a mark could be thousands, so no field takes them."""
DATE_CHARS_MAX = 10
TIME_CHARS_MAX = 5
YEAR_MIN = 1900


class Reason(NamedTuple):
    """Why an answer is refused or questioned: a catalogue key and its values."""

    key: str
    values: tuple[tuple[str, str], ...] = ()


class Answer(NamedTuple):
    """What a field says."""

    text: str = ""
    """Canonical: point as decimal mark, a leading zero, no trailing zeros, ISO dates."""
    absent: str = ""
    """'not-measured' or 'unrecordable' in place of a value."""
    unusual: bool = False
    """True when a person confirmed a value outside the usual range."""

    def __bool__(self) -> bool:
        return bool(self.text or self.absent)


class AnswerError(Exception):
    """The typed text cannot be this field's answer."""

    def __init__(self, key: str, **values: str) -> None:
        self.reason = Reason(key, tuple(values.items()))
        super().__init__(key)


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers of a coded field."""

    digit: str
    value: str
    """As in the record."""
    word: str
    """Catalogue key of the word."""
    letters: str = ""
    """Letters that choose it as well."""


@dataclass(frozen=True, slots=True)
class Field:
    """One question: what is common to all kinds. By itself, a line of text."""

    name: str
    label: str
    """Catalogue key."""
    required: bool = False
    hint: str = ""
    """Catalogue key of what to type, shown while the field is open."""
    chars_max: int = TEXT_CHARS_MAX
    absent: str = ""
    """Which of `-` not measured and `/` unrecordable are answers."""
    called: str = ""
    """What stands in front of it where that is no word of ours: the number of a lot."""

    def accept(self, text: str, char: str) -> str:
        """Return the character to insert for a typed one, or '' when it does not belong here."""
        return char if len(text) < self.chars_max else ""

    def alone(self, text: str, char: str) -> str | None:
        """Return the whole answer when this one key is it, else None."""
        return char if not text and char in self.absent else None

    def read(self, text: str) -> Answer:
        """Return what the text means.

        Raises:
            AnswerError: With the reason a person can act on.
        """
        if text and text in self.absent:
            return Answer(absent="not-measured" if text == NOT_MEASURED else "unrecordable")
        return self.meaning(text.strip())

    def meaning(self, text: str) -> Answer:
        """As `read`, for text that is not one of the absent marks."""
        return Answer(text)

    def unusual(self, _answer: Answer) -> Reason | None:
        """Return why the answer needs a second Enter, or None."""
        return None

    def settled(self, text: str, answer: Answer) -> str:
        """Return what stays in the field once it is left: what will be written."""
        return answer.text or text

    def ends(self, _text: str) -> bool:
        """Whether Enter behind this text saves, though optional fields follow."""
        return False

    def is_picked(self, _text: str) -> bool:
        """Whether the text was picked, not typed: one key more begins anew."""
        return False

    def shown(self, text: str) -> str:
        """Return what stands in the field for a text."""
        return text


@dataclass(frozen=True, slots=True)
class Coded(Field):
    """One digit is the whole answer; the form moves on by itself."""

    choices: tuple[Choice, ...] = ()
    grave: tuple[tuple[str, str], ...] = ()
    """Values that need one extra Enter, with the catalogue key that asks for it."""

    def accept(self, _text: str, _char: str) -> str:
        """Nothing is typed but whole answers."""
        return ""

    def alone(self, _text: str, char: str) -> str | None:
        """The digit of a choice, in any script or by its key or letter."""
        if char in self.absent:
            return char
        digit = fold_single(char)
        for choice in self.choices:
            if digit == choice.digit or char.upper() in choice.letters:
                return choice.digit
        return None

    def meaning(self, text: str) -> Answer:
        """The value of the chosen digit."""
        return Answer("" if not text else self.choice(text).value)

    def unusual(self, answer: Answer) -> Reason | None:
        """Return why a grave answer needs one extra Enter."""
        key = dict(self.grave).get(answer.text)
        return None if key is None else Reason(key)

    def settled(self, text: str, _answer: Answer) -> str:
        """The digit stays; its word is drawn beside it."""
        return text

    def choice(self, digit: str) -> Choice:
        """Return the choice of a digit.

        Raises:
            AnswerError: No choice has it.
        """
        for choice in self.choices:
            if choice.digit == digit:
                return choice
        raise AnswerError("form.not_a_choice")


@dataclass(frozen=True, slots=True)
class Number(Field):
    """A measured or counted number with its unit beside it."""

    unit: str = ""
    """Shown, and written to the record; a UCUM code."""
    decimals: int = 0
    possible: tuple[str, str] | None = None
    """Lowest and highest value taken at all."""
    usual: tuple[str, str] | None = None
    """Outside it a second Enter is asked for."""
    short_tenths: tuple[int, int] | None = None
    """Range of three-digit entries that mean tenths: 386 is 38.6."""
    betrays: tuple[tuple[str, str, str], ...] = ()
    """Ranges that another unit would give, with the catalogue key that says which."""
    chars_max: int = NUMBER_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """Digits of any script and decimal marks; a letter is kept so that it can be refused."""
        folded = {"٫": ".", "٬": "'", "\u066a": ""}.get(char, fold_digit(char))
        return folded if len(text) < self.chars_max and folded != NOT_MEASURED else ""

    def meaning(self, text: str) -> Answer:
        """The number in canonical form, within what is possible."""
        if not text:
            return Answer()
        number = self._shorten(self._parse(text))
        for first, last, key in self.betrays:
            if Decimal(first) <= number <= Decimal(last):
                raise AnswerError(key)
        if self.possible is not None:
            low, high = map(Decimal, self.possible)
            if not low <= number <= high:
                raise AnswerError(
                    "form.impossible", low=self.possible[0], high=self.possible[1], unit=self.unit
                )
        return Answer(canonical(number))

    def unusual(self, answer: Answer) -> Reason | None:
        """Outside the usual range."""
        if self.usual is None or not answer.text:
            return None
        low, high = map(Decimal, self.usual)
        if low <= Decimal(answer.text) <= high:
            return None
        values = (("low", self.usual[0]), ("high", self.usual[1]), ("unit", self.unit))
        return Reason("form.unusual", values)

    def _parse(self, text: str) -> Decimal:
        whole, mark, fraction = text.replace(",", ".").partition(".")
        if "." in fraction or " " in text or "'" in text:
            raise AnswerError("form.grouping")
        if not (whole + fraction).isdigit() or not (whole + fraction).isascii():
            values = {"unit": self.unit} if self.unit else {}
            raise AnswerError("form.not_a_number" if self.unit else "form.not_digits", **values)
        if len(fraction) > min(self.decimals, DECIMALS_MAX) or (mark and not self.decimals):
            raise AnswerError(_why_not(len(fraction), self.decimals))
        return Decimal(f"{whole or '0'}.{fraction or '0'}")

    def _shorten(self, number: Decimal) -> Decimal:
        if self.short_tenths is not None and number == number.to_integral_value():
            low, high = self.short_tenths
            if low <= number <= high:
                return number / 10
        return number


@dataclass(frozen=True, slots=True)
class AboutNumber(Number):
    """A number that may be a guess: `~40`."""

    def accept(self, text: str, char: str) -> str:
        """As a number, with the mark of a guess in front."""
        if char in ABOUT_MARKS:
            return "" if text else ABOUT
        return Number.accept(self, text, char)

    def meaning(self, text: str) -> Answer:
        """The number, the mark kept."""
        number = text.removeprefix(ABOUT)
        if text and not number:
            raise AnswerError("form.not_digits")
        found = Number.meaning(self, number)
        return Answer(f"{ABOUT}{found.text}") if text.startswith(ABOUT) else found


@dataclass(frozen=True, slots=True)
class Pressure(Field):
    """Blood pressure: `98/60`, or `98/` when only the upper value could be taken."""

    systolic: Number | None = None
    diastolic: Number | None = None
    chars_max: int = 7

    def accept(self, text: str, char: str) -> str:
        """Digits and one stroke."""
        folded = "/" if char in "/÷" else fold_digit(char)
        if folded == "/" and ("/" in text or not text):
            return ""
        return folded if len(text) < self.chars_max and folded in "0123456789/" else ""

    def meaning(self, text: str) -> Answer:
        """Both values, or the upper alone with its stroke."""
        if not text:
            return Answer()
        upper, stroke, lower = text.partition("/")
        if not stroke:
            raise AnswerError("form.pressure")
        high = self.systolic.meaning(upper).text if self.systolic else upper
        low = self.diastolic.meaning(lower).text if self.diastolic else lower
        if low and int(low) > int(high):
            raise AnswerError("form.pressure_order")
        return Answer(f"{high}/{low}")

    def unusual(self, answer: Answer) -> Reason | None:
        """Either value outside its usual range."""
        upper, _, lower = answer.text.partition("/")
        found = self.systolic.unusual(Answer(upper)) if self.systolic else None
        return found or (self.diastolic.unusual(Answer(lower)) if self.diastolic else None)


@dataclass(frozen=True, slots=True)
class Date(Field):
    """A day, a month or a year, year first; a year of four digits last where only one day is meant.

    `14.03.2026` is one day in every language, and so is `05/05/2026`. `03/04/2026` is the third of
    April to most and the fourth of March to some: it is refused with both, and nobody guesses.
    """

    latest: str = ""
    """ISO day after which a date is refused; '' for none."""
    chars_max: int = DATE_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """Digits, and any usual mark between them as a hyphen."""
        folded = "-" if char in "-./ " else fold_digit(char)
        return folded if len(text) < self.chars_max and folded in "0123456789-" else ""

    def meaning(self, text: str) -> Answer:
        """`2026`, `2026-01` or `2026-01-31`."""
        if not text:
            return Answer()
        found = re.fullmatch(r"(\d{4})(?:-?(\d{1,2})(?:-?(\d{1,2}))?)?", text, re.ASCII)
        last = re.fullmatch(r"(?:(\d{1,2})-)?(\d{1,2})-(\d{4})", text, re.ASCII)
        if found is None and last is None:
            raise AnswerError("form.date")
        if found is not None:
            year, month, day = (int(part) if part else None for part in found.groups())
            readings = {(year or 0, month, day)}
        else:
            assert last is not None
            one, other, year = (int(part) if part else None for part in last.groups())
            # Of a month and a year there is one reading; of three numbers there may be two.
            both = {(year or 0, other, one), (year or 0, one, other)}
            readings = both if one is not None else {(year or 0, other, None)}
        days = sorted(_iso(*each) for each in readings if _exists(*each))
        if not days:
            raise AnswerError("form.no_such_date")
        if len(days) > 1:
            raise AnswerError("form.date_two", first=days[0], second=days[1])
        written = days[0]
        if self.latest and written > self.latest[: len(written)]:
            raise AnswerError("form.future")
        return Answer(written)


@dataclass(frozen=True, slots=True)
class Time(Field):
    """A time of the day on 24 hours: `1405`, `14:05`, or `14` when only the hour is known."""

    whole: bool = False
    """Whether the minute is needed too."""
    chars_max: int = TIME_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """Digits, and any usual mark between them as a colon."""
        folded = ":" if char in ":.,;hH " else fold_digit(char)
        if folded == ":" and (":" in text or not text):
            return ""
        return folded if len(text) < self.chars_max and folded in "0123456789:" else ""

    def meaning(self, text: str) -> Answer:
        """`14:05` or `14`."""
        if not text:
            return Answer()
        found = re.fullmatch(r"(\d{1,2})(?::?(\d{2}))?", text, re.ASCII)
        if found is None:
            raise AnswerError("form.time")
        hour, minute = int(found[1]), found[2]
        if hour > 23 or int(minute or 0) > 59:
            raise AnswerError("form.no_such_time")
        if minute is None:
            if self.whole:
                raise AnswerError("form.time")
            return Answer(f"{hour:02d}")
        return Answer(f"{hour:02d}:{minute}")


@dataclass(frozen=True, slots=True)
class Tag(Field):
    """A wristband or tag: scanned, typed whole, or digits that the terminal's prefix completes."""

    prefix: str = ""
    """Put before an answer that is digits only."""
    chars_max: int = 40

    def accept(self, text: str, char: str) -> str:
        """Letters in capitals, digits of any script, hyphens."""
        folded = fold_digit(char).upper()
        taken = len(folded) == 1 and (folded.isalnum() or folded in "-_.:+")
        return folded if taken and len(text) < self.chars_max else ""

    def meaning(self, text: str) -> Answer:
        """The tag as written on the band."""
        return Answer(self.prefix + text if text.isdecimal() and self.prefix else text)


def canonical(number: Decimal) -> str:
    """Return `0.5`, `5`, never `.5` or `5.0`."""
    written = format(number, "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


def _why_not(fraction: int, decimals: int) -> str:
    """Three digits behind a mark are thousands to half of those who type them."""
    if fraction == 3:
        return "form.grouping"
    return "form.too_many_decimals" if decimals else "form.no_decimals"


def _iso(year: int, month: int | None, day: int | None) -> str:
    return "-".join([f"{year:04d}", *(f"{part:02d}" for part in (month, day) if part is not None)])


def _exists(year: int, month: int | None, day: int | None) -> bool:
    if year < YEAR_MIN or (month is not None and not 1 <= month <= 12):
        return False
    if day is None or month is None:
        return day is None
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    lengths = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= day <= lengths[month - 1]
