"""Accounts: who may open the page, and what a guesser learns."""

import asyncio

import pytest

from hq.accounts import (
    FREE_TRIES,
    IDLE_MS,
    LINK_LIFE_MS,
    SESSION_MS,
    STRETCHES_WAITING_MAX,
    WAIT_MS_MAX,
    Accounts,
    Busy,
    Cost,
    account_name,
    check_password,
    wait_ms,
)
from protocols.errors import InputError
from tests.unit.hq_book import NOW_MS, TestBook, accounts_on

PASSWORD = "four unrelated words"


async def with_lead() -> tuple[TestBook, Accounts, str]:
    book = TestBook()
    accounts = accounts_on(book)
    link = await accounts.issue_link(NOW_MS)
    return book, accounts, await accounts.create(link, "Lead", PASSWORD, NOW_MS)


async def test_a_link_makes_one_account_and_then_nothing():
    book = TestBook()
    accounts = accounts_on(book)
    link = await accounts.issue_link(NOW_MS)

    assert not await accounts.exist()
    await accounts.create(link, "lead", PASSWORD, NOW_MS)

    assert await accounts.exist()
    with pytest.raises(InputError, match="link_used"):
        await accounts.create(link, "other", PASSWORD, NOW_MS)


async def test_two_uses_of_a_link_at_once_make_one_account():
    book = TestBook()
    accounts = accounts_on(book)
    link = await accounts.issue_link(NOW_MS)

    both = await asyncio.gather(
        accounts.create(link, "one", PASSWORD, NOW_MS),
        accounts.create(link, "two", PASSWORD, NOW_MS),
        return_exceptions=True,
    )

    assert {type(result) for result in both} == {str, InputError}
    assert book.db.execute("select count(*) from hq_account").fetchone() == (1,)


async def test_a_link_waits_one_day():
    accounts = accounts_on(TestBook())
    link = await accounts.issue_link(NOW_MS)

    assert await accounts.link_waits(link, NOW_MS + LINK_LIFE_MS - 1)
    assert not await accounts.link_waits(link, NOW_MS + LINK_LIFE_MS)


async def test_a_taken_name_keeps_the_link():
    _, accounts, _ = await with_lead()
    link = await accounts.issue_link(NOW_MS)

    with pytest.raises(InputError, match="name_taken"):
        await accounts.create(link, "LEAD", PASSWORD, NOW_MS)

    assert await accounts.link_waits(link, NOW_MS)


async def test_nothing_in_the_book_opens_the_page():
    book, accounts, token = await with_lead()
    link = await accounts.issue_link(NOW_MS)

    held = repr(
        [
            book.db.execute(f"select * from {t}").fetchall()
            for t in ("hq_account", "hq_session", "hq_link")
        ]
    )

    assert token not in held
    assert link not in held
    assert PASSWORD not in held


async def test_wrong_passwords_make_the_account_wait_longer_each_time():
    _, accounts, _ = await with_lead()
    for _ in range(FREE_TRIES):
        assert await accounts.login("lead", "not it at all", NOW_MS) is None

    assert await accounts.login("lead", PASSWORD, NOW_MS + 999) is None
    assert await accounts.login("lead", PASSWORD, NOW_MS + 1000) is not None
    assert await accounts.login("lead", PASSWORD, NOW_MS + 1000) is not None


def test_waiting_doubles_up_to_its_limit():
    assert [wait_ms(failed) for failed in range(6)] == [0, 0, 1000, 2000, 4000, 8000]
    assert wait_ms(7) == WAIT_MS_MAX
    assert wait_ms(10**9) == WAIT_MS_MAX


async def test_two_guesses_at_once_count_as_two():
    book, accounts, _ = await with_lead()

    await asyncio.gather(*(accounts.login("lead", f"guess number {n}", NOW_MS) for n in range(6)))

    assert book.db.execute("select failed from hq_account").fetchone()[0] <= FREE_TRIES


