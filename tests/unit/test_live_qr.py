"""A one-time code as a picture: every module where it belongs, on the smallest screen."""

import pytest
import segno

from protocols.live.qr import drawn
from protocols.trust.enrolment import CODE_BYTES, code_text

CODE = code_text(bytes(range(CODE_BYTES)))
DARK = {" ": (True, True), "▄": (True, False), "▀": (False, True), "█": (False, False)}


@pytest.mark.parametrize("text", [CODE, "fieldmesh " * 12])
def test_the_picture_is_the_code_with_its_margin(text):
    lines = list(drawn(text))
    read = [tuple(DARK[sign][half] for sign in line) for line in lines for half in (0, 1)]
    wanted = [
        tuple(bool(module) for module in row)
        for row in segno.make_qr(text, error="m").matrix_iter(border=4)
    ]
    assert read[: len(wanted)] == wanted
    assert not any(any(row) for row in read[len(wanted) :])


def test_it_fits_the_smallest_screen_with_the_code_below():
    lines = list(drawn(CODE))
    assert len(lines) <= 22
    assert {len(line) for line in lines} <= set(range(20, 80))
