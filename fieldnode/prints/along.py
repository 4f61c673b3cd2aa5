"""What a patient takes along: a signed square, and the same in words for whoever has no scanner."""

from __future__ import annotations

from fieldnode.prints import square, vaccination
from fieldnode.prints.sheet import printable
from fieldnode.prints.wristband import RECEIPT_CELLS, receipt, zpl_text
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import cut, wrap
from fieldnode.tui.wording import age, name, sex, triage, unit
from protocols.guidelines.observations import observations
from protocols.live.paper import PaperRead
from protocols.records.summary import (
    ALLERGY_LISTED,
    ALLERGY_NONE_KNOWN,
    Summary,
)

DOTS = 4
"""A module: 77 of them are 39 mm wide at 203 dpi, and fit a receipt printer of 58 mm."""
_ZPL_LINE_DOTS = 34


def in_words(words: Catalogue, said: Summary) -> list[str]:
    """Return a summary line by line; what did not fit the square is said to be missing."""
    who = [said.code, said.tag, age(words, said.age) or words("age.unknown"), sex(words, said.sex)]
    lines = [name(words, said.name), "  ".join(part for part in who if part)]
    if said.triage is not None:
        lines.append(triage(words, said.triage).text)
    lines.append(_allergies(words, said))
    for key, listed in (("problems", said.problems), ("medicines", said.medicines)):
        if listed:
            lines.append(f"{words(f'along.{key}')}: {'; '.join(listed)}")
    if said.findings:
        lines.append("  ".join(_finding(words, *each) for each in said.findings))
    if said.advice:
        lines.append(f"{words('along.advice')}: {said.advice}")
    if said.left_out:
        lines.append(words.count("along.left_out", said.left_out))
    return [printable(line) for line in (*lines, said.written_by) if line]


def shown(words: Catalogue, read: PaperRead, at: str) -> list[str]:
    """Return what a scanned paper is worth and what it says; `at` is when it was signed."""
    who = " ".join(part for part in (read.device, f"({read.org})" if read.org else "") if part)
    worth = words(f"along.{read.worth}", who=who, at=at, certificate=read.certificate[:16].upper())
    told: list[str] = []
    if read.said is not None:
        told = in_words(words, read.said)
    elif read.proof is not None:
        told = [words("proof.title"), *vaccination.in_words(words, read.proof, read.names)]
    if not told:
        return [worth]
    here = [words("along.known")] if read.patient else []
    return [worth, *here, "", *told]


def zpl(words: Catalogue, text: str, said: Summary) -> bytes:
    """Return a label of 100 x 75 mm for a printer of 203 dpi, in ZPL II: square, then words."""
    fields = [f"^FO20,20{square.zpl(text, DOTS)}"]
    shown = [part for line in in_words(words, said) for part in wrap(line, 38)]
    for number, line in enumerate(shown[:16]):
        fields.append(f"^FO380,{20 + _ZPL_LINE_DOTS * number}^A0N,28,24^FH_^FD{zpl_text(line)}^FS")
    return "\n".join(["^XA", "^CI28", "^PW800", "^LL600", *fields, "^XZ", ""]).encode()


def escpos(words: Catalogue, text: str, said: Summary) -> bytes:
    """Return a slip for a receipt printer of 58 mm: words, then the square."""
    shown = [part for line in in_words(words, said) for part in wrap(line, RECEIPT_CELLS)]
    return receipt(shown, square.escpos(text, DOTS))


def plain(words: Catalogue, text: str, said: Summary) -> str:
    """Return words and the square's text, for whoever prints the square elsewhere."""
    lines = [cut(part, 80) for line in in_words(words, said) for part in wrap(line, 78)]
    groups = [text[start : start + 75] for start in range(0, len(text), 75)]
    return "\n".join([*lines, "", *groups, ""])


def _allergies(words: Catalogue, said: Summary) -> str:
    if said.allergy == ALLERGY_NONE_KNOWN:
        return words("along.allergy_none")
    if said.allergy != ALLERGY_LISTED:
        return words("along.allergy_not_asked")
    listed = "; ".join(said.allergies) or words("along.allergy_not_fitted")
    return words("along.allergies", listed=listed)


def _finding(words: Catalogue, number: int, value: str) -> str:
    known = observations().numbered(number)
    label = known.name if known else f"#{number}"
    key = f"obs.{label}"
    amount, _, code = value.rpartition(" ")
    shown = f"{amount} {unit(code)}".strip() if amount else value
    return f"{words(key) if words.has(key) else label} {shown}"