async def test_an_unknown_name_costs_the_same_work():
    book = TestBook()
    worked: list[str] = []

    class Counting(Cost):
        def stretch(self, password: str, salt: bytes) -> bytes:
            worked.append(password)
            return super().stretch(password, salt)

    accounts = Accounts(book, entropy=accounts_on(book).entropy, cost=Counting(1, 1))

    assert await accounts.login("nobody", PASSWORD, NOW_MS) is None
    assert worked == [PASSWORD]


async def test_a_crowd_of_logins_is_told_to_come_back():
    _, accounts, _ = await with_lead()

    crowd = await asyncio.gather(
        *(accounts.login(f"n{n}", PASSWORD, NOW_MS) for n in range(STRETCHES_WAITING_MAX + 1)),
        return_exceptions=True,
    )

    assert [type(result) for result in crowd].count(Busy) == 1


async def test_a_session_ends_when_nobody_touches_it():
    _, accounts, token = await with_lead()

    assert await accounts.session(token, NOW_MS + IDLE_MS - 1, touch=False)
    assert not await accounts.session(token, NOW_MS + IDLE_MS, touch=True)
    assert not await accounts.session(token, NOW_MS, touch=True)


async def test_a_touched_session_lives_for_one_shift():
    _, accounts, token = await with_lead()
    at = NOW_MS
    while at + IDLE_MS // 2 < NOW_MS + SESSION_MS:
        at += IDLE_MS // 2
        assert await accounts.session(token, at, touch=True)

    assert not await accounts.session(token, NOW_MS + SESSION_MS, touch=True)


async def test_a_session_can_be_ended_from_another_one():
    _, accounts, first = await with_lead()
    second = await accounts.login("lead", PASSWORD, NOW_MS)
    assert second
    session = await accounts.session(second, NOW_MS, touch=True)
    assert session

    await accounts.end_others(session)

    assert not await accounts.session(first, NOW_MS, touch=True)
    assert await accounts.session(second, NOW_MS, touch=True)


async def test_nobody_ends_the_session_of_another_account():
    _, accounts, token = await with_lead()
    session = await accounts.session(token, NOW_MS, touch=True)
    assert session

    await accounts.end_id(session.id, "somebody-else")

    assert await accounts.session(token, NOW_MS, touch=True)


async def test_a_new_password_ends_the_other_sessions_and_the_old_password():
    _, accounts, old = await with_lead()
    mine = await accounts.login("lead", PASSWORD, NOW_MS)
    assert mine
    session = await accounts.session(mine, NOW_MS, touch=True)
    assert session

    with pytest.raises(InputError, match="wrong_password"):
        await accounts.change_password(session, "not it at all", "other unrelated words", NOW_MS)
    await accounts.change_password(session, PASSWORD, "other unrelated words", NOW_MS)

    assert not await accounts.session(old, NOW_MS, touch=True)
    assert await accounts.login("lead", PASSWORD, NOW_MS) is None
    assert await accounts.login("lead", "other unrelated words", NOW_MS)


async def test_a_removed_account_is_out_at_once():
    _, accounts, token = await with_lead()

    assert await accounts.remove("lead")

    assert not await accounts.session(token, NOW_MS, touch=True)
    assert not await accounts.remove("lead")


@pytest.mark.parametrize("name", ["", "a", "x" * 41, "a b", "<script>", "a\u202eb", "../x"])
def test_names_that_could_mislead_are_refused(name):
    with pytest.raises(InputError, match="bad_name"):
        account_name(name)


def test_a_name_is_one_name_however_it_is_typed():
    assert account_name(" ÉLODIE ") == account_name("e\u0301lodie")


@pytest.mark.parametrize(
    "password", ["eleven char", "aaaaaaaaaaaaaaaa", "leadleadleadlead", "x" * 2000]
)
def test_passwords_that_would_not_hold_are_refused(password):
    with pytest.raises(InputError, match="password_"):
        check_password(password, "lead")


def test_the_shortest_good_password_is_taken():
    check_password("twelve chars", "lead")
