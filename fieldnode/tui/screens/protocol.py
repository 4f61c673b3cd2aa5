"""One guideline as a checklist: digits answer what is asked, Space ticks at once."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.ages import age_of
from fieldnode.tui.cores.answering import SKIP
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.protocol import REASONS, Did, ProtocolCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.protocol_text import ProtocolTextPage
from fieldnode.tui.screens.protocol_view import ProtocolView
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.wording import clock, code_sentence, error, identity, short_identity
from protocols.errors import FieldmeshError
from protocols.guidelines.questions import Person
from protocols.live.api import BoardLine, Draft, Recorded
from protocols.live.guidance import GuidelineSheet
from protocols.records.display import clean_text

KIND = "guideline.step"
FORM = "protocol"
"""Under which drafts are kept."""
PREGNANT = {1: False, 3: True}
"""What a sex says of it; 2 may be, and 9 is not known."""


class ProtocolPage(StatingPage):
    """Works by one guideline: Space ticks what is marked, digits answer what is asked."""

    name: ClassVar[str] = FORM

    def __init__(self, desk: Desk, head: BoardLine, guideline: str) -> None:
        super().__init__(desk)
        self.head = head
        self.core: ProtocolCore | None = None
        self._guideline = guideline
        self._view = ProtocolView(desk)
        self._subject = desk.new_key()
        self._count = 0
        """How often the checklist came up, to be looked at before it is ticked."""
        self._asks = True
        self._pending: tuple[dict[str, Any], str] | None = None
        """The record that was sent last, and its key: what is repeated is not doubled."""
        self._taken_up: dict[str, str] = self._draft_here()

    # the page

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """What the keys do now."""
        core = self.core
        if core is None or core.why is not None:
            return ()
        more = [
            Action("d", "3", "protocol.text"),
            Action("a", "5", "protocol.again"),
            *([Action("b", "6", "protocol.anew")] if core.steps else []),
        ]
        if core.asked is not None:
            return tuple(action._replace(digit="") for action in more)
        ticks = [Action("␣", "1", "protocol.done"), Action(SKIP, "2", "protocol.skip")]
        leads = [Action("g", "7", "protocol.go_on")] if core.leads_to else []
        open_now = core.rows and core.progress.stop is None
        return (*(ticks if open_now else ()), *more, *leads)

    def opened(self) -> list[Act]:
        """Fetch it; keys wait. Ask whether whoever is here may write it."""
        return [
            self._fetch(holds=True),
            *ask_gate(self.desk, (KIND,), self.head.patient),
            *super().opened(),
        ]

    def resumed(self) -> list[Act]:
        """Fetch it again: F8 may have taken a tick back."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch it again: somebody may have ticked a step elsewhere."""
        return [self._fetch(holds=False)]

    def left(self) -> list[Act]:
        """Keep what was answered."""
        return [self._put_draft()] if self.core is not None and self.core.changed else []

    @property
    def question(self) -> Hashable | None:
        """The checklist, once it comes up: a key struck ahead was meant for something else."""
        core = self.core
        if core is None or core.asked is not None or core.why is not None:
            return None
        return self._count

    def answers(self, item: str | Scan) -> bool:
        """Whatever ticks, writes, or leaves a step out."""
        return isinstance(item, str) and item not in ("up", "down", "escape")

    def scan(self, _scan: Scan) -> list[Act]:
        """A code says nothing here."""
        return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

    def key(self, key: str) -> list[Act]:
        """Answer, tick, leave out, or look."""
        core = self.core
        if core is None or key == "ctrl+t":
            return super().key(key)
        core.now_ms = self.desk.now_ms
        if core.why == "" and (coded := _coded_reason(key)):
            core.why = self.desk.words(coded)
            return []
        did = core.key(key)
        acts = self._did(core, did)
        if core.asked is None and self._asks and core.why is None:
            self._count += 1
            core.next_open()
        self._asks = core.asked is not None
        return acts

    def _did(self, core: ProtocolCore, did: Did) -> list[Act]:
        match did:
            case Did.LEFT:
                return [Back()]
            case Did.REFUSED:
                said = self.desk.words(core.refused) if core.refused else ""
                return [Say(said, "warn", bell=True)]
            case Did.ANSWERED:
                return [self._put_draft()]
            case Did.TEXT:
                return [Open(ProtocolTextPage(self.desk, core.form, core.version))]
            case Did.GO_ON:
                return [Open(ProtocolPage(self.desk, self.head, core.leads_to), instead=True)]
            case Did.WRITE:
                return self._write(core)
        return []

    # the node

    def _fetch(self, *, holds: bool) -> Ask:
        patient, name = self.head.patient, self._guideline

        def came(sheet: GuidelineSheet) -> list[Act]:
            if self.core is None:
                person = Person(age_of(self.head), PREGNANT.get(self.head.sex))
                self.core = ProtocolCore(sheet, person, self.desk.now_ms)
                if kept := self._taken_up.get("answers"):
                    self.core.restore(json.loads(kept))
                self._asks = self.core.asked is not None
                self.core.next_open()
            else:
                self.core.take(sheet, self.desk.now_ms)
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            asked = asked_first(self.desk, patient, failure)
            said = Say(error(self.desk.words, failure), "bad", bell=True)
            return [said] if asked is None else [asked]

        failed = refused if holds else None
        return Ask(lambda node: node.guideline(patient, name), came, failed, holds=holds)

    def _write(self, core: ProtocolCore) -> list[Act]:
        if asked := self.unasked():
            return asked
        assert core.written is not None
        made: dict[str, Any] = {
            "v": 1,
            "kind": KIND,
            "patient": self.head.patient,
            "data": core.written.data,
            **self.circumstances(),
        }
        if core.written.reason:
            made["reason"] = core.written.reason
        known = self._pending
        key = known[1] if known is not None and known[0] == made else self.desk.new_key()
        self._pending = (made, key)
        return [Ask(lambda node: node.record([{**made, "key": key}]), self._recorded)]

    def _recorded(self, answers: list[Recorded]) -> list[Act]:
        core, desk = self.core, self.desk
        assert core is not None and core.written is not None
        recorded = answers[0]
        if not recorded.ok:
            gated = gate_of(desk, recorded, self.head.patient, lambda: self._write(core))
            return gated or [Say(code_sentence(desk.words, recorded.error or ""), "bad", bell=True)]
        what = self._label(core)
        core.saved()
        self._pending, self._count = None, self._count + 1
        # A time that was stated is of one step; paper asks it anew for the next.
        self.occasion = None
        facts = recorded.facts or ((recorded.id,) if recorded.id else ())
        desk.saved(Save(what, facts, desk.now_ms, self.head.patient, FORM))
        at = clock(desk.now_ms, desk.now_ms, desk.zone)
        subject = self._subject
        self._shown_drafts()

        def fetched(sheet: GuidelineSheet) -> list[Act]:
            core.take(sheet, desk.now_ms)
            core.next_open()
            self._asks = core.asked is not None
            return []

        patient, name = self.head.patient, self._guideline
        return [
            said_after(desk, answers, desk.words("form.saved", at=at, what=what)),
            Ask(lambda node: node.draft_drop(FORM, subject), _done, _not_done, holds=False),
            Ask(lambda node: node.guideline(patient, name), fetched),
        ]

    def _label(self, core: ProtocolCore) -> str:
        assert core.written is not None
        step = next((one for one in core.form.step if one.id == core.written.step), None)
        what = self._view.word(step.words if step else core.form.guideline.words)
        return clean_text(f"{cut(what, 40)}, {short_identity(self.desk.words, self.head)}")

    # drafts

    def _draft_here(self) -> dict[str, str]:
        """Return the draft of this guideline on this patient, and go on under its name."""
        for draft in self.desk.drafts:
            same = (draft.form, draft.patient, draft.fields.get("name"))
            if same == (FORM, self.head.patient, self._guideline):
                self._subject = draft.subject
                return draft.fields
        return {}

    def _put_draft(self) -> Ask:
        assert self.core is not None
        fields = {"name": self._guideline, "answers": json.dumps(self.core.kept)}
        who = short_identity(self.desk.words, self.head)
        now_ms = self.desk.now_ms
        draft = Draft(FORM, self._subject, fields, self.head.patient, who, now_ms)
        self._shown_drafts(draft)
        return Ask(lambda node: node.draft_put(draft), _done, self._not_kept, holds=False)

    def _shown_drafts(self, *mine: Draft) -> None:
        name = (FORM, self._subject)
        others = [one for one in self.desk.drafts if (one.form, one.subject) != name]
        self.desk.drafts = [*mine, *others]

    def _not_kept(self, _failure: FieldmeshError) -> list[Act]:
        return [Say(self.desk.words("form.draft_not_kept"), "bad")]

    # drawing

    def draw(self, size: Size) -> list[Line]:
        """Draw who and what, the checklist, and below it what is asked or the marked step whole."""
        words, core = self.desk.words, self.core
        if core is None:
            return [identity(words, self.head), line(" ", Span(words("chart.loading"), "dim"))]
        core.now_ms = self.desk.now_ms
        top = [identity(words, self.head), *self._view.title(core, size)]
        if self.occasion is not None:
            top.append(self.stated(size))
        below = self._view.below(core, size)
        room = max(size.height - len(top) - len(below) - 1, 1)
        return [*top, *self._view.checklist(core, Size(size.width, room)), (), *below]

    def hints(self) -> list[Hint]:
        """Say what the keys do now."""
        words, core = self.desk.words, self.core
        if core is None:
            return []
        if core.why is not None:
            return [Hint(words("keys.enter"), words("protocol.skip_now"))]
        own = [
            Hint(f"{one.letter}/{one.digit}" if one.digit else one.letter, words(one.word))
            for one in self.actions
        ]
        progress = core.progress
        if core.asked is None and (progress.stop or progress.result):
            own.insert(0, Hint(words("keys.enter"), words("protocol.write")))
        return own


def _coded_reason(key: str) -> str:
    return REASONS[int(key) - 1] if key in "1234" and len(key) == 1 else ""


def _done(_result: object) -> list[Act]:
    return []


def _not_done(_failure: FieldmeshError) -> list[Act]:
    """The draft of what was written is offered once more; nothing is lost by it."""
    return []
