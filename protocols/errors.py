"""The error tree: whose fault it is, a stable code, and values that name no patient.

Words for people live in `fieldnode/text/`; an exception carries only a code and plain
values (counts, limits, field names, ids), never what a person typed.
"""

from __future__ import annotations

from typing import ClassVar

Value = str | int | tuple[str, ...] | None


class FieldmeshError(Exception):
    """Something went wrong that we know how to name."""

    fault: ClassVar[str] = "us"

    def __init__(self, code: str, **values: Value) -> None:
        self.code = code
        """Stable across versions; `fieldnode kinds --errors` lists those that programs can meet."""
        self.values = values
        """What the sentence for a person needs; never patient data."""
        super().__init__(code)

    def __str__(self) -> str:
        return " ".join([self.code, *(f"{name}={value}" for name, value in self.values.items())])


class InputError(FieldmeshError):
    """The person, or the program speaking for one, gave something we cannot take."""

    fault = "person"

    def __init__(
        self,
        code: str,
        *,
        field: str | None = None,
        allowed: tuple[str, ...] = (),
        **values: Value,
    ) -> None:
        super().__init__(code, **values)
        self.field = field
        """Dotted path of the offending field, or None when it is the whole line."""
        self.allowed = allowed
        """What would have been taken, in words a person can type."""

    def at(self, field: str) -> InputError:
        """Return the same refusal of another field; whoever asked knows where the text stood."""
        return InputError(self.code, field=field, allowed=self.allowed, **self.values)


class PeerError(FieldmeshError):
    """The peer broke the protocol. Close the session, keep the evidence."""

    fault = "peer"


class LinkError(FieldmeshError):
    """The world between us and the peer failed. Try again later."""

    fault = "world"


class LedgerError(FieldmeshError):
    """This device cannot keep the book: disk, key or damage."""

    fault = "device"


class SetupError(FieldmeshError):
    """The installation is not as it has to be."""

    fault = "installer"
