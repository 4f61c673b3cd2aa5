"""Crowd mode: one key a dose, counted under the digit that the session bound."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

import msgspec

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.crowd import vial_for
from fieldnode.tui.cores.display import Line, Size, Span, cut, fit, fit_right, line, wrap
from fieldnode.tui.cores.drive import HAD, HAD_KEYS, LOT_STOPS
from fieldnode.tui.cores.fields import Answer, Field, Number
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.keys import action_key, fold_single
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.supply_fields import Whole
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.gate import UNCOUNTED, ask_gate, gate_of
from fieldnode.tui.screens.undrafted import UndraftedForm
from fieldnode.tui.vaccine_words import vaccine_word, vial_text
from fieldnode.tui.wording import clock, code_sentence, error, sex
from protocols.errors import FieldmeshError
from protocols.live.api import Recorded
from protocols.live.drive import Cell, Drive
from protocols.records.display import clean_text

KIND = "tally.add"
MORE_KEY, CORRECT_KEY = "*", "c"
REASON_CHARS_MAX = 120


class CrowdPage(Page):
    """Digits 1 to 9 count; every count is a signed record."""

    name: ClassVar[str] = "crowd"

    def __init__(self, desk: Desk, session: str) -> None:
        super().__init__(desk)
        self._session = session
        self.told: Drive | None = None
        self._counted: dict[int, int] = {}
        """Doses by digit, as told and as counted here since."""
        self._drawn: dict[str, int] = {}
        """Doses drawn here since the vials were told, by vial."""
        self._without: set[str] = set()
        """Vaccines that somebody chose to count though no vial is open."""
        self._settled: tuple[str, ...] = ()
        """What a person settled of this dose before that."""
        self._asked: tuple[Cell, str, str] | None = None
        """A cell whose dose was asked about: with the code of the question, and the key of it."""
        self._of = ""
        """The vial that it was drawn from: what is said of the dose is said of that one alone."""

    def opened(self) -> list[Act]:
        """Ask for the session."""
        return [*ask_gate(self.desk, (KIND,), ""), self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """A dose may have been taken back, a vial opened, or the session ended."""
        if not self.desk.session:
            from fieldnode.tui.screens.sessions import leave

            return leave(self.desk)
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Others count too."""
        return [self._fetch(holds=False)]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(told: Drive) -> list[Act]:
            self.told, self._drawn = told, {}
            self._counted = {cell.digit: cell.counted for cell in told.cells}
            return []

        return Ask(
            lambda node: node.drive(self._session), came, None if holds else _nothing, holds=holds
        )

    @property
    def question(self) -> Hashable | None:
        """Whether to count without a vial, or against what the node says."""
        return None if self._asked is None else (self._asked[0].digit, *self._asked[1:])

    def key(self, key: str) -> list[Act]:
        """Count one dose, or answer what was asked."""
        if self._asked is not None:
            return self._answer(key)
        digit = fold_single(key) if len(key) == 1 else ""
        cell = self._cell(digit)
        if cell is not None:
            return self._count(cell)
        letter = action_key(key)
        if (digit == "0" or letter == CORRECT_KEY) and self.told is not None:
            return [Open(CorrectForm(self.desk, self.told))]
        if key == MORE_KEY and self.told is not None:
            from fieldnode.tui.screens.drive_menu import DriveMenuPage

            return [Open(DriveMenuPage(self.desk, self.told))]
        return [Say("", bell=True)] if digit.isdecimal() and digit else super().key(key)

    def scan(self, scan: Scan) -> list[Act]:
        """A scanned box opens a vial."""
        if self.told is None:
            return []
        from fieldnode.tui.screens.vial_form import VialForm

        form = VialForm(self.desk, self.told)
        return [Open(form), *form.scan(scan)]

    def _cell(self, digit: str) -> Cell | None:
        cells = self.told.cells if self.told else ()
        return next((cell for cell in cells if str(cell.digit) == digit), None)

    def _count(self, cell: Cell, of: str = "", **more: Any) -> list[Act]:
        assert self.told is not None
        # What is no vaccine has no vial, and takes nothing from a store.
        free = vial_for(self.told.vials, cell.vaccine, self._drawn, self.desk.now_ms)
        vial = of or (free.id if free is not None else "")
        if not vial and not cell.intervention and cell.vaccine not in self._without:
            self._asked = (cell, "no_vial", self.desk.new_key())
            return [Say("", bell=True)]
        key = self.desk.new_key()
        data: dict[str, Any] = {"session": self._session, "cell": cell.digit}
        if vial:
            data["vial"] = vial
            # Once there is one again, its end is asked about again.
            self._without.discard(cell.vaccine)
        written = {"v": 1, "kind": KIND, "key": key, "data": data, **more}

        def came(answers: list[Recorded]) -> list[Act]:
            answer = answers[0]
            if not answer.ok:
                self._of = vial
                return self._refused(cell, answer, more)
            if vial:
                self._drawn[vial] = self._drawn.get(vial, 0) + 1
            return self._saved(cell, answer)

        return [Ask(lambda node: node.record([written]), came, self._not_recorded)]

    def _saved(self, cell: Cell, answer: Recorded) -> list[Act]:
        words, now = self.desk.words, self.desk.now_ms
        self._counted[cell.digit] = self._counted.get(cell.digit, 0) + 1
        label = f"{cell.digit} {cell_text(self.desk, cell)}"
        facts = answer.facts or ((answer.id,) if answer.id else ())
        self.desk.saved(Save(label, facts, now, "", self.name))
        uncounted = UNCOUNTED & set(answer.warnings)
        key = "form.saved_uncounted" if uncounted else "form.saved"
        text = words(key, at=clock(now, now, self.desk.zone), what=label)
        return [Say(text, "warn" if uncounted else "good")]

    def _refused(self, cell: Cell, answer: Recorded, more: dict[str, Any]) -> list[Act]:
        if gated := gate_of(self.desk, answer, "", lambda: self._count(cell)):
            return gated
        if answer.error == "confirm_needed" and answer.confirm:
            self._settled = tuple(more.get("confirm", ()))
            self._asked = (cell, answer.confirm, self.desk.new_key())
            return [Say("", bell=True)]
        if answer.error in LOT_STOPS:
            self._settled = tuple(more.get("confirm", ()))
            self._asked = (cell, answer.error, self.desk.new_key())
            return [Say("", bell=True)]
        return [Say(code_sentence(self.desk.words, answer.error or ""), "bad", bell=True)]

    def _not_recorded(self, failure: FieldmeshError) -> list[Act]:
        words = self.desk.words
        text = words("form.not_saved", why=error(words, failure))
        # Whether the last one was counted is not known: what the node holds is shown again.
        return [Say(text, "bad", bell=True), self._fetch(holds=False)]

    def _answer(self, key: str) -> list[Act]:
        assert self._asked is not None
        cell, code, _ = self._asked
        if code in LOT_STOPS and action_key(key) in HAD_KEYS:
            self._asked = (cell, HAD, self.desk.new_key())
            return []
        if key not in ("enter", "escape") or (key == "enter" and code in LOT_STOPS):
            return [Say("", bell=True)]
        self._asked = None
        if key == "escape":
            return []
        if code == "no_vial":
            self._without.add(cell.vaccine)
            return self._count(cell)
        return self._count(cell, self._of, confirm=[*self._settled, code])

    def draw(self, size: Size) -> list[Line]:
        """Draw the digits with what each counts, the vials, and the last counts."""
        words, told = self.desk.words, self.told
        place = clean_text(told.session.place or told.session.site) if told else ""
        rows: list[Line] = [
            line(" ", Span(words("crowd.title"), "title"), Span(f"  {place}", "title"))
        ]
        if told is None:
            return rows
        for vial in told.vials:
            left = vial.left - self._drawn.get(vial.id, 0)
            text = vial_text(
                words, msgspec.structs.replace(vial, left=left), self.desk.now_ms, self.desk.zone
            )
            rows.append(line(" ", text))
        rows = [*rows[:4], ()]
        for cell in told.cells:
            count = self._counted.get(cell.digit, 0)
            rows.append(
                line(
                    "   ",
                    Span(str(cell.digit), "key"),
                    "  ",
                    Span(fit(cell_text(self.desk, cell), 44), "title"),
                    Span(fit_right(str(count), 7), "value"),
                )
            )
        if not told.cells:
            rows += [line("   ", part) for part in wrap(words("crowd.no_cells"), size.width - 6)]
        doses = {cell.digit for cell in told.cells if not cell.intervention}
        total = sum(n for digit, n in self._counted.items() if digit in doses)
        rows += [(), line(" ", Span(words("crowd.total", n=total, hour=told.last_hour), "value"))]
        if self._asked is not None:
            rows += self._question(size.width)
        else:
            mine = [save for save in self.desk.saves if save.form == self.name][::-1][:3]
            for save in mine:
                at = clock(save.at_ms, self.desk.now_ms, self.desk.zone)
                rows.append(line("   ", Span(cut(f"{at}  {save.label}", size.width - 4), "dim")))
        return rows[: size.height]

    def _question(self, width: int) -> list[Line]:
        assert self._asked is not None
        words, (cell, code, _) = self.desk.words, self._asked
        key = f"confirm.{code}"
        if code == "no_vial":
            text = words("crowd.no_vial", vaccine=vaccine_word(words, cell.words))
        elif code in LOT_STOPS:
            vials = self.told.vials if self.told is not None else ()
            lots = [clean_text(vial.lot) for vial in vials if vial.id == self._of]
            named = " ".join((vaccine_word(words, cell.words), *lots))
            text = words("drive.lot_stop", what=named, why=words(f"lot_stop.{code}"))
        else:
            text = words(key) if words.has(key) else code_sentence(words, code)
        return [line(" ", Span(part, "warn")) for part in wrap(f"! {text}", width - 2)]

    def hints(self) -> list[Hint]:
        """What the keys do."""
        words = self.desk.words
        if self._asked is not None and self._asked[1] in LOT_STOPS:
            return [Hint("/".join(HAD_KEYS), words("drive.hint_had"))]
        if self._asked is not None:
            return [Hint(words("keys.enter"), words("drive.hint_agree"))]
        return [
            Hint("1-9", words("crowd.count")),
            Hint("F8", words("crowd.undo")),
            Hint("c/0", words("crowd.correct")),
            Hint("*", words("drive.hint_more")),
        ]


