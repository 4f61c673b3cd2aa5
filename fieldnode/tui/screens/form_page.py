"""What all forms share: one state machine, a draft at every field left, one save at the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, between, cut, line, line_cells
from fieldnode.tui.cores.fields import Answer, Number, Pressure, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.occasion import Occasion, occasion_of
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.carriers import CarriersPage
from fieldnode.tui.screens.gate import UNCOUNTED, ask_gate, gate_of
from fieldnode.tui.screens.switch import SwitchPage
from fieldnode.tui.screens.when import WHEN_KEY, WhenPage
from fieldnode.tui.widgets.form_view import draw_form
from fieldnode.tui.wording import (
    clock,
    code_sentence,
    error,
    identity,
    occasion_text,
    safety_line,
    short_identity,
)
from protocols.errors import FieldmeshError, LinkError
from protocols.live.api import BoardLine, BoardPage, Draft, Recorded

SCAN_CHARS_MAX = 64
"""Longest tag; a longer code is not one."""


class FormPage(Page, ABC):
    """A form about one patient or a new one. Subclasses say which fields and which record."""

    title: ClassVar[str] = ""
    """Catalogue key."""
    saved_word: ClassVar[str] = ""
    """Catalogue key of what was saved."""
    kinds: ClassVar[tuple[str, ...]] = ()
    """What it writes: asked about before it opens."""

    def __init__(self, desk: Desk, form: FormCore, head: BoardLine | None = None) -> None:
        super().__init__(desk)
        self.form = form
        self.head = head
        self.subject = desk.new_key()
        self.typed_ms: int | None = None
        """When a draft that was taken up again was last typed into; its values are of then."""
        self.occasion: Occasion | None = None
        """When it happened and who did it, once somebody stated it (SAFETY 13)."""
        self._draft_kept = True
        self._had_draft = False
        """Whether a draft was ever kept: then it follows what is taken out again."""
        self._confirm: dict[str, tuple[str, str]] = {}
        """Warning code the node asked about: the field, and the text it then held."""

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft."""
        self.subject = draft.subject
        self.typed_ms = draft.at_ms or None
        self.occasion = occasion_of(draft.fields)
        self.form.restore(draft.fields)

    def more_draft(self) -> dict[str, str]:
        """Return what a draft keeps beside what was typed, under names that are no field's."""
        return {}

    def opened(self) -> list[Act]:
        """Ask first when and by whom, where paper is typed up: that stands at its top."""
        asks = [self._ask_when()] if self.desk.paper and self.occasion is None else []
        return [*asks, *self._ask_gate()]

    def _ask_gate(self) -> list[Act]:
        """Ask whether whoever is here may write this, where anything stops them at all."""
        return ask_gate(self.desk, self.kinds, self.head.patient if self.head else "")

    @abstractmethod
    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the record's own parts: kind, data, and patient when there is one."""

    def also(self, _answers: dict[str, Answer]) -> list[dict[str, Any]]:
        """Return what is written together with the record, all of it or nothing.

        Each names itself by a short `key` and may name the record's patient as `{"line": 1}`.
        """
        return []

    def field_of(self, path: str) -> str:
        """Return the name of the field that a refused part of the record came from, or ''."""
        name = path.removeprefix("data.").partition(".")[0]
        return name if any(field.name == name for field in self.form.fields) else ""

    def check(self, _answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Return the field and the reason when answers do not fit together."""
        return None

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on after a save; `recorded` names the patient."""
        return [Back()] if recorded.ok else []

    def key(self, key: str) -> list[Act]:
        """Take one key; Escape leaves and the draft stays."""
        if key == "escape":
            return [Back()]
        if key == WHEN_KEY:
            return [self._ask_when()]
        step = self.form.key(key)
        acts: list[Act] = []
        if step.save:
            return self._save()
        if step.left is not None:
            acts += self.field_left(step.left)
        asked = step.refused and self.form.question is not None
        if (step.left is not None or asked) and (self._had_draft or not self.form.empty):
            # Who only walks through an empty form leaves nothing to go on with; what is asked about
            # is kept before it is answered.
            acts.append(self._put_draft())
        if step.refused and self.form.reason is None:
            acts.append(Say("", bell=True))
        return acts

    @property
    def question(self) -> Hashable | None:
        """An answer that was refused, or is doubted."""
        return self.form.question

    def field_left(self, _name: str) -> list[Act]:
        """Do what an answer calls for, such as looking up a tag."""
        return []

    def scan(self, scan: Scan) -> list[Act]:
        """Fill the tag field when there is one, and it is a tag."""
        if len(scan.text) > SCAN_CHARS_MAX or "\x1d" in scan.text:
            return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]
        tag = next((field.name for field in self.form.fields if field.name == "tag"), None)
        if tag is None:
            return [self._whose(scan.text)]
        self.form.fill(tag, scan.text)
        return [*self.field_left(tag), self._put_draft()]

    def _whose(self, tag: str) -> Ask:
        """Ask whose code was scanned over the form of one patient; it fills nothing here."""

        def found(page: BoardPage) -> list[Act]:
            carriers = page.lines
            mine = self.head is not None and [one.patient for one in carriers] == [
                self.head.patient
            ]
            if len(carriers) == 1 and not mine:
                return [Open(SwitchPage(self.desk, carriers[0])), Say("", bell=True)]
            if len(carriers) > 1:
                page_of = CarriersPage(self.desk, tag, carriers, self._switched, list)
                return [Open(page_of), Say("", bell=True)]
            key = "scan.same" if mine else "scan.not_here"
            return [Say(self.desk.words(key), "plain" if mine else "warn", bell=not mine)]

        return Ask(lambda node: node.tagged(tag), found)

    def _switched(self, carrier: BoardLine) -> list[Act]:
        """Go on with the carrier chosen, or with this form when it is about them."""
        if self.head is not None and carrier.patient == self.head.patient:
            return [Back()]
        # The chart opens the forms, and the forms the chart.
        from fieldnode.tui.screens.chart import ChartPage

        return [Open(ChartPage(self.desk, carrier.patient), instead=True)]

    def changed(self) -> list[Act]:
        """Keep the draft that could not be kept while the node was away."""
        if self._draft_kept or self.form.empty or self._is_saved:
            return []
        self._draft_kept = True
        return [self._put_draft()]

    def left(self) -> list[Act]:
        """Keep what was typed."""
        return [] if self.form.empty or self._is_saved else [self._put_draft()]

    def draw(self, size: Size) -> list[Line]:
        """Draw the title, who it is about, and the form."""
        words = self.desk.words
        # The row gives way from its middle: first the title, then who did it, never the caution.
        caution = self._caution()
        title = (*caution, *line(" ", Span(self.heading(), "title")))
        said = cut(self.stated(), size.width - line_cells(caution) - 2)
        when = line(Span(said, "warn" if self._stands_out else "dim"), Span(" "))
        if self.head is None:
            top = [title, between((), when, size.width)]
        else:
            safety = safety_line(words, self.head, size.width)
            top = [identity(words, self.head), safety, between(title, when, size.width)]
        room = Size(size.width, size.height - len(top))
        return [*top, *draw_form(self.form, words, room, self.beside())]

    def hints(self) -> list[Hint]:
        """Return what Enter and the arrows do."""
        words = self.desk.words
        return [
            Hint(words("keys.enter"), words("keys.next_or_save")),
            Hint("↑", words("keys.previous")),
            Hint("Ctrl+T", words("keys.when")),
        ]

    def beside(self) -> dict[str, Span]:
        """Return what stands beside fields in the place of what they take, by name."""
        return {}

    def told(self) -> list[Line]:
        """Return what stands around the fields, for line mode, which draws none."""
        return []

    def heading(self) -> str:
        """Return what stands above the fields."""
        return self.desk.words(self.title)

    def unsigned(self) -> bool:
        """Whether limits shown here are of a guideline that no clinical lead has signed."""
        return False

    def _caution(self) -> Line:
        """Return the words that stand where such limits are shown (SAFETY 8)."""
        words = self.desk.words
        return line(" ", Span(words("form.not_approved"), "bad"), " ") if self.unsigned() else ()

    def stated(self) -> str:
        """Say when it will be said to have happened and who did it: the default too."""
        if self.occasion is None and self.typed_ms is not None:
            at = clock(self.typed_ms, self.desk.now_ms, self.desk.zone)
            return self.desk.words("form.from_draft", at=at)
        drafted = self.typed_ms
        now = "" if drafted is None else clock(drafted, self.desk.now_ms, self.desk.zone)
        return occasion_text(self.desk.words, self.occasion, self.desk.greeting.person, now)

    @property
    def _stands_out(self) -> bool:
        return self.occasion not in (None, Occasion()) or self.typed_ms is not None

    def _ask_when(self) -> Open:
        def take(stated: Occasion) -> list[Act]:
            self.occasion = stated
            return [] if self.form.empty else [self._put_draft()]

        page = WhenPage(self.desk, self.occasion, take)
        page.head = self.head
        return Open(page)

    @property
    def _is_saved(self) -> bool:
        return self.subject == ""

    def _put_draft(self) -> Ask:
        """Keep the form's text as a draft; nobody waits for it."""
        label = self.draft_label()
        patient = "" if self.head is None else self.head.patient
        stated = self.occasion.draft() if self.occasion else {}
        typed = self.form.snapshot() | stated | self.more_draft()
        draft = Draft(self.name, self.subject, typed, patient, label, self.desk.now_ms)
        self._shown_drafts(self.subject, draft)
        self._had_draft = True
        return Ask(lambda node: node.draft_put(draft), _done, self._draft_failed, holds=False)

    def draft_label(self) -> str:
        """Return what a list of drafts says it is about."""
        return "" if self.head is None else short_identity(self.desk.words, self.head)

    def _shown_drafts(self, subject: str, *mine: Draft) -> None:
        """Count this form's draft, or none, among those that the top of the screen counts."""
        name = (self.name, subject)
        others = [one for one in self.desk.drafts if (one.form, one.subject) != name]
        self.desk.drafts = [*mine, *others]

    def _draft_failed(self, failure: FieldmeshError) -> list[Act]:
        self._draft_kept = False
        if not isinstance(failure, LinkError):
            # Asked again it is refused again, as of somebody who was erased.
            self._draft_kept = True
            gone = failure.code == "not_found"
            words = self.desk.words
            said = words("chart.gone") if gone else error(words, failure)
            return [Say(said, "bad", bell=True)]
        return [Say(self.desk.words("form.draft_not_kept"), "bad")]

    def _save(self) -> list[Act]:
        """Write the record, under the draft's name as its key.

        So a save whose answer never came, or whose draft outlived it, is repeated, not doubled.
        """
        answers = self.form.answers()
        wrong = self.check(answers)
        if wrong is not None:
            self.form.refuse(*wrong)
            return [Say("", bell=True)]
        if self.desk.paper and self.occasion is None:
            return [self._ask_when()]
        about: dict[str, Any] = {}
        if confirmed := self._confirmed(answers):
            about["confirm"] = confirmed
        if self.typed_ms is not None:
            about["at"] = self.typed_ms
        if self.occasion is not None:
            about |= self.occasion.line(self.desk.zone)
        made = [{"v": 1, "key": self.subject, **self.record(answers), **about}]
        made += [
            {"v": 1, **more, "key": f"{self.subject}-{more['key']}", **about}
            for more in self.also(answers)
        ]
        together = len(made) > 1
        return [
            Ask(
                lambda node: node.record(made, together=together),
                self._recorded,
                self._not_recorded,
            )
        ]

    def _recorded(self, answers: list[Recorded]) -> list[Act]:
        recorded = answers[0]
        refused = [answer for answer in answers if not answer.ok]
        if refused:
            whole = (answer for answer in refused if answer.error != "not_together")
            return self._refused(next(whole, refused[0]))
        words = self.desk.words
        # One F8 takes back all that one save wrote.
        facts = tuple(
            fact for answer in answers for fact in answer.facts or (answer.id or "",) if fact
        )
        who = self._label(recorded)
        label = f"{words(self.saved_word)} {who}".strip()
        patient = self.head.patient if self.head else recorded.patient or ""
        self.desk.saved(Save(label, facts, self.desk.now_ms, patient, self.name))
        at = clock(self.desk.now_ms, self.desk.now_ms, self.desk.zone)
        drop, subject = self.name, self.subject
        self._shown_drafts(subject)
        self.subject = ""

        def dropped(_result: object) -> list[Act]:
            # A list that was asked for before the draft was dropped has counted it again.
            self._shown_drafts(subject)
            return []

        uncounted = {code for answer in answers for code in answer.warnings} & UNCOUNTED
        key = "form.saved_uncounted" if uncounted else "form.saved"
        return [
            Say(words(key, at=at, what=label), "warn" if uncounted else "good"),
            Ask(lambda node: node.draft_drop(drop, subject), dropped, _not_done, holds=False),
            *self.after_save(recorded),
        ]

    def _label(self, recorded: Recorded) -> str:
        if self.head is not None:
            return short_identity(self.desk.words, self.head)
        return recorded.code or ""

    def _refused(self, recorded: Recorded) -> list[Act]:
        """Open the field that the node refuses and say why; a licence may be overridden."""
        code = recorded.error or ""
        patient = self.head.patient if self.head else ""
        if gated := gate_of(self.desk, recorded, patient, self._save):
            return gated
        name = self.field_of(recorded.field or "")
        asks = code == "confirm_needed" and bool(recorded.confirm)
        if asks and recorded.confirm:
            known = name or self.form.open_field.name
            self._confirm[recorded.confirm] = (known, self.form.text(self.form.place_of(known)))
        sentence = self._sentence(recorded, asks)
        self.form.refuse(
            name or self.form.open_field.name, Reason("form.refused", (("why", sentence),))
        )
        return [Say("", bell=True)]

    def _confirmed(self, answers: dict[str, Answer]) -> list[str]:
        """Return the warnings that a second Enter has settled, for the values that are here."""
        codes = {
            code
            for code, (name, text) in self._confirm.items()
            if self.form.text(self.form.place_of(name)) == text
        }
        measured = {
            field.name for field in self.form.fields if isinstance(field, Number | Pressure)
        }
        if any(answer.unusual for name, answer in answers.items() if name in measured):
            codes.add("unusual_value")
        return sorted(codes)

    def _sentence(self, recorded: Recorded, confirmable: bool) -> str:
        words = self.desk.words
        if confirmable and words.has(f"confirm.{recorded.confirm}"):
            return words(f"confirm.{recorded.confirm}")
        sentence = code_sentence(words, recorded.error or "")
        allowed = ", ".join(recorded.allowed[:4])
        return f"{sentence} ({allowed})" if allowed else sentence

    def _not_recorded(self, failure: FieldmeshError) -> list[Act]:
        """Say that nothing is known to be saved; the form stays as it was."""
        words = self.desk.words
        text = words("form.not_saved", why=error(words, failure))
        self._draft_kept = False
        return [Say(text, "bad", bell=True)]


def texts(answers: dict[str, Answer], names: Sequence[str]) -> dict[str, str]:
    """Return the answers of plain fields that were given."""
    return {name: answers[name].text for name in names if name in answers}


def _done(_result: object) -> list[Act]:
    return []


def _not_done(_failure: FieldmeshError) -> list[Act]:
    """The draft of a saved form is offered once more; saving it again repeats its key."""
    return []
