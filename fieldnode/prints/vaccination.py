"""What somebody was vaccinated with, in words: the signed proof, and the card for the home.

A proof goes along with its square, a card says what comes next; both name every lot. Words for
vaccines come from the packs of whoever prints or reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from fieldnode.prints import square
from fieldnode.prints.sheet import printable
from fieldnode.prints.wristband import RECEIPT_CELLS, receipt, zpl_text
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import wrap
from fieldnode.tui.wording import age, name, sex
from protocols.live.proof import NextLine, PaperDoses, PrintedProof, Words
from protocols.records.proof import Counts, Proof, ProofDose

DOTS = 4
"""A module: 77 of them are 39 mm wide at 203 dpi, and fit a receipt printer of 58 mm."""
RECEIPT_COLUMNS = (RECEIPT_CELLS, 42)
"""Of receipt printers for paper of 58 mm and of 80 mm, in their usual fonts."""
COMING_MAX = 6
"""Series on a card beyond the next visit; a clinic has the rest."""
_SITES = {
    "left-arm": "proof.left_arm",
    "right-arm": "proof.right_arm",
    "left-thigh": "proof.left_thigh",
    "right-thigh": "proof.right_thigh",
    "mouth": "proof.mouth",
    "left-buttock": "proof.left_buttock",
    "right-buttock": "proof.right_buttock",
    "wound": "proof.wound",
}
_STATES = {
    "here": "proof.state_here",
    "differs": "proof.state_differs",
    "undated": "proof.state_undated",
    "impossible": "proof.state_impossible",
    "unknown": "proof.state_unknown",
}
_DIFFERS = {
    "name": "proof.other_name",
    "birth_date": "proof.other_birth",
    "sex": "proof.other_sex",
}
_ZPL_LINE_DOTS = 34
_ZPL_LINES = 16
"""What a label of 75 mm has room for; the square holds all of it."""


def in_words(words: Catalogue, said: Proof, names: Mapping[str, Words]) -> list[str]:
    """Return a proof line by line; what did not fit the square is said to be missing."""
    lines = [*_who(words, said), *_schedule(words, said), ""]
    lines += [part for dose in said.doses for part in _dose(words, dose, names)]
    if not said.doses and not said.left_out:
        lines.append(words("proof.none"))
    if said.left_out:
        lines.append(words.count("proof.left_out", said.left_out))
    lines += ["", words("proof.issued", who=said.written_by)] if said.written_by else []
    return [printable(line) for line in lines]


def card_in_words(words: Catalogue, made: PrintedProof) -> list[str]:
    """Return what a card says line by line: doses with their lots, what is due next and when."""
    said = made.said
    lines = [*_who(words, said), ""]
    lines += [part for dose in said.doses for part in _brief(words, dose, made.names)]
    lines += [words("proof.none")] if not said.doses else []
    lines += ["", *_next(words, made), "", *_schedule(words, said)]
    return [printable(line) for line in lines]


def receipt_of(
    words: Catalogue, made: PrintedProof, columns: int = RECEIPT_CELLS, exercise: str = ""
) -> bytes:
    """Return a card, or a proof with its square, for a receipt printer, in ESC/POS.

    Args:
        words: The reader's, in letters that such printers have.
        made: What to print; a card where it has no text.
        columns: Of the printer, one of `RECEIPT_COLUMNS`.
        exercise: What every print of a drill says; '' = real work.
    """
    told = in_words(words, made.said, made.names) if made.text else card_in_words(words, made)
    title = words("proof.title" if made.text else "proof.card")
    above = [printable(exercise)] if exercise else []
    lines = [part for line in (*above, title, *told) for part in wrap(line, columns)]
    picture = square.escpos(made.text, DOTS) if made.text else b""
    return receipt(lines, picture, columns)


def zpl(words: Catalogue, made: PrintedProof, exercise: str = "") -> bytes:
    """Return a proof on a label of 100 x 75 mm for a printer of 203 dpi, in ZPL II.

    The square says all of it; of the words stand as many as there is room for.
    """
    above = [printable(exercise)] if exercise else []
    said = [*above, *in_words(words, made.said, made.names)]
    told = [part for line in said for part in wrap(line, 38)]
    fields = [f"^FO20,20{square.zpl(made.text, DOTS)}"]
    for number, line in enumerate(told[:_ZPL_LINES]):
        fields.append(f"^FO380,{20 + _ZPL_LINE_DOTS * number}^A0N,28,24^FH_^FD{zpl_text(line)}^FS")
    return "\n".join(["^XA", "^CI28", "^PW800", "^LL600", *fields, "^XZ", ""]).encode()


def taking(words: Catalogue, found: PaperDoses) -> list[str]:
    """Return what a paper would add to somebody's doses, one line a dose; `+` is what is new."""
    about = "  ".join(part for part in (name(words, found.name), found.born) if part)
    lines = [words("proof.into", who=about)]
    lines += [words(_DIFFERS[each]) for each in found.differs if each in _DIFFERS]
    for one in found.doses:
        new = one.state == "new"
        state = "" if new else words(_STATES.get(one.state, "proof.state_unknown"))
        parts = (_given(words, one.dose, found.names), _lot(words, one.dose), state)
        lines.append(f"{'+' if new else '-'} {'  '.join(part for part in parts if part)}")
    if found.left_out:
        lines.append(words.count("proof.left_out", found.left_out))
    if not found.lines:
        lines.append(words("proof.nothing_new"))
    return [printable(line) for line in lines]


