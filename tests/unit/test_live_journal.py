"""Nothing about a patient reaches a log, whatever a caller passes."""

import io
import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import DeviceId
from protocols.live.journal import LINES_MAX, NAMES, NUMBERS, Journal, line

DEVICE = DeviceId(bytes(range(32)))


def test_a_line_carries_ids_numbers_and_a_code():
    written = json.loads(line("link_up", {"peer": DEVICE, "bytes": 12, "count": 0}, 99))

    assert written == {
        "at_ms": 99, "code": "link_up", "peer": str(DEVICE), "bytes": 12, "count": 0,
    }  # fmt: skip


def test_other_keys_and_unsafe_values_are_left_out():
    values = {"name": "Amina", "peer": "Amina", "feed": b"raw", "seq": "7", "ms": True, "at_ms": 1}

    assert json.loads(line("Amina Diallo", values, 5)) == {"at_ms": 5, "code": "unnamed"}


@given(
    st.text(max_size=60),
    st.dictionaries(st.text(max_size=8) | st.sampled_from(NAMES + NUMBERS), st.text(max_size=80)),
)
def test_a_line_is_one_line_of_closed_keys(code, values):
    text = line(code, values, 0)

    assert text.count("\n") == 1
    assert text.isascii()
    assert set(json.loads(text)) <= {"at_ms", "code", *NAMES, *NUMBERS}


def test_lines_are_written_in_order():
    out = io.StringIO()
    journal = Journal(out)
    for number in range(5):
        journal.note("counted", {"count": number})

    journal.close()

    assert [json.loads(text)["count"] for text in out.getvalue().splitlines()] == [0, 1, 2, 3, 4]


def test_a_stalled_reader_costs_lines_and_never_time():
    out = Stalled()
    journal = Journal(out)
    for number in range(LINES_MAX + 100):
        journal.note("counted", {"count": number})

    out.go_on.set()
    journal.close(wait_s=5)

    written = [json.loads(text) for text in out.getvalue().splitlines()]
    dropped = [entry["count"] for entry in written if entry["code"] == "log_dropped"]
    assert sum(dropped) + len(written) - len(dropped) == LINES_MAX + 100


class Stalled(io.StringIO):
    def __init__(self):
        super().__init__()
        self.go_on = threading.Event()

    def write(self, text):
        self.go_on.wait(10)
        return super().write(text)
