"""One sentence for each error code that a command may end with: what to do about it.

The words are in `text/`, a table a language; the English ones of refused lines stand with their
codes.
"""

from __future__ import annotations

from protocols.errors import FieldmeshError, InputError, LinkError
from protocols.live.phrases import phrase, phrases, spoken_language
from protocols.records.codes import ERRORS

SENTENCES: dict[str, str] = {
    **ERRORS,
    **phrases("en")["error"],
}


def sentence(error: FieldmeshError) -> str:
    """Return what to tell a person; codes without a sentence show as they are."""
    ours = phrases(spoken_language())
    words = ours["error"].get(error.code) or ours.get("record", {}).get(error.code)
    words = words or SENTENCES.get(error.code, f"Refused: {error.code}.")
    if isinstance(error, LinkError) and (address := error.values.get("address")):
        words += phrase("told", "address", address=address)
    if isinstance(error, InputError):
        if error.field:
            words += phrase("told", "field", field=error.field)
        if error.allowed:
            words += phrase("told", "allowed", values=", ".join(error.allowed))
    return words
