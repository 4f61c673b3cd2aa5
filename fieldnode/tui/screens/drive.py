"""F4, drive mode: scan a card, see what is due, Enter gives it, and the next child."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.child_age import age_parts
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.drive import CARD, CHILD, LOT_STOPS, NEW, DriveCore
from fieldnode.tui.cores.fields import Coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens import drive_beside, drive_view
from fieldnode.tui.screens.carriers import CarriersPage
from fieldnode.tui.screens.choices import SEX
from fieldnode.tui.screens.form_page import SCAN_CHARS_MAX
from fieldnode.tui.screens.gate import UNCOUNTED, ask_gate, gate_of
from fieldnode.tui.screens.when import WHEN_KEY, WhenPage
from fieldnode.tui.wording import clock, code_sentence, error, occasion_text
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage, Recorded
from protocols.live.drive import Box, Child, Drive, is_box
from protocols.records.display import clean_text

KINDS = ("patient.register", "dose.record")
OTHER_TEAM = "other_team"
SAVED_CELLS = 40
"""Of what was saved: behind it stands the key that takes it back."""


class DrivePage(Page):
    """One child after the other, of one session."""

    name: ClassVar[str] = "drive"

    def __init__(self, desk: Desk, session: str) -> None:
        super().__init__(desk)
        self.session = session
        self.core = DriveCore(_sexes())
        self.told: Drive | None = None
        """The session as it was last told."""
        self.after: tuple[str, Child] | None = None
        """The card saved last, and what its child needs next."""
        self._kept: tuple[str, ...] = ()
        """What was written of that child."""
        self._subject = desk.new_key()
        self._glass = ""
        """Another team's child of whom it was asked whether to go on."""
        self._to_paper = False
        """Whether what is being saved is only who it is, so that a card can be written down."""
        self._next: tuple[Scan, BoardLine | None] | None = None
        """A card scanned over a child, and who has it: they follow once that one is saved."""
        self.occasion: Occasion | None = None
        """When this child had it and from whom, once somebody stated it (SAFETY 13)."""

    # coming and going

    def opened(self) -> list[Act]:
        """Ask for the session, and whether whoever is here may vaccinate.

        An Enter struck twice on the page before begins no child.
        """
        self.core.form.absorb_one()
        return [*ask_gate(self.desk, KINDS, ""), self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """A vial may be open since, the last child taken back, or the session over."""
        if not self.desk.session:
            from fieldnode.tui.screens.sessions import leave

            return leave(self.desk)
        if self.after is not None and self._kept not in [save.facts for save in self.desk.saves]:
            self.after = None
        again = self._again() if self.core.stage == CHILD else []
        return [self._fetch(holds=True), *again]

    def changed(self) -> list[Act]:
        """Others vaccinate too; nobody waits."""
        return [self._fetch(holds=False)]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(told: Drive) -> list[Act]:
            self.told = told
            if not self.core.prefix and told.last:
                self.core.learn(told.last[0].tag)
            return [Say("", bell=True)] if self.core.told(told.vials, told.beside) else []

        failed = self._gone if holds else _nothing
        return Ask(lambda node: node.drive(self.session), came, failed, holds=holds)

    def _gone(self, failure: FieldmeshError) -> list[Act]:
        """Leave a session that was taken back; F4 then lists the others."""
        said = Say(error(self.desk.words, failure), "bad", bell=True)
        if failure.code != "not_found":
            return [said]
        self.desk.session = ""
        return [Back(), said]

    # keys and scans

    @property
    def question(self) -> Hashable | None:
        """What is due for this child, an answer refused, or what the node asks."""
        found = self.core.question
        return None if found is None else (found, self._glass)

    def answers(self, item: str | Scan) -> bool:
        """Everything but leaving the child as it is."""
        return item != "escape"

    def key(self, key: str) -> list[Act]:
        """Take one key; what it asks of the page follows."""
        if key == WHEN_KEY and self.core.stage == CHILD:
            return [self._ask_when(list)]
        do = self.core.key(key)
        own = {"age": self._of_age, "save": self._save, "agree": self._agree, "find": self._find,
               "more": self._more, "chart": self._chart, "paper": self._paper}  # fmt: skip
        if do.what in own:
            return own[do.what]()
        match do.what:
            case "look":
                return self._look(Scan("", do.text))
            case "measure" | "measured":
                return drive_beside.measure(self.desk, self.core, do)
            case "leave":
                return [Back()]
            case "ring":
                return [Say("", bell=True)]
        return []

    def scan(self, scan: Scan) -> list[Act]:
        """A card is looked up, a vial is opened; over an unfinished answer neither."""
        core = self.core
        if core.stage not in (CARD, CHILD) and not is_box(_whole(scan)):
            if core.stage == NEW and not core.card and not core.form.empty:
                core.card = scan.text[:SCAN_CHARS_MAX]
                return []
            return [Say(self.desk.words("drive.scan_other"), "warn", bell=True)]
        return self._look(scan)

    def _look(self, scan: Scan) -> list[Act]:
        """Find out whether it is a card that somebody has, a box, or a card of somebody new."""
        if is_box(_whole(scan)):
            return [self._code(scan)]
        if len(scan.text) > SCAN_CHARS_MAX:
            return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

        def found(page: BoardPage) -> list[Act]:
            if page.lines:
                return self._carried(scan, page.lines)
            return [self._code(scan)] if scan.symbology else self._go_on(scan, None)

        return [Ask(lambda node: node.tagged(scan.text), found)]

    def _code(self, scan: Scan) -> Ask:
        def came(found: list[Box]) -> list[Act]:
            lot = drive_beside.scanned(self.desk, self.core, self.told, found)
            if lot is not None:
                return lot
            return self._vial(found[0], scan) if found else self._go_on(scan, None)

        return Ask(lambda node: node.vial_code(_whole(scan)), came)

    def _carried(self, scan: Scan, carriers: Sequence[BoardLine]) -> list[Act]:
        if len(carriers) == 1:
            return self._go_on(scan, carriers[0])

        def choose(carrier: BoardLine) -> list[Act]:
            return [Back(), *self._go_on(scan, carrier)]

        page = CarriersPage(self.desk, scan.text, carriers, choose, list)
        return [Open(page), Say("", bell=True)]

    def _go_on(self, scan: Scan, carrier: BoardLine | None) -> list[Act]:
        """Show this child; one that stands is saved first, and this card follows."""
        core = self.core
        if core.stage == CHILD:
            same = carrier is not None and core.head is not None
            if same and core.head.patient == carrier.patient:  # type: ignore[union-attr]
                return []
            if carrier is None and core.card == scan.text:
                return []
            self._next = scan, carrier
            return self._save()
        if scan.symbology:
            core.learn(scan.text)
        if carrier is None:
            core.begin(scan.text)
            return []
        return [self._child(carrier.patient)]

    # the child

    def _child(self, patient: str) -> Ask:
        def came(child: Child) -> list[Act]:
            self._subject, self._glass, self.occasion = self.desk.new_key(), "", None
            self.core.show(child)
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            if failure.code != OTHER_TEAM:
                return [Say(error(self.desk.words, failure), "bad", bell=True)]
            self._glass = patient
            self.core.ask(OTHER_TEAM)
            return [Say("", bell=True)]

        return Ask(lambda node: node.child(patient, self.session), came, refused)

    def _of_age(self) -> list[Act]:
        core = self.core
        value, unit, guessed = age_parts(core.age)

        def came(child: Child) -> list[Act]:
            self._subject, self.occasion = self.desk.new_key(), None
            core.show(child)
            return []

        return [
            Ask(lambda node: node.child_of_age(value, unit, self.session, estimated=guessed), came)
        ]

    def _again(self) -> list[Act]:
        """Ask anew what the child that stands needs, as after a vial was opened."""
        core, head = self.core, self.core.head

        def came(child: Child) -> list[Act]:
            # Meanwhile the next one may have come.
            if core.child is not None and _patient(core.head) == _patient(head):
                core.refresh(child)
            return []

        if head is not None:
            return [Ask(lambda node: node.child(head.patient, self.session), came)]
        value, unit, guessed = age_parts(core.age)
        return [
            Ask(lambda node: node.child_of_age(value, unit, self.session, estimated=guessed), came)
        ]

    def _agree(self) -> list[Act]:
        if self.core.asked != OTHER_TEAM:
            self.core.agree()
            return self._register() if self._to_paper else self._save()
        patient = self._glass
        return [
            Ask(
                lambda node: node.break_glass(patient, "care"),
                lambda _: [self._child(patient)],
            )
        ]

    # saving

    def _save(self) -> list[Act]:
        """Write what is ticked in one commit; nothing ticked is nothing written."""
        self._to_paper = False
        lines = self.core.records(self._subject, self.session, self._why())
        if not lines:
            return [*self._go_to_next(), self._fetch(holds=False)]
        if self.desk.paper and self.occasion is None:
            return [self._ask_when(self._save)]
        lines = self._stated(lines)
        together = len(lines) > 1
        self.core.sending = True
        return [
            Ask(
                lambda node: node.record(lines, together=together),
                self._recorded,
                self._not_recorded,
            )
        ]

    def _why(self) -> str:
        return self.desk.words(f"dose_status.{self.core.stop}") if self.core.stop else ""

    def _stated(self, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
        about = self.occasion.line(self.desk.zone) if self.occasion else {}
        return [{**one, **about} for one in lines]

    def _ask_when(self, then: Callable[[], list[Act]]) -> Open:
        """Ask when this child had it, and from whom; a card that waits does not outlive Escape."""
        waits, self._next = self._next, None

        def take(stated: Occasion) -> list[Act]:
            self.occasion, self._next = stated, waits
            return then()

        page = WhenPage(self.desk, self.occasion, take)
        page.head = self.core.head
        return Open(page)

    def _recorded(self, answers: list[Recorded]) -> list[Act]:
        self.core.sending = False
        refused = [at for at, answer in enumerate(answers) if not answer.ok]
        if refused:
            whole = [at for at in refused if answers[at].error != "not_together"]
            at = (whole or refused)[0]
            return self._refused(at, answers[at])
        words, core, now = self.desk.words, self.core, self.desk.now_ms
        facts = tuple(fact for one in answers for fact in one.facts or (one.id or "",) if fact)
        patient = (core.head.patient if core.head else answers[0].patient) or ""
        label = drive_view.label(words, core, answers[0].code or "")
        self.desk.saved(Save(label, facts, now, patient, self.name))
        self._kept = facts
        uncounted = {code for one in answers for code in one.warnings} & UNCOUNTED
        key = "form.saved_uncounted" if uncounted else "form.saved"
        brief = drive_view.label(words, core, answers[0].code or "", SAVED_CELLS)
        said = Say(
            words(key, at=clock(now, now, self.desk.zone), what=brief),
            "warn" if uncounted else "good",
        )
        self.after = None
        card = core.card or answers[0].code or label
        # Who comes next is asked first; what was left behind follows. What the session comes to is
        # asked for once the node says that its rows changed, and not a second time here.
        return [said, *self._go_to_next(), self._next_visit(patient, card)]

    def _go_to_next(self) -> list[Act]:
        waits, self._next = self._next, None
        if waits is not None and waits[1] is not None:
            return [self._follows(waits[0], waits[1].patient)]
        self.core.restart(absorb=waits is None)
        return self._go_on(*waits) if waits is not None else []

    def _follows(self, scan: Scan, patient: str) -> Ask:
        """Ask for the child whose card saved the one that stands, which then makes room for it.

        Keys wait meanwhile: no screen without a child is drawn between two of them.
        """
        asked = self._child(patient)

        def came(child: Child) -> list[Act]:
            self._room_for(scan)
            return asked.then(child)

        def refused(failure: FieldmeshError) -> list[Act]:
            self._room_for(scan)
            return asked.failed(failure) if asked.failed is not None else []

        return replace(asked, then=came, failed=refused)

    def _room_for(self, scan: Scan) -> None:
        self.core.restart(absorb=False)
        if scan.symbology:
            self.core.learn(scan.text)

    def _next_visit(self, patient: str, card: str) -> Ask:
        """Ask what to write on the card; nobody waits for it."""

        def came(child: Child) -> list[Act]:
            self.after = (card, child)
            return []

        return Ask(lambda node: node.child(patient, self.session), came, _nothing, holds=False)

    def _refused(self, at: int, answer: Recorded) -> list[Act]:
        self._next = None
        patient = self.core.head.patient if self.core.head else ""
        again = self._register if self._to_paper else self._save
        if gated := gate_of(self.desk, answer, patient, again):
            return gated
        if answer.error == "confirm_needed" and answer.confirm:
            self.core.doubt(self.core.vaccine_of(at), answer.confirm)
            return [Say("", bell=True)]
        if answer.error in LOT_STOPS and self.core.stage == CHILD:
            self.core.doubt(self.core.vaccine_of(at), answer.error)
            return [Say("", bell=True)]
        sentence = code_sentence(self.desk.words, answer.error or "")
        allowed = ", ".join(clean_text(one) for one in answer.allowed[:4])
        text = f"{sentence} ({allowed})" if allowed else sentence
        return [Say(text, "bad", bell=True)]

    def _not_recorded(self, failure: FieldmeshError) -> list[Act]:
        """Nothing is known to be saved; the child stays, and Enter repeats the same keys."""
        words = self.desk.words
        self._next, self.core.sending = None, False
        text = words("form.not_saved", why=error(words, failure))
        return [Say(text, "bad", bell=True)]

    # other pages

    def _vial(self, box: Box, scan: Scan) -> list[Act]:
        from fieldnode.tui.screens.vial_form import VialForm, box_refused, today_of

        if self.told is None:
            return []
        refused = box_refused(self.desk.words, self.told, box, today_of(self.desk))
        if refused:
            return [Say(refused, "bad", bell=True)]
        return [Open(VialForm(self.desk, self.told, box, _whole(scan)))]

    def _find(self) -> list[Act]:
        from fieldnode.tui.screens.drive_find import FindChildPage

        def chosen(head: BoardLine) -> list[Act]:
            return [Back(), Back(), self._child(head.patient)]

        return [Open(FindChildPage(self.desk, chosen))]

    def _chart(self) -> list[Act]:
        from fieldnode.tui.screens.vaccine_card import CardPage

        head = self.core.head
        return [Open(CardPage(self.desk, head, self.session))] if head else []

    def _paper(self) -> list[Act]:
        """Write down what the card says; somebody new is registered first."""
        from fieldnode.tui.screens.card_doses import CardDosesForm

        head = self.core.head
        if head is None:
            return self._register()
        return [Open(CardDosesForm(self.desk, head, self.session))]

    def _register(self) -> list[Act]:
        """Write down who it is and nothing of what is ticked, then go on to the card's doses."""
        self._to_paper = True
        if self.desk.paper and self.occasion is None:
            return [self._ask_when(self._register)]
        lines = self._stated(self.core.records(self._subject, self.session)[:1])
        return [Ask(lambda node: node.record(lines), self._registered, self._not_recorded)]

    def _registered(self, answers: list[Recorded]) -> list[Act]:
        (answer,) = answers
        if not answer.ok:
            return self._refused(0, answer)
        desk, words, card = self.desk, self.desk.words, self.core.card
        self._to_paper = False
        who = words("drive.of_card", card=card) if card else answer.code or ""
        label = f"{words('drive.registered')} {who}".strip()
        facts, patient = answer.facts or (answer.id or "",), answer.patient or ""
        desk.saved(Save(label, facts, desk.now_ms, patient, self.name))
        said = words("form.saved", at=clock(desk.now_ms, desk.now_ms, desk.zone), what=label)
        asked = self._child(patient)

        def came(child: Child) -> list[Act]:
            return [*asked.then(child), *(self._paper() if child.head is not None else [])]

        return [Say(said, "good"), replace(asked, then=came)]

    def _more(self) -> list[Act]:
        from fieldnode.tui.screens.drive_menu import DriveMenuPage

        return [Open(DriveMenuPage(self.desk, self.told))] if self.told else []

    # drawing

    def draw(self, size: Size) -> list[Line]:
        """Draw the session, the child, and what went before."""
        stated = "" if self.occasion in (None, Occasion()) else self._when_text()
        return drive_view.draw(self.desk, self.core, self.told, self.after, size, stated)

    def _when_text(self) -> str:
        return occasion_text(self.desk.words, self.occasion, self.desk.greeting.person)

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Letters that the stage takes, each with its digit."""
        return ()

    def hints(self) -> list[Hint]:
        """Return what the keys do at this stage."""
        return drive_view.hints(self.desk.words, self.core)


def _patient(head: BoardLine | None) -> str:
    return head.patient if head is not None else ""


def _whole(scan: Scan) -> str:
    return f"{scan.symbology}{scan.text}"


def _sexes() -> Coded:
    return Coded("sex", "field.sex", required=True, choices=SEX)


def _nothing(_failure: FieldmeshError) -> list[Act]:
    """What is shown stays; it is asked for again with the next child."""
    return []
