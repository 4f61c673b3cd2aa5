"""Finding patients by what they are called: words in, words out, kept in step with their rows."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from protocols.ledger.store import Store
from protocols.records.patient import PatientRow
from protocols.records.shape import columns

_BEFORE_IDEOGRAPHS = "\u2e7f"
"""Han, Kana and Hangul lie above; nearly all names below."""
_above = re.compile(f"[^\0-{_BEFORE_IDEOGRAPHS}]")
_NAMES = [name for name, _ in columns(PatientRow)]
found_by = itemgetter(*map(_NAMES.index, ("name", "also", "code", "tag")))
"""What of a patient's row, as its values, decides what the patient is found by."""


def words_of(values: Sequence[Any]) -> str:
    """Return what a patient's row, as its values, is found by; the code without its hyphen too."""
    name, also, code, tag = found_by(values)
    return " ".join((name, also, code, code.replace("-", ""), tag))


def keep_found(store: Store, changes: Sequence[tuple[int, str, str]]) -> None:
    """Let patients be found by what their rows say now.

    Args:
        changes: (subject number, words until now, words from now on); '' is none. Equal ones
            cost nothing, since the index is what most pages of a small write belong to.
    """
    changes = [each for each in changes if each[1] != each[2]]
    store.executemany(
        "DELETE FROM patient_search WHERE rowid = ?",
        [(subject,) for subject, before, _ in changes if before],
    )
    store.executemany(
        "INSERT INTO patient_search (rowid, words) VALUES (?,?)",
        [(subject, search_words(after)) for subject, _, after in changes if after],
    )


def search_words(text: str) -> str:
    """Return the words a patient is found by: as written, and Han, Kana and Hangul in pairs.

    The tokenizer splits no Chinese name into parts, so each pair of neighbours becomes a word.
    """
    words = [text]
    for run in _ideographs(text):
        words += [run[at : at + 2] for at in range(len(run) - 1)] or [run]
        words += list(run)
    return " ".join(words)


def search_query(text: str) -> str:
    """Return the FTS query for what a person typed: every word, as a prefix."""
    terms = []
    # SQLite reads a text to its first NUL: a quote opened before it would never be closed.
    for word in text.replace("\0", " ").split():
        runs = _ideographs(word)
        pairs = [run[at : at + 2] for run in runs for at in range(len(run) - 1)]
        terms += pairs or [word]
    return " ".join('"' + term.replace('"', '""') + '"*' for term in terms)


def says_more(text: str) -> bool:
    """Return whether any word typed is more than one letter of an alphabet."""
    return any(len(word) > 1 or word > _BEFORE_IDEOGRAPHS for word in text.split())


def _ideographs(text: str) -> list[str]:
    if text.isascii() or not _above.search(text):
        return []
    runs, run = [], ""
    for letter in text:
        name = unicodedata.name(letter, "") if letter > _BEFORE_IDEOGRAPHS else ""
        if name.startswith(("CJK", "HIRAGANA", "KATAKANA", "HANGUL")):
            run += letter
        elif run:
            runs.append(run)
            run = ""
    return [*runs, run] if run else runs
