"""What is drawn again is what changed, and it is drawn as any widget of Textual would be."""

import asyncio

import pytest
from rich.console import Console
from textual.app import App, ComposeResult
from textual.geometry import Region
from textual.widget import Widget

from fieldnode.tui.cores.display import Size, Span, fill, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.themes import PLAIN, THEMES, styles
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.widgets.stage import Stage

WIDTH, HEIGHT = 80, 24
WORDS = ("Haddad, Nour", "芳 王", "Nguyễn Thị Ánh", "", "x" * 200)
ROLES = ("plain", "title", "red", "dim", "warn", "select_plain", "bar", "no such role")


class Bare(App[None]):
    """Nothing but a stage."""

    CSS = "Screen { background: black; } Screen:ansi { background: ansi_default; }"

    def __init__(self, theme: str) -> None:
        super().__init__(ansi_color=theme in PLAIN)
        self.stage = Stage(styles(theme))

    def compose(self) -> ComposeResult:
        """Put it up."""
        yield self.stage


def staged(theme, work):
    """Do `work` with a stage that is on a screen of 80 by 24."""

    async def run():
        app = Bare(theme)
        async with app.run_test(size=(WIDTH, HEIGHT)):
            return work(app.stage)

    return asyncio.run(run())


def rows(total, top):
    """Return a screen with a list gone on to a row."""
    core = ListCore(str)
    core.take_all(range(total))
    core.resize(HEIGHT - 2)
    for _ in range(top):
        core.key("down")
    columns = (Column("", 2), Column("NUMBER", 12), Column("NAME", 0))

    def cells(row):
        word, role = WORDS[row % len(WORDS)], ROLES[row % len(ROLES)]
        return [Span(""), Span(str(row), role), Span(word, role)]

    drawn = [*draw_list(core, columns, cells, Size(WIDTH, HEIGHT - 1), "none"), line("below")]
    return [fill(each, WIDTH) for each in drawn]


@pytest.mark.parametrize("no_colour", [False, True])
@pytest.mark.parametrize("theme", THEMES)
def test_lines_are_drawn_as_a_widget_in_general_draws_them(theme, no_colour, monkeypatch):
    if no_colour:
        monkeypatch.setenv("NO_COLOR", "1")
    crops = [Region(0, 0, WIDTH, HEIGHT), Region(3, 2, 40, 7), Region(79, 23, 1, 1)]

    def look(stage):
        stage.show(rows(60, 30))
        console = Console(width=WIDTH, color_system="truecolor", force_terminal=True)
        found = []
        for crop in crops:
            own = [strip.render(console) for strip in stage.render_lines(crop)]
            general = [strip.render(console) for strip in Widget.render_lines(stage, crop)]
            found.append((own, general))
        return found

    for own, general in staged(theme, look):
        assert own == general


def test_a_list_that_goes_on_by_a_row_draws_the_new_row_and_the_mark_alone():
    def scroll(stage):
        stage.show(rows(200, 40))
        stage.render_lines(Region(0, 0, WIDTH, HEIGHT))
        before = stage._strip.cache_info().misses
        stage.show(rows(200, 41))
        stage.render_lines(Region(0, 0, WIDTH, HEIGHT))
        return stage._strip.cache_info().misses - before

    # The row that was marked, the one that is; all others were drawn one row lower.
    assert staged("night", scroll) == 2


def test_another_theme_draws_every_line_anew():
    def look(stage):
        shown = rows(20, 0)
        stage.show(shown)
        night = stage.render_lines(Region(0, 0, WIDTH, 4))
        stage.restyle(styles("contrast"))
        return night, stage.render_lines(Region(0, 0, WIDTH, 4))

    before, after = staged("night", look)
    assert before != after
