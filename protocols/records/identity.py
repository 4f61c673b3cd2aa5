"""The short code on the wristband: said over a bad radio, typed in the dark, never mistyped.

A code is the tag of the device's storage life, a counter and a check letter. Two devices apart
cannot mint one code, because the tag differs; a restored copy opens a new epoch and so gets
another tag. Only the counter is written down: the tag follows from the author's feed.
"""

from __future__ import annotations

from functools import lru_cache
from hashlib import blake2b
from operator import mul

from protocols.errors import InputError
from protocols.ids import DeviceId, Epoch

ALPHABET = "346789ACDEFHJKMNPQRTWXY"
"""23 signs that no hand, font or radio confuses; 23 is prime, which the check letter needs."""

TAG_LETTERS = 5
COUNTER_LETTERS_MIN = 3
CODE_LETTERS_MAX = 21
"""Below 22, so that all weights of the check letter differ modulo 23."""
CODES_KEPT = 1024
"""Codes remembered, about 150 bytes each: whoever is written about is most often written about
again soon."""

_BASE = len(ALPHABET)
_VALUE = {letter: value for value, letter in enumerate(ALPHABET)}
_WEIGHTS = tuple(range(2, CODE_LETTERS_MAX + 1))
_SEPARATORS = str.maketrans("", "", " -\t\u2010\u2011\u2012\u2013.")


def code_tag(device: DeviceId, epoch: Epoch) -> str:
    """Return the five letters that every code of this device and epoch begins with."""
    digest = blake2b(device + epoch, digest_size=16, person=b"fm-code-1").digest()
    return _letters(int.from_bytes(digest), TAG_LETTERS)


@lru_cache(CODES_KEPT)
def short_code(tag: str, counter: int) -> str:
    """Return the code of patient number `counter` (from 0), in groups of three letters."""
    places = COUNTER_LETTERS_MIN
    while counter >= _BASE**places:
        places += 1
    body = tag + _letters(counter, places)
    whole = body + _check_letter(body)
    return "-".join(whole[start : start + 3] for start in range(0, len(whole), 3))


def parse_code(text: str) -> str:
    """Return the code as `short_code` prints it; case, spaces and hyphens are forgiven.

    Raises:
        InputError: `bad_code` when a sign, the length or the check letter is wrong.
    """
    letters = text.translate(_SEPARATORS).upper()
    shortest = TAG_LETTERS + COUNTER_LETTERS_MIN + 1
    if not shortest <= len(letters) <= CODE_LETTERS_MAX:
        raise InputError("bad_code", field="patient")
    if any(letter not in _VALUE for letter in letters):
        raise InputError("bad_code", field="patient", allowed=(ALPHABET,))
    if _check_letter(letters[:-1]) != letters[-1]:
        raise InputError("bad_code", field="patient")
    return "-".join(letters[start : start + 3] for start in range(0, len(letters), 3))


def _letters(number: int, places: int) -> str:
    out = ""
    for _ in range(places):
        number, value = divmod(number, _BASE)
        out = ALPHABET[value] + out
    return out


def _check_letter(body: str) -> str:
    """Weights 2, 3, 4 … against the check letter's 1: any one sign or swap changes the sum."""
    total = sum(map(mul, map(_VALUE.__getitem__, body[::-1]), _WEIGHTS))
    return ALPHABET[-total % _BASE]
