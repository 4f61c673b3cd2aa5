"""Logger files: two layouts are read, any other is refused, and days and months are not guessed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.coldchain import Reading
from protocols.records.loggers import FILE_BYTES_MAX, read_log

HOBO = """"Plot Title: Fridge 1"
"#","Date Time, GMT+02:00","Temp, °C (LGR S/N: 20363442, SEN S/N: 20363442, LBL: 1)","Host \
Connected (LGR S/N: 20363442)"
1,07/19/18 11:50:00 PM,5.154,
2,07/20/18 12:00:00 AM,-0.654,
3,07/20/18 12:00:10 AM,,Logged
"""
EASY = """Fridge 2,Time,Celsius(°C),High Alarm,Low Alarm,Serial Number
1,19/07/2018 23:50:00,5.0,8.0,2.0,010023456
2,20/07/2018 00:00:00,5.5
"""
MIDNIGHT = 25_532_640 + 1440
"""2018-07-20T00:00 in minutes since 1970."""


REFUSALS = ("not_a_logger", "logger_line", "logger_dates", "nothing_stated", "unit_refused")


def refused(raw: bytes, **asked: object) -> InputError:
    with pytest.raises(InputError) as raised:
        read_log(raw, **asked)  # type: ignore[arg-type]
    return raised.value


def test_a_hoboware_file_says_its_serial_number_and_its_time_zone():
    log = read_log(HOBO.encode())

    assert (log.layout, log.serial, log.skipped) == ("hoboware", "20363442", 1)
    offset = 120
    assert log.readings == (
        Reading(MIDNIGHT - 10 - offset, 52),
        Reading(MIDNIGHT - offset, -7),
    )


def test_an_easylog_file_is_read_with_the_time_zone_that_somebody_says():
    log = read_log(EASY.encode("cp1252"), offset_min=-60)

    assert (log.layout, log.serial) == ("easylog", "010023456")
    assert log.readings == (Reading(MIDNIGHT - 10 + 60, 50), Reading(MIDNIGHT + 60, 55))


def test_without_a_time_zone_an_easylog_file_is_refused():
    assert refused(EASY.encode()).code == "logger_offset"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_the_degree_sign_may_be_written_in_any_of_the_ways_that_windows_has(encoding):
    assert len(read_log(HOBO.encode(encoding)).readings) == 2
    assert len(read_log(EASY.encode(encoding), offset_min=0).readings) == 2


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "date;temp\n2026-01-01;5\n", "\0\1\2", "Time,Celsius\n1,2\n", "[" * 99],
)
def test_a_file_of_neither_layout_is_refused_and_both_are_named(text):
    error = refused(text.encode())

    assert error.code == "not_a_logger"
    assert error.allowed == ("HOBOware CSV", "EasyLog USB CSV")


def test_degrees_fahrenheit_are_refused():
    assert refused(HOBO.replace("°C", "°F").encode()).code == "unit_refused"
    assert refused(EASY.replace("Celsius", "Fahrenheit").encode(), offset_min=0).allowed == ("°C",)


def days(*parts: str) -> bytes:
    head = EASY.splitlines()[0]
    lines = [f"{at},{part}:00,5.0" for at, part in enumerate(parts, 1)]
    return "\n".join([head, *lines]).encode()


def test_days_and_months_that_cannot_be_told_apart_are_asked_about():
    raw = days("03/05/2026 10:00", "03/05/2026 10:10")

    assert refused(raw, offset_min=0).code == "logger_dates"
    may = read_log(raw, offset_min=0, order="dmy").readings[0].minute
    march = read_log(raw, offset_min=0, order="mdy").readings[0].minute
    assert may - march == (26 + 30 + 3) * 1440


def test_the_next_day_is_not_a_month_away():
    log = read_log(days("03/05/2026 23:50", "04/05/2026 00:00"), offset_min=0)

    assert log.readings[1].minute - log.readings[0].minute == 10


def test_an_order_that_the_dates_contradict_is_refused():
    assert refused(days("19/07/2018 10:00"), offset_min=0, order="mdy").code == "logger_dates"
    assert refused(days("2018-07-19 10:00"), offset_min=0, order="mdy").code == "logger_dates"
    assert len(read_log(days("2018-07-19 10:00"), offset_min=0).readings) == 1


def test_a_line_that_cannot_be_read_is_named():
    broken = HOBO.replace("5.154", "5.1.5")
    assert refused(broken.encode()).field == "file:3"
    assert refused(EASY.replace("20/07/2018 00:00:00", "noon").encode(), offset_min=0).field == (
        "file:3"
    )
    assert refused(EASY.replace("5.5", "900").encode(), offset_min=0).code == "logger_line"


def test_commas_are_decimals_where_semicolons_part_the_cells():
    text = EASY.replace(".", "#").replace(",", ";").replace("#", ",")

    assert [each.tenths for each in read_log(text.encode(), offset_min=0).readings] == [50, 55]


def test_a_file_without_a_temperature_states_nothing_and_a_huge_one_is_not_read():
    assert refused(HOBO[: HOBO.index("1,07")].encode()).code == "nothing_stated"
    assert refused(b"x" * (FILE_BYTES_MAX + 1)).code == "too_long"


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_nothing_in_a_file_breaks_the_reader(tail):
    for head in ("", HOBO[:200], HOBO, EASY):
        try:
            log = read_log(head.encode() + tail, offset_min=0)
        except InputError as error:
            code = error.code
        else:
            code = "" if log.readings else "empty"
        assert code in ("", *REFUSALS)