def to_take(words: Catalogue, found: PaperDoses) -> str:
    """Return the question before doses of a paper are written down."""
    return words.count("proof.take", len(found.lines), who=name(words, found.name))


def taken(words: Catalogue, number: int) -> str:
    """Return what became of it."""
    return words.count("proof.taken", number)


def vaccine(words: Catalogue, names: Mapping[str, Words], code: str) -> str:
    """Return the words for a vaccine in the reader's language, else in English, else its code."""
    known = names.get(code, {})
    return next((known[each] for each in (*words.languages, "en") if known.get(each)), code)


def day_of(words: Catalogue, day: int | None) -> str:
    """Return a day since 1970-01-01 as an ISO date, or that nobody knows it."""
    if day is None:
        return words("proof.no_day")
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _who(words: Catalogue, said: Proof) -> list[str]:
    born = words("proof.born", born=said.born) if said.born else age(words, said.age)
    about = [said.code, said.tag, born or words("age.unknown"), sex(words, said.sex)]
    return [name(words, said.name), "  ".join(part for part in about if part)]


def _schedule(words: Catalogue, said: Proof) -> list[str]:
    line = words("proof.schedule", schedule=said.schedule)
    return [line] if said.approved else [line, words("proof.not_approved")]


def _dose(words: Catalogue, dose: ProofDose, names: Mapping[str, Words]) -> Iterator[str]:
    """Yield the lines of one dose; who gave it stands on a second one, behind two spaces."""
    cvx = f"CVX {dose.cvx}" if dose.cvx else ""
    parts = (_given(words, dose, names), _lot(words, dose), cvx)
    yield "  ".join(part for part in parts if part)
    site = words(_SITES[dose.body_site]) if dose.body_site in _SITES else ""
    who = ", ".join(part for part in (site, dose.by, dose.org, dose.place) if part)
    second = [part for part in (who, *_doubts(words, dose)) if part]
    if second:
        yield f"  {'; '.join(second)}"


def _brief(words: Catalogue, dose: ProofDose, names: Mapping[str, Words]) -> Iterator[str]:
    """Yield the lines of one dose on a card: when and what, then the lot."""
    yield _given(words, dose, names)
    yield f"  {'; '.join((_lot(words, dose), *_doubts(words, dose)))}"


def _given(words: Catalogue, dose: ProofDose, names: Mapping[str, Words]) -> str:
    number = "" if dose.dose is None else f" {dose.dose}"
    return f"{day_of(words, dose.day)}  {vaccine(words, names, dose.vaccine)}{number}"


def _lot(words: Catalogue, dose: ProofDose) -> str:
    return words("proof.lot", lot=dose.lot) if dose.lot else words("proof.no_lot")


def _doubts(words: Catalogue, dose: ProofDose) -> list[str]:
    doubts = [words("proof.told")] if dose.told else []
    return doubts + ([words("proof.not_counted")] if dose.counts == Counts.NO else [])


def _next(words: Catalogue, made: PrintedProof) -> Iterator[str]:
    """Yield when to come again and for what, then what follows later."""
    today = day_of(words, made.at_ms // 86_400_000)
    day = made.next_day
    if not day:
        yield words("proof.day_unsure" if made.coming else "proof.nothing")
        return
    yield words("proof.next", day=words("proof.now") if day <= today else day)
    for one in made.coming:
        if one.day and one.day <= day:
            yield f"  {_coming(words, one)}"
    if not made.next_sure:
        yield words("proof.day_unsure")
    later = [one for one in made.coming if one.day > day][:COMING_MAX]
    if later:
        yield words("proof.later")
    for one in later:
        yield f"  {one.day}  {_coming(words, one)}"


def _coming(words: Catalogue, one: NextLine) -> str:
    shown = next((one.words[each] for each in (*words.languages, "en") if each in one.words), "")
    late = words("proof.overdue") if one.state == "overdue" else ""
    return f"{shown} {one.number}  {late}".rstrip()