class CorrectForm(UndraftedForm):
    """So many doses were counted too much: taken off under a digit, with the reason."""

    name: ClassVar[str] = "crowd_correct"
    title: ClassVar[str] = "crowd.correct_title"
    saved_word: ClassVar[str] = "crowd.corrected"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, told: Drive) -> None:
        self._told = told
        digits = [cell.digit for cell in told.cells] or [1]
        fields = (
            Number("cell", "crowd.digit", required=True, chars_max=1,
                   possible=(str(min(digits)), str(max(digits)))),
            Whole("n", "crowd.too_many", required=True, swift=False, most=500, chars_max=6),
            Field("why", "crowd.why", required=True, chars_max=REASON_CHARS_MAX),
        )  # fmt: skip
        super().__init__(desk, FormCore(fields))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the tally below 0."""
        data = {
            "session": self._told.session.id,
            "cell": int(answers["cell"].text),
            "n": -int(answers["n"].text),
        }
        return {"kind": KIND, "data": data, "reason": answers["why"].text}

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Back to counting."""
        return [Back()] if recorded.ok else []

    def _label(self, recorded: Recorded) -> str:
        answers = self.form.answers()
        return f"{answers['cell'].text}: -{answers['n'].text}"


def cell_text(desk: Desk, cell: Cell) -> str:
    """Return what a digit counts: vaccine and dose, band, sex."""
    words = desk.words
    named = vaccine_word(words, cell.words)
    parts = [named if cell.intervention else f"{named} {cell.dose}"]
    if cell.band != 9:
        parts.append(words(f"band.{cell.band}"))
    if cell.sex != 9:
        parts.append(sex(words, cell.sex))
    return "  ".join(parts)


def _nothing(_failure: FieldmeshError) -> list[Act]:
    return []
