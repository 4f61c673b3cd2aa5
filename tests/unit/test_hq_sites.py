"""What is counted as a site: a place that could be called, not what nobody stated."""

from __future__ import annotations

from hq.picture import read_picture
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook


async def test_patients_whose_site_nobody_stated_are_counted_and_are_no_site():
    book = TestBook()
    book.device(1, "Tablet A", NOW_MS - MINUTE)
    a = book.site(1, "A")
    book.patient(1, site=a)
    book.patient(2, newest_ms=NOW_MS - 9 * HOUR)
    book.patient(3, newest_ms=NOW_MS - 9 * HOUR)

    picture = await read_picture(book, NOW_MS)

    assert picture.patients == 3
    assert [site.id for site in picture.stated] == [a]
    assert picture.unplaced == 2
    assert None not in [site.id for site in picture.quiet(NOW_MS)]
