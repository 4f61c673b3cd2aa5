"""The rows around every page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.display import Size, line_cells, text_of
from fieldnode.tui.frame import BAR_WORD_CELLS, action_bar
from fieldnode.tui.page import Hint
from tests.screens.fake_node import FakeNode, ward
from tests.screens.test_goldens import LANGUAGES, SCREENS, SIZE, shell_after, shell_on
from tests.screens.test_keys import strike
from tests.screens.test_pages import Person

DRAWN = LANGUAGES | {draft: load(draft) for draft in ("es", "pt", "uk")}
"""Every language that a terminal draws, and the one that is longer than all of them."""

NARROW = Size(60, 24)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100, 132])
@pytest.mark.parametrize("name", ["board", "vitals", "lock"])
def test_the_first_and_the_last_row_have_one_ground_from_edge_to_edge(name, width, language):
    lines = shell_after(SCREENS[name], LANGUAGES[language]).draw(Size(width, 24))

    assert {span.role.partition("_")[0] for span in lines[0]} == {"head"}
    assert {span.role.partition("_")[0] for span in lines[-1]} == {"bar"}


def test_a_node_that_met_nobody_does_not_count_its_peers():
    person = Person(FakeNode()).press("f7")

    assert "On no other device yet." in person.screen
    assert "0 peers" not in person.screen
    assert "another device has everything" not in person.screen


@pytest.mark.safety(21)
@pytest.mark.parametrize("name", SCREENS)
def test_wherever_escape_leads_somewhere_the_bar_says_so_in_every_language(name):
    shell = shell_on(name, DRAWN["en"])
    bars = {}
    for language, words in DRAWN.items():
        shell.desk.words = words
        *_, bar, lowest = (text_of(line) for line in shell.draw(SIZE))
        assert f" 1{words('keys.help')[:3]}" in lowest
        # A bar of 80 cells has room for every key, though not for every word.
        assert [one for one in shell.page.hints() if f" {one.keys} " not in bar] == []
        bars[language] = f" {text_of(shell.draw(NARROW)[-2])}"
    page, shown = shell.page, shell.page.draw(SIZE)

    strike(shell, ward(), "escape")

    # Where the device's passphrase is typed Escape only empties the field.
    if name != "lock" and (shell.page is not page or shell.page.draw(SIZE) != shown):
        without = [
            language for language, words in DRAWN.items()
            if f"  {words('keys.escape')} " not in bars[language]
        ]  # fmt: skip
        assert without == []


HINTS = st.lists(
    st.builds(
        Hint,
        st.sampled_from(["Enter", "v/1", "↑", "Ctrl+T", "0-9"]),
        st.text("abc défжи", max_size=24),
        stays=st.just(False),
    ),
    max_size=9,
)
BACK = Hint("Échap", "retour", stays=True)


@given(HINTS, st.integers(20, 132))
def test_a_bar_fits_and_keeps_the_way_back_whole(hints, width):
    bar = action_bar([*hints, BACK], width)
    kept = [Hint(keys.text, word.text[1:]) for _, keys, word in zip(*[iter(bar)] * 3, strict=True)]

    assert line_cells(bar) <= width
    assert kept[-1] == Hint("Échap", "retour")
    assert [one.keys for one in kept[:-1]] == [one.keys for one in hints[: len(kept) - 1]]
    for was, one in zip(hints, kept[:-1], strict=False):
        assert one.word == was.word or (one.word.endswith("…") and len(one.word) >= BAR_WORD_CELLS)


@given(HINTS)
def test_a_bar_with_room_cuts_nothing(hints):
    whole = " " + "  ".join(f"{hint.keys} {hint.word}" for hint in [*hints, BACK])

    for width in (len(whole), len(whole) + 40):
        shown = text_of(action_bar([*hints, BACK], width))
        assert shown.replace("   ", "  ").count("Échap retour") == 1
        assert all(f"{hint.keys} {hint.word}" in shown for hint in hints)
