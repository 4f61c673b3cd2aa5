"""Global trade item numbers: 8 to 14 digits, the last of which checks the others.

Source: GS1 General Specifications 7.9, recalled and held against another implementation by tests.
"""

from __future__ import annotations

GTIN_DIGITS = 14
GTIN_LENGTHS = (8, 12, 13, 14)


def check_digit(digits: str) -> str:
    """Return the digit that belongs behind these: from the right, three times and once in turn."""
    total = sum(int(each) * (3 - 2 * (at % 2)) for at, each in enumerate(reversed(digits)))
    return str(-total % 10)


def is_digits(text: str) -> bool:
    """Whether a text is digits as codes hold them, and there is one."""
    return text.isascii() and text.isdecimal()


def is_gtin(text: str) -> bool:
    """Whether a text is a number that could be on a box."""
    if not is_digits(text) or len(text) not in GTIN_LENGTHS:
        return False
    return check_digit(text[:-1]) == text[-1] and any(each != "0" for each in text)
