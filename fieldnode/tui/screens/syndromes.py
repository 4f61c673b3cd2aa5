"""What a visit counts under, as a field: the rows of the syndrome pack that the node works by."""

from __future__ import annotations

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.desk import Desk
from protocols.errors import FieldmeshError
from protocols.guidelines.syndromes import Row, read_syndromes, shipped_syndromes, shown
from protocols.guidelines.vocabulary import Condition, rows_of
from protocols.live.guidance import PackInUse

PACK = "syndromes"
FIELD = "syndrome"


class Offered:
    """The rows offered in one form: of the pack in use, or, until that is known, as shipped."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pack = shipped_syndromes()

    def field(self) -> Picked:
        """Return the field, its rows in the reader's words."""
        languages = self._desk.words.languages
        items = tuple(
            Item(str(row.number), row.id, shown(row, languages).text)
            for row in self._pack.syndrome
            if _condition(row)
        )
        return Picked(FIELD, "field.syndrome", hint="discharge.syndrome_hint", items=items)

    def ask(self, form: FormCore) -> Ask:
        """Ask for the pack in use; keys wait, since letters and a digit pick one of its rows."""

        def came(told: PackInUse) -> list[Act]:
            self._pack = read_syndromes(told.text)
            form.replace_field(self.field())
            return []

        return Ask(lambda node: node.pack_in_use(PACK), came, _as_shipped, drops=False)

    def condition(self, answer: Answer) -> str:
        """Return the condition that a picked row is recorded as; '' where it is none."""
        name = coded(answer)[0]
        return next((_condition(row) for row in self._pack.syndrome if row.id == name), "")


def _condition(row: Row) -> str:
    """Return the condition that a row is recorded as: the same one, or the first of its item."""
    known = [one for one in rows_of("condition") if isinstance(one, Condition) and one.syndrome]
    same = [one.name for one in known if one.name == row.id]
    return (same or [one.name for one in known if one.mds == row.mds] or [""])[0]


def _as_shipped(_failure: FieldmeshError) -> list[Act]:
    """Then the rows that came with the software are offered."""
    return []
