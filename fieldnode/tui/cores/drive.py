"""Drive mode as one state machine: a card, a child, what is ticked, and what is written of it.

Keys come in the order they were struck, answers of the node in between; a stage says where a key
lands. Nothing is given that is neither ticked nor drawn from an open vial, and only what is due and
has an open vial is ticked before anybody touches it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from fieldnode.tui.cores.beside import MARK, Beside
from fieldnode.tui.cores.child_age import ChildAge, age_parts
from fieldnode.tui.cores.drawn import Drawn
from fieldnode.tui.cores.fields import Coded, Field, Tag
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.keys import action_key, fold_single
from protocols.live.api import BoardLine
from protocols.live.drive import BesideLine, BesideSum, Child, GiveLine, GivenLine, VialLine

CARD, NEW, CHILD, STOP, NAME, ASK = "card", "new", "child", "stop", "name", "ask"
MEASURE = "measure"
"""Stages. `ask` is a question that only Enter answers."""

FIND_KEY, MORE_KEY, CHART_KEY = "/", "*", "c"
STOP_KEY, NAME_KEY, PAPER_KEY, VIAL_KEY = "0", "n", "d", "v"
HAD_KEYS = ("g", "9")
"""What says that a dose of a stopped lot is in the child already; Enter alone never does."""
LOT_STOPS = ("lot_recalled", "lot_quarantined", "lot_expired")
"""Why nobody may be given of a lot."""
HAD = "lot_given_already"
"""Confirms that somebody had it all the same."""

STOPS = (
    ("1", "refused"),
    ("2", "absent"),
    ("3", "ill"),
    ("4", "fever"),
    ("5", "allergy"),
    ("6", "contraindicated"),
    ("7", "no-vaccine"),
    ("8", "other"),
)
"""Why nothing is given, by digit; as the record has it."""

LASTING = ("allergy", "contraindicated")
"""Of these what holds beyond the day: whoever comes back is not ticked for it."""
LINES_MAX = 9
NAME_CHARS_MAX = 80


class Do(NamedTuple):
    """What a key asks of the page."""

    what: str = ""
    """`look` a typed card up, `age` ask what is due at an age, `save`, `find`, `more`, `chart`,
    `paper` to write down what a card says, `agree` to the question that stands, `measure` what
    the text is the code of, `measured` it, `ring`; '' for nothing but a new drawing."""
    text: str = ""


class DriveCore:
    """One child after the other."""

    def __init__(self, sexes: Coded, prefix: str = "") -> None:
        """Begin at the card.

        Args:
            sexes: The field of a sex, with its digits.
            prefix: Put before a card typed as digits only.
        """
        self._sexes = sexes
        self.prefix = prefix
        self.serial = 0
        """Number of the child; another one is another question."""
        self.stage = CARD
        self.card = ""
        self.form = self._card_form()
        """The card, the new child's age and sex, or the name: whatever is open."""
        self.new: FormCore | None = None
        self.child: Child | None = None
        self.ticked: frozenset[str] = frozenset()
        """Codes of vaccines that Enter gives."""
        self.stop = ""
        """Why nothing of them is given; '' = they are."""
        self.beside = Beside()
        """What the session gives or measures beside its vaccines."""
        self.drawn = Drawn()
        """From which vial each vaccine is drawn."""
        self.sending = False
        """Whether what is ticked is on its way to the node: no tick changes meanwhile."""
        self._knowing: frozenset[str] = frozenset()
        """Vaccines that a person ticked though the lot is stopped."""
        self._touched = ""
        """The vaccine whose digit was struck last."""
        self._measures = ""
        """Code of what is being measured."""
        self.name = ""
        self.reason = ""
        """Catalogue key of why the last key did nothing."""
        self.asked = ""
        """What the question is that stands in stage `ask`."""
        self.confirmed: dict[str, frozenset[str]] = {}
        """Warnings that a person settled, by vaccine ('' = the registration)."""
        self._doubted = ""
        """Of which vaccine the node asks; '' = of the registration."""

    # what stands

    @property
    def head(self) -> BoardLine | None:
        """Who it is; None of somebody new, or of nobody."""
        return None if self.child is None else self.child.head

    @property
    def lines(self) -> tuple[GiveLine, ...]:
        """Vaccines by their digits, from 1 on."""
        told = () if self.child is None else self.child.give[:LINES_MAX]
        return tuple(self.drawn.of(line) for line in told)

    def stopped(self, vaccine: str) -> GivenLine | None:
        """Return why a vaccine was not given the last time, where that holds beyond the day."""
        told = () if self.child is None else self.child.doses
        known = [one for one in told if one.vaccine == vaccine and not (one.replaced or one.spare)]
        return known[-1] if known and known[-1].status in LASTING else None

    @property
    def _proposed(self) -> list[GiveLine]:
        return [line for line in self.lines if line.wanted and self.stopped(line.vaccine) is None]

    @property
    def question(self) -> object:
        """Name the question that stands; None for none."""
        if self.stage in (CHILD, STOP):
            return CHILD, self.serial
        if self.stage == ASK:
            return ASK, self.serial, self.asked, tuple(sorted(self.confirmed.items()))
        return self.form.question

    @property
    def age(self) -> str:
        """The age that was typed of somebody new, as `22 mo`; ''."""
        answers = self.new.answers() if self.new else {}
        return answers["age"].text if "age" in answers else ""

    @property
    def sex(self) -> str:
        """The sex that was typed of somebody new; ''."""
        answers = self.new.answers() if self.new else {}
        return answers["sex"].text if "sex" in answers else ""

    # keys

    def key(self, key: str) -> Do:
        """Take one key."""
        self.reason = ""
        taken = {CARD: self._at_card, NEW: self._at_new, CHILD: self._at_child,
                 STOP: self._at_stop, NAME: self._at_name, ASK: self._at_ask,
                 MEASURE: self._at_measure}  # fmt: skip
        return taken[self.stage](key)

    def _at_card(self, key: str) -> Do:
        typed = self.form.text(0)
        if not typed and key in (FIND_KEY, MORE_KEY):
            return Do("find" if key == FIND_KEY else "more")
        if key == "escape":
            if not typed:
                return Do("leave")
            self.form = self._card_form()
            return Do()
        step = self.form.key(key)
        if not step.save:
            return Do("ring" if step.refused else "")
        found = self.form.answer(0).text
        return Do("look", found) if found else self.begin("")

    def _at_new(self, key: str) -> Do:
        assert self.new is not None
        if key == "escape":
            self.restart()
            return Do()
        step = self.new.key(key)
        if self.new.complete and (step.save or step.left == "sex"):
            return Do("age")
        return Do("ring" if step.refused and self.new.reason is None else "")

    def _at_child(self, key: str) -> Do:
        digit = fold_single(key) if len(key) == 1 else ""
        if key == "escape":
            self.restart()
            return Do()
        if key == "enter":
            return Do("save")
        if key == "up" and self.new is not None:
            self.stage, self.form, self.child = NEW, self.new, None
            self.new.key("up")
            return Do()
        if digit == STOP_KEY:
            self.stage = STOP
            return Do()
        if digit.isdecimal() and digit:
            return self._tick(int(digit))
        letter = action_key(key)
        if letter == NAME_KEY and self.new is not None:
            self.stage, self.form = NAME, _name_form(self.name)
            return Do()
        if letter == PAPER_KEY:
            return Do("paper")
        if letter == VIAL_KEY:
            return self._step_vial()
        return Do("chart") if letter == CHART_KEY and self.head is not None else Do("ring")

    def _tick(self, digit: int) -> Do:
        if digit > len(self.lines):
            return self._tick_beside(digit - len(self.lines))
        line = self.lines[digit - 1]
        self._touched = line.vaccine
        if line.vaccine in self.ticked:
            self.ticked -= {line.vaccine}
        elif not line.vial:
            self.reason = "drive.no_vial"
            return Do("ring")
        else:
            self.ticked |= {line.vaccine}
            self._knowing |= {line.vaccine} if line.stop else frozenset()
        return Do()

    @property
    def steps(self) -> GiveLine | None:
        """The line of which a key chooses another vial: the one touched last, else the first."""
        several = [line for line in self.lines if len(self.drawn.choices(line)) > 1]
        known = sorted(several, key=lambda line: line.vaccine not in self.ticked)
        touched = [line for line in several if line.vaccine == self._touched]
        return next(iter((*touched, *known)), None)

    def _step_vial(self) -> Do:
        line = self.steps
        if line is None:
            self.reason = "drive.no_other_vial"
            return Do("ring")
        self.drawn.step(line)
        if self.drawn.of(line).stop:
            self.ticked -= {line.vaccine}
        return Do()

    def _tick_beside(self, place: int) -> Do:
        line = self.beside.at(place)
        if line is None:
            return Do("ring")
        may = self.beside.may_measure if line.measure else self.beside.tick
        self.reason = may(line)
        if self.reason:
            return Do("ring")
        return Do("measure", line.code) if line.measure else Do()

    def measure(self, code: str, field: Field) -> None:
        """Open the field of what is measured."""
        self.stage, self._measures = MEASURE, code
        self.form = FormCore((field,))
        self.form.restore({field.name: self.beside.measured.get(code, "")})

    def _at_measure(self, key: str) -> Do:
        step = self.form.key(key) if key != "escape" else None
        if step is not None and not step.save:
            return Do("ring" if step.refused else "")
        self.stage = CHILD
        if step is None:
            return Do()
        found = self.form.answer(0)
        self.beside.take(self._measures, found.text, unusual=found.unusual)
        return Do("measured", found.text)

    def _at_stop(self, key: str) -> Do:
        digit = fold_single(key) if len(key) == 1 else ""
        known = dict(STOPS)
        if key != "escape" and digit != STOP_KEY and digit not in known:
            return Do("ring")
        if key != "escape":
            self.stop = known.get(digit, "")
        self.stage = CHILD
        return Do()

    def _at_name(self, key: str) -> Do:
        step = self.form.key(key) if key != "escape" else None
        if step is not None and not step.save:
            return Do("ring" if step.refused else "")
        if step is not None:
            self.name = self.form.answer(0).text
        self.stage = CHILD
        return Do()

    def _at_ask(self, key: str) -> Do:
        if self.asked in LOT_STOPS and action_key(key) in HAD_KEYS:
            self.asked = HAD
            return Do()
        if key == "enter" and self.asked not in LOT_STOPS:
            return Do("agree")
        if key != "escape":
            return Do("ring")
        if self.child is None:
            self.restart()
        else:
            self.stage = CHILD
            self._drop_stopped()
        return Do()

    # what the node said, and scans

    def begin(self, card: str) -> Do:
        """Ask age and sex of a child that nobody here knows."""
        self.card, self.stage, self.child = card, NEW, None
        age = ChildAge("age", "drive.age", required=True, hint="drive.age_hint")
        self.new = FormCore((age, self._sexes), swift=True, optional_from=2)
        self.form = self.new
        return Do()

    def show(self, child: Child) -> None:
        """Take what a child needs; what is due and has an open vial that may be used is ticked."""
        self.drawn.clear()
        self.child, self.stage, self._knowing, self._touched = child, CHILD, frozenset(), ""
        self.serial += 1
        self.ticked = frozenset(line.vaccine for line in self._proposed if _usable(line))
        self.stop, self.confirmed = "", {}
        self.beside.show(child.beside[: LINES_MAX - len(self.lines)])
        if child.head is not None:
            self.card, self.new = child.head.tag or self.card, None

    def refresh(self, child: Child) -> None:
        """Take it again, as after a vial was opened: what a person ticked or not stays.

        What was due and is no longer, as after the doses of a card, is not ticked; and the reverse.
        """
        before = {line.vaccine for line in self._proposed}
        had = {line.vaccine for line in self.lines if _usable(line)}
        self.child = child
        usable = {line.vaccine for line in self.lines if _usable(line)}
        wanted = {line.vaccine for line in self._proposed}
        fresh = (usable - had) | (usable - before)
        barred = {line.vaccine for line in self.lines if line.state == "contraindicated"}
        barred |= had - usable
        kept = {line.vaccine for line in self.lines if line.vial} - barred
        self.ticked = (self.ticked & kept - (before - wanted)) | (fresh & wanted)
        self.beside.refresh(child.beside[: LINES_MAX - len(self.lines)])
        self.serial += 1

    def told(self, vials: Sequence[VialLine], beside: Sequence[BesideSum] = ()) -> bool:
        """Take the session's vials and lots; return whether a tick went as a lot was stopped.

        While a question stands, or a save is under way, ticks stay: the node judges them again.
        """
        self.drawn.vials = tuple(vials)
        self.beside.told(beside)
        return self.stage != ASK and not self.sending and self._drop_stopped()

    def _drop_stopped(self) -> bool:
        gone = [
            line for line in self.lines if line.stop and line.vaccine in self.ticked - self._knowing
        ]
        for line in gone:
            self.drawn.stop(line)
            self.ticked -= {line.vaccine}
        went = self.beside.drop() or bool(gone)
        self.serial += went
        return went

    def ask(self, what: str) -> None:
        """Stop at a question that only Enter answers."""
        self.stage, self.asked = ASK, what

    def doubt(self, vaccine: str, code: str) -> None:
        """Stop at what the node asks about one line; Enter settles it."""
        self.ask(code)
        self._doubted = vaccine

    def agree(self) -> None:
        """Take note that a person settled what the node asked."""
        known = self.confirmed.get(self._doubted, frozenset())
        self.confirmed = {**self.confirmed, self._doubted: known | {self.asked}}
        if self.asked == HAD:
            self._knowing |= {self._doubted}
            self.beside.had(self._doubted.removeprefix(MARK))
        self.stage = CHILD

    def restart(self, *, absorb: bool = False) -> None:
        """Go back to the card; of the child before nothing stays.

        Args:
            absorb: Whether one Enter that comes next is without effect, as a save struck twice.
        """
        self.stage, self.card, self.child, self.new = CARD, "", None, None
        self.ticked, self.stop, self.name, self.confirmed = frozenset(), "", "", {}
        self.beside.clear()
        self.drawn.clear()
        self.form = self._card_form()
        if absorb:
            self.form.absorb_one()

    def learn(self, card: str) -> None:
        """Complete cards typed as digits like the last one that was scanned."""
        found = re.fullmatch(r"(.*\D)\d+", card)
        if found is not None:
            self.prefix = found[1]
            if self.stage == CARD:
                self.form.replace_field(self._card_field())

    # what is written

    def records(self, subject: str, session: str, why: str = "") -> list[dict[str, Any]]:
        """Return what Enter writes, all of it or nothing; [] where there is nothing.

        Args:
            subject: Random id of this child's save: the same lines have the same keys again.
            session: Id.
            why: In words why nothing is given, where there is a stop.
        """
        lines: list[dict[str, Any]] = []
        whom: dict[str, Any] = {"patient": self.head.patient} if self.head else {}
        if self.head is None:
            lines.append({"kind": "patient.register", "key": subject, "data": self._who()})
            whom = {"patient": {"line": 1}}
        chosen = self.chosen
        for line in chosen:
            data: dict[str, Any] = {"vaccine": line.vaccine, "session": session}
            data |= {"status": self.stop} if self.stop else {"vial": line.vial}
            key = f"{subject}-{line.vaccine}-{self.stop or 'given'}"
            lines.append({"kind": "dose.record", "key": key, **whom, "data": data})
        lines += self.beside.records(whom, subject, session, stop=self.stop, why=why)
        for line_of, made in zip(self._of_lines(chosen), lines, strict=True):
            if codes := self.confirmed.get(line_of, frozenset()) | self.beside.confirmed(line_of):
                made["confirm"] = sorted(codes)
            made["v"] = 1
        return lines

    def vaccine_of(self, at: int) -> str:
        """Return of which vaccine the line of `records` at this place is; '' the registration."""
        of_lines = self._of_lines(self.chosen)
        return of_lines[at] if at < len(of_lines) else ""

    def doubted(self) -> GiveLine | None:
        """Return the line that the question is about; None of the registration."""
        return next((line for line in self.lines if line.vaccine == self._doubted), None)

    def doubted_beside(self) -> BesideLine | None:
        """Return the line beside the vaccines that the question is about; None of another."""
        told = self.beside.lines
        return next((line for line in told if MARK + line.code == self._doubted), None)

    @property
    def chosen(self) -> list[GiveLine]:
        """What Enter writes down: what is given, or with a reason against it what is not."""
        ticked = [line for line in self.lines if line.vaccine in self.ticked]
        if ticked or not self.stop:
            return ticked
        wanted = [line for line in self.lines if line.wanted]
        return wanted or list(self.lines[: 0 if self.beside.ticked else 1])

    def _of_lines(self, chosen: list[GiveLine]) -> list[str]:
        first = [] if self.head else [""]
        return [*first, *(line.vaccine for line in chosen), *self.beside.names()]

    def _who(self) -> dict[str, Any]:
        value, unit, guessed = age_parts(self.age)
        age: dict[str, Any] = {"value": str(value), "unit": unit}
        found: dict[str, Any] = {
            "sex": self.sex,
            "age": {**age, "estimated": True} if guessed else age,
        }
        if self.card:
            found["tags"] = [self.card]
        if self.name:
            found["family_name"] = self.name
        return found

    def _card_form(self) -> FormCore:
        return FormCore((self._card_field(),))

    def _card_field(self) -> Tag:
        return Tag("tag", "drive.card", prefix=self.prefix, hint="drive.card_hint")


def _usable(line: GiveLine) -> bool:
    """Whether it has an open vial of a lot that may be given."""
    return bool(line.vial) and not line.stop


def _name_form(name: str) -> FormCore:
    form = FormCore((Field("name", "drive.name", chars_max=NAME_CHARS_MAX),))
    form.restore({"name": name})
    return form
