"""Settings, tests: what each key is here, and whether the scanner is set as it has to be."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Back
from fieldnode.tui.cores.display import Line, Size, Span, fit, line, text_of, wrap
from fieldnode.tui.cores.keys import BY_POSITION, GROUP_SEPARATOR, fold_digit, fold_single
from fieldnode.tui.cores.scancheck import CARD, Found, ScannerCheck
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.wording import struck
from protocols.records.display import clean_text

KEYS_SHOWN = 12
KEY_CELLS = 14
CODE_ROWS = 14
"""Rows that the three codes take, with a row between them and the findings."""

CARD_QUIET = 2
"""Empty modules around each code: three of them fit side by side."""

CODE_CELLS = 26


class KeyTestPage(Page):
    """Names every key that is struck and says what it does; writes nothing."""

    name: ClassVar[str] = "key_test"
    scans: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._keys: list[str] = []

    def key(self, key: str) -> list[Act]:
        """Keep the key; Escape a second time leaves."""
        if key == "escape" and self._keys[-1:] == ["escape"]:
            return [Back()]
        self._keys = [*self._keys, key][-KEYS_SHOWN:]
        return []

    def draw(self, size: Size) -> list[Line]:
        """Draw the last keys, the newest first."""
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("key_test.title"), "title"))]
        rows += [line(" ", part) for part in wrap(words("key_test.how"), size.width - 2)]
        rows.append(())
        for key in reversed(self._keys):
            named = fit(struck(words, [key]) or "?", KEY_CELLS)
            rows.append(line("  ", Span(named, "key"), Span(" "), Span(self._means(key))))
        return rows[: size.height]

    def _means(self, key: str) -> str:
        """Return what a key does here and why."""
        words = self.desk.words
        if key == GROUP_SEPARATOR:
            return words("key_test.separator")
        if len(key) > 1:
            return "" if struck(words, [key]) != key or key.startswith("ctrl") else words(
                "key_test.unknown"
            )  # fmt: skip
        parts = []
        if fold_digit(key) != key:
            parts.append(words("key_test.digit", digit=fold_digit(key)))
        elif fold_single(key) != key:
            parts.append(words("key_test.single", digit=fold_single(key)))
        if key.lower() in BY_POSITION:
            parts.append(words("key_test.letter", letter=BY_POSITION[key.lower()]))
        return "   ".join(parts)


class TestCardPage(Page):
    """Three codes to scan from this very screen; says what to set where something lacks."""

    __test__: ClassVar[bool] = False
    name: ClassVar[str] = "test_card"
    scans: ClassVar[bool] = False
    """The page reads the bare keys: the gate would hold an unfinished code back."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.check = ScannerCheck()
        self._codes: list[str] | None = None

    def key(self, key: str) -> list[Act]:
        """Take one key of the scanner."""
        if key == "escape":
            return [Back()]
        self.check.key(key)
        return []

    def draw(self, size: Size) -> list[Line]:
        """Draw the codes where there is room, and a finding a row."""
        words, check = self.desk.words, self.check
        rows: list[Line] = [line(" ", Span(words("test_card.title"), "title"))]
        found = self._findings()
        if size.height >= CODE_ROWS + len(found) + 2 and size.width >= 3 * CODE_CELLS:
            rows += [line(" ", Span(code)) for code in self._drawn()]
        else:
            rows += [line(" ", part) for part in wrap(words("test_card.any"), size.width - 2)]
        rows += found
        shown = clean_text(check.typed or check.last).strip()
        if shown:
            rows.append(line("  ", Span(words("test_card.came", text=shown), "dim")))
        return rows[: size.height]

    def hints(self) -> list[Hint]:
        """Nothing but scanning."""
        return []

    def _findings(self) -> list[Line]:
        words, check = self.desk.words, self.check
        rows: list[Line] = []
        for name, found in (
            ("prefix", check.prefix),
            ("suffix", check.suffix),
            ("separator", check.separator),
            ("layout", check.layout),
        ):
            label = Span(fit(words(f"test_card.{name}"), 22), "label")
            if found in (Found.OK, Found.UNKNOWN):
                role = "good" if found is Found.OK else "dim"
                said = words(f"test_card.{found.value}")
            else:
                role, said = "bad", words(f"test_card.{name}_{found.value}")
            rows.append(line("  ", label, Span(f" {said}", role)))
        return rows

    def _drawn(self) -> list[str]:
        """Return the rows of the three codes side by side; drawn once."""
        if self._codes is None:
            # Loaded when somebody asks: the encoder is of no use elsewhere.
            from protocols.live.qr import drawn

            codes = [list(drawn(text, quiet=CARD_QUIET)) for text in CARD]
            self._codes = [
                text_of(line(*(fit(part, CODE_CELLS) for part in parts)))
                for parts in zip(*codes, strict=True)
            ]
        return self._codes
