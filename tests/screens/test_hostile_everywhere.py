"""Text that wants to be a command, in every answer of the node, on every screen that is agreed."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec
import pytest

from fieldnode.tui.cores.display import Size, line_cells, text_of
from protocols.live.api import Permission
from protocols.live.guidance import GuidelineList, GuidelineSheet, PackInUse
from tests.screens.fake_node import ward
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_after
from tests.screens.test_hostile import HOSTILE

FREE = frozenset(
    {
        *("name", "label", "text", "author", "device", "who", "place", "site", "by", "reason"),
        *(
            "problem",
            "bed",
            "ward",
            "tag",
            "keeper",
            "allergies",
            "remark",
            "reaction",
            "indication",
        ),
        *("organisation", "org", "profession", "person", "note", "released", "scale2_by", "lot"),
        *(
            "village",
            "team",
            "title",
            "strength",
            "form",
            "what",
            "from_name",
            "to_name",
            "item_name",
        ),
    }
)
"""Fields of answers in which somebody's own words may stand."""
WHOLE = (
    "O[/]Brien [red]x[/red] \x1b[2J\x1b]52;c;YWJj\x07\u202eevil\u2066 \u0301\u0301\r\n\t\x9b5;5H"
)


def poisoned(value: Any, name: str = "") -> Any:
    """Return an answer with hostile words behind each that somebody may have typed."""
    if isinstance(value, str):
        return f"{value}{WHOLE}" if name in FREE and value else value
    if isinstance(value, PackInUse | GuidelineSheet | GuidelineList | Permission):
        # Packs are signed texts, whose hostile words `test_protocol.py` has; why something may not
        # be written is this node's own code.
        return value
    if isinstance(value, msgspec.Struct):
        fields = {each: poisoned(getattr(value, each), each) for each in value.__struct_fields__}
        return msgspec.structs.replace(value, **fields)
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(
            *(poisoned(part, at) for at, part in zip(value._fields, value, strict=True))
        )
    if isinstance(value, tuple | list):
        return type(value)(poisoned(part, name) for part in value)
    return value


class Hostile:
    """A node whose answers all carry such words."""

    def __init__(self, node: Any) -> None:
        object.__setattr__(self, "_node", node)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._node, name, value)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._node, name)
        if not inspect.iscoroutinefunction(found):
            return found

        async def asked(*args: Any, **more: Any) -> Any:
            return poisoned(await found(*args, **more))

        return asked


def test_every_word_of_the_other_suite_is_among_these():
    assert all(any(sign in WHOLE for sign in text) for text in HOSTILE[:4])


@pytest.mark.parametrize("name", SCREENS)
def test_no_screen_lets_a_word_of_somebody_steer_it_or_break_its_width(name):
    shell = shell_after(SCREENS[name], LANGUAGES["en"], Hostile(ward()))
    calm = shell_after(SCREENS[name], LANGUAGES["en"])

    assert shell.page.name == calm.page.name

    for size in (Size(80, 24), Size(132, 43)):
        lines = shell.draw(size)
        assert {line_cells(line) for line in lines} == {size.width}
        assert all(text_of(line).isprintable() for line in lines)
