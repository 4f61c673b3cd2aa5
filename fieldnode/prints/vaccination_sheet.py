"""A proof of vaccination and a vaccination card on plain sheets of 80 columns.

Behind a proof stand its groups to type and, on a page of its own, its square drawn in blocks: any
printer that has block characters prints it, and a telephone or a scanner reads it from there.
"""

from __future__ import annotations

from fieldnode.prints.letter import groups
from fieldnode.prints.sheet import WIDTH, Block, Head, pages
from fieldnode.prints.square import blocks as drawn
from fieldnode.prints.vaccination import card_in_words, in_words
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import wrap
from protocols.live.proof import PrintedProof


def proof_sheet(words: Catalogue, head: Head, made: PrintedProof) -> str:
    """Return a signed proof: words, groups to type, and the square."""
    told = [*_wrapped(in_words(words, made.said, made.names)), ""]
    typed = ["", *_wrapped([words("proof.type_it")]), *groups(made.text)]
    return pages(words, head, [[line] for line in told] + [typed, ["", *drawn(made.text)]])


def card_sheet(words: Catalogue, head: Head, made: PrintedProof) -> str:
    """Return a card: doses with their lots, what is due next and when; it is not signed."""
    told = [*_wrapped(card_in_words(words, made)), "", *_wrapped([words("proof.unsigned")])]
    lines: list[Block] = [[line] for line in told]
    return pages(words, head, lines)


def _wrapped(lines: list[str]) -> list[str]:
    """Return lines that fit; what is broken goes on behind the indent of its line."""
    found = []
    for text in lines:
        indent = " " * (len(text) - len(text.lstrip()))
        first, *rest = wrap(text.lstrip(), WIDTH - 2 - len(indent))
        found += [indent + first, *(f"{indent}    {part}" for part in rest)]
    return found
