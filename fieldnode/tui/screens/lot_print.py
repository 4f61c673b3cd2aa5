"""The label of a lot, from the terminal to its printer."""

from __future__ import annotations

from typing import Any

from fieldnode.tui import printer
from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.printing import exercise_of, kind_of, worded
from fieldnode.tui.wording import error
from protocols.errors import FieldmeshError
from protocols.records.display import clean_text


def print_lot(desk: Desk, item: str, lot: str) -> list[Act]:
    """Print the label of a lot; it names nobody, so no trail says so.

    Args:
        desk: Shared by all pages.
        item: Code in the catalogue.
        lot: As the store has it.
    """
    words, what = desk.words, desk.words("lot_label.print")
    if not desk.greeting.printer:
        return [Say(words("printing.none"), "warn", bell=True)]
    if not lot:
        return [Say(words("supply.no_lot"), "warn", bell=True)]

    async def run(node: Any) -> str:
        # Squares are drawn by a library that a start has no use for.
        from fieldnode.prints.lot import KINDS, label_of

        told = await node.lot_label(item, lot)
        kind = kind_of(desk)
        raw = KINDS[kind](label_of(worded(desk), told, exercise_of(desk)))
        return await printer.give_out(raw, desk.greeting.printer, kind, desk.now_ms)

    def done(wrong: str) -> list[Act]:
        if wrong:
            return [Say(words(wrong), "bad", bell=True)]
        return [Say(f"{words('printing.done', what=what)} {clean_text(lot)}", "good")]

    def failed(failure: FieldmeshError) -> list[Act]:
        return [Say(error(words, failure), "bad", bell=True)]

    sent = Say(words("printing.sent", what=what), "plain")
    return [sent, Ask(run, done, failed, holds=False)]
