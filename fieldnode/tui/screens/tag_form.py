"""A form with a tag: whoever carries it already is named before anything is written under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.fields import Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.carriers import CarriersPage
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.wording import age, error, sex, short_identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage

NAMED_MAX = 3
"""Carriers named in one sentence."""


class TagForm(FormPage):
    """Asks once for each tag; an Enter struck on the question is the answer (SAFETY 16)."""

    known_word: ClassVar[str] = ""
    """Catalogue key of the question about a tag that somebody carries."""
    chooses: ClassVar[bool] = False
    """Whether the record is about the carrier, so that of several one has to be chosen."""

    def __init__(self, desk: Desk, form: FormCore, head: BoardLine | None = None) -> None:
        super().__init__(desk, form, head)
        self._carriers: dict[str, tuple[BoardLine, ...]] = {}
        """Who carries each tag that was looked up; empty for nobody."""
        self._answered: dict[str, BoardLine] = {}
        """Tags about which a person answered, with the carrier they meant."""

    def tag_answered(self, tag: str) -> None:
        """Take note that a person saw who carries the tag and went on."""

    def key(self, key: str) -> list[Act]:
        """Take one key; Enter on the question about the tag answers it."""
        tag = self._tag
        carriers = self._carriers.get(tag, ())
        asked = bool(carriers) and not self._several(tag)
        if key == "enter" and asked and self.form.reason == self._doubt(tag):
            self._answer(tag, carriers[0])
        return super().key(key)

    def field_left(self, name: str) -> list[Act]:
        """Ask who carries a tag before anything is written under it."""
        tag = self._tag if name == "tag" else ""
        if not tag or tag in self._answered:
            return []
        if tag in self._carriers:
            return self._ask_who(tag) if self._several(tag) else []
        # Nobody is held up by a tag that cannot be looked up: the node asks again when it saves.
        return [self._look_up(tag, lambda: [])]

    def _save(self) -> list[Act]:
        """Save once every carrier was named; a draft's tag has not been looked up here."""
        tag = self._tag
        if not tag or tag in self._answered or self._carriers.get(tag) == ():
            return super()._save()
        if tag not in self._carriers:
            return [self._look_up(tag, super()._save)]
        if self._several(tag):
            return self._ask_who(tag)
        self.form.refuse("tag", self._doubt(tag))
        return [Say("", bell=True)]

    def _look_up(self, tag: str, then: Callable[[], list[Act]]) -> Ask:
        def found(page: BoardPage) -> list[Act]:
            self._carriers[tag] = page.lines
            return self._ask_who(tag) if page.lines else then()

        def failed(failure: FieldmeshError) -> list[Act]:
            text = self.desk.words("triage.tag_unchecked", why=error(self.desk.words, failure))
            return [Say(text, "warn"), *then()]

        return Ask(lambda node: node.tagged(tag), found, failed, drops=False)

    def _ask_who(self, tag: str) -> list[Act]:
        """Name who carries the tag; of several, ask which one this is."""
        if not self._several(tag):
            self.form.doubt("tag", self._doubt(tag))
            return [Say("", bell=True)]

        def choose(carrier: BoardLine) -> list[Act]:
            self._answer(tag, carrier)
            return [Back(), Say(self.desk.words("carriers.chosen", who=self._who([carrier])))]

        def leave() -> list[Act]:
            self.form.doubt("tag", self._doubt(tag))
            return []

        page = CarriersPage(self.desk, tag, self._carriers[tag], choose, leave)
        return [Open(page), Say("", bell=True)]

    def _answer(self, tag: str, carrier: BoardLine) -> None:
        self._answered[tag] = carrier
        self.tag_answered(tag)

    def _several(self, tag: str) -> bool:
        return self.chooses and len(self._carriers[tag]) > 1

    def _doubt(self, tag: str) -> Reason:
        if self._several(tag):
            return Reason("triage.tag_several")
        return Reason(self.known_word, (("who", self._who(self._carriers[tag])),))

    @property
    def _tag(self) -> str:
        """What stands in the tag field, as it would be written; '' for nothing."""
        places = [place for place, field in enumerate(self.form.fields) if field.name == "tag"]
        return self.form.answer(places[0]).text if places else ""

    def _who(self, carriers: Sequence[BoardLine]) -> str:
        """Return who they are; of one alone age and sex too."""
        words = self.desk.words
        names = [short_identity(words, one) for one in carriers[:NAMED_MAX]]
        if len(carriers) == 1:
            names += [age(words, carriers[0].age), sex(words, carriers[0].sex)]
        elif len(carriers) > NAMED_MAX:
            names.append(f"+{len(carriers) - NAMED_MAX}")
        return ", ".join(part for part in names if part)
