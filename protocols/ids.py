"""Typed ids: raw bytes inside, printable and sortable outside.

Every id is a subclass of `bytes`, so it hashes, compares and stores as what it is. Its text is
a three-letter prefix, an underscore and Crockford base32, which keeps the order of the bytes.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, NamedTuple, Self

from protocols.errors import InputError

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
TEXTS_KEPT = 256
"""Texts remembered, about 150 bytes each: every answer names the same few feeds and patients."""
_PAIRS = [first + second for first in CROCKFORD for second in CROCKFORD]
"""Two letters at once: an answer to a line holds five ids of up to 52 letters."""
_VALUE = {letter: value for value, letter in enumerate(CROCKFORD)} | {"O": 0, "I": 1, "L": 1}

PREFIX_BYTES = 16
"""An entry hash is cut to this length where it names a document, a dependency or a fact."""


def to_base32(raw: bytes) -> str:
    """Return Crockford base32, without padding; the order of equal lengths is kept."""
    bits = len(raw) * 8
    letters = (bits + 4) // 5
    whole = (letters + 1) // 2 * 10
    number = int.from_bytes(raw) << whole - bits
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(whole - 10, -1, -10)]
    return "".join(pairs)[:letters]


def from_base32(text: str, size: int) -> bytes:
    """Return the `size` bytes that `to_base32` printed; hyphens, case and O I L are forgiven.

    Raises:
        InputError: `bad_id` when a character, the length or a padding bit is wrong.
    """
    # Capitals of other scripts would be ours: a dotless i is no I in an id.
    letters = text.upper().replace("-", "") if text.isascii() else ""
    pad = -size * 8 % 5
    if len(letters) * 5 != size * 8 + pad or any(letter not in _VALUE for letter in letters):
        raise InputError("bad_id", field="id")
    number = 0
    for letter in letters:
        number = number << 5 | _VALUE[letter]
    if number & ((1 << pad) - 1):
        raise InputError("bad_id", field="id")
    return (number >> pad).to_bytes(size)


_text = lru_cache(TEXTS_KEPT)(to_base32)
"""Of ids alone: whatever else is spelled so may be a secret, and is not kept."""


class Id(bytes):
    """A fixed-length id with a printable form."""

    SIZE: ClassVar[int] = 32
    PREFIX: ClassVar[str] = "id"

    def __new__(cls, raw: bytes) -> Self:
        """Take exactly SIZE bytes.

        Raises:
            InputError: `bad_id` for any other length.
        """
        if len(raw) != cls.SIZE:
            raise InputError("bad_id", field="id", size=len(raw), expected=cls.SIZE)
        return super().__new__(cls, raw)

    def __str__(self) -> str:
        return f"{self.PREFIX}_{_text(self)}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self!s})"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the printed form back.

        Raises:
            InputError: `bad_id` when it is not one of this type.
        """
        prefix, _, rest = text.partition("_")
        if prefix != cls.PREFIX:
            raise InputError("bad_id", field="id", allowed=(f"{cls.PREFIX}_…",))
        return cls(from_base32(rest, cls.SIZE))

    @classmethod
    def zero(cls) -> Self:
        """The all-zero id: *none*, *in clear* or *this entry*, by context."""
        return cls(bytes(cls.SIZE))


class DeviceId(Id):
    """The Ed25519 verify key of a device."""

    PREFIX = "dev"


class PersonId(Id):
    """The Ed25519 verify key of a person; in a roster it stands where a device's would."""

    PREFIX = "per"


class FeedId(Id):
    """BLAKE2b-256 of a feed's genesis."""

    PREFIX = "fed"


class EntryHash(Id):
    """BLAKE2b-256 of an entry's full header."""

    PREFIX = "ent"

    @property
    def prefix(self) -> EntryPrefix:
        """The first 16 bytes: how dependencies, documents and facts name this entry."""
        return EntryPrefix(self[:PREFIX_BYTES])


class KeyId(Id):
    """Entry hash of the rotation record that made a scope key; zero for bodies in clear."""

    PREFIX = "key"


class StatementHash(Id):
    """BLAKE2b-256 of a signed statement: charter, certificate."""

    PREFIX = "sta"


class OperationId(Id):
    """BLAKE2b-256 of the charter's text, without its signatures."""

    PREFIX = "opn"


class EntryPrefix(Id):
    """First 16 bytes of an entry hash."""

    SIZE = PREFIX_BYTES
    PREFIX = "pre"


class DocId(Id):
    """Prefix of the hash of the entry that started a document."""

    SIZE = PREFIX_BYTES
    PREFIX = "doc"


class PatientId(DocId):
    """The first document written for a patient, whatever its lane."""

    PREFIX = "pat"


class EncounterId(DocId):
    """The first document written for an encounter, whatever its lane."""

    PREFIX = "enc"


class SiteId(DocId):
    """The first document written for a site."""

    PREFIX = "sit"


class SessionId(DocId):
    """The first document written for a vaccination session."""

    PREFIX = "ses"


class ScopeId(Id):
    """Who may hold and read: 16 bytes named by the charter; zero for control."""

    SIZE = 16
    PREFIX = "sco"


class Epoch(Id):
    """A random 64-bit id of one life of a device's storage."""

    SIZE = 8
    PREFIX = "epo"


class FactRef(NamedTuple):
    """One fact: the entry that carries it and its place there, counted from 0."""

    entry: EntryPrefix
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody asks an id

    def __str__(self) -> str:
        return f"fct_{_text(self.entry)}.{self.index}"

    @classmethod
    def parse(cls, text: str) -> FactRef:
        """Read the printed form back.

        Raises:
            InputError: `bad_id` when it is not a fact's id.
        """
        head, dot, tail = text.partition(".")
        number = tail or "0"
        counted = number.isascii() and number.isdecimal() and len(number) <= 4
        if not head.startswith("fct_") or not counted:
            raise InputError("bad_id", field="id", allowed=("fct_….0",))
        return cls(EntryPrefix(from_base32(head[4:], PREFIX_BYTES)), int(number))
