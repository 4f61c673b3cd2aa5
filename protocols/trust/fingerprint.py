"""Fingerprints that two people compare by voice, over a radio, in whatever language they share.

Eighty bits as sixteen letters, each with its word of the spelling alphabet that pilots, radio
operators and ambulances use everywhere: nobody has to know a list of ours. The words confirm
what two people believe already; what a key may do is said by certificates alone.
"""

from __future__ import annotations

from protocols.ids import from_base32, to_base32

FINGERPRINT_BYTES = 10
"""Whoever wants another charter or key of the same fingerprint has 2^80 to try."""
GROUP = 4

_DIGITS = ("Zero", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine")
_LETTERS = """
    Alfa Bravo Charlie Delta Echo Foxtrot Golf Hotel Juliett Kilo Mike November Papa Quebec Romeo
    Sierra Tango Victor Whiskey Xray Yankee Zulu
"""
_SPOKEN = {str(at): word for at, word in enumerate(_DIGITS)}
_SPOKEN |= {word[0]: word for word in _LETTERS.split()}


def fingerprint(key: bytes) -> str:
    """Return the first 80 bits of a key or hash in groups: `7Q2M-…`, four of four letters."""
    assert len(key) >= FINGERPRINT_BYTES
    letters = to_base32(key[:FINGERPRINT_BYTES])
    return "-".join(letters[at : at + GROUP] for at in range(0, len(letters), GROUP))


def spoken(text: str) -> str:
    """Return what is said over a radio for a fingerprint: a word a letter, groups by commas."""
    groups = text.split("-")
    return ", ".join(" ".join(_SPOKEN[letter] for letter in group) for group in groups)


def same_fingerprint(typed: str, key: bytes) -> bool:
    """Whether what a person typed is a key's fingerprint; case, hyphens and O I L are forgiven.

    Raises:
        InputError: `bad_id` when it cannot be one.
    """
    letters = "".join(letter for letter in typed if not letter.isspace())
    return from_base32(letters, FINGERPRINT_BYTES) == key[:FINGERPRINT_BYTES]
