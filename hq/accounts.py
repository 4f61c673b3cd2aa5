"""Who may open the page: accounts, one-time links and sessions that HQ can end.

A password is kept as Argon2id with its cost, a link and a session only as a hash, so a copy of
the book opens nothing. A wrong name and a wrong password are the same answer, after the same work.
"""

from __future__ import annotations

import asyncio
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b

from hq.queries import Book, Params
from protocols.errors import InputError
from protocols.trust.identity import passphrase_key

PASSWORD_CHARS_MIN = 12
"""Shorter ones fall to guessing even behind Argon2id."""
PASSWORD_BYTES_MAX = 1024
"""Longer ones only cost us time."""
NAME_CHARS_MAX = 40
LINK_LIFE_MS = 24 * 3600 * 1000
"""A login link waits one day for its reader."""
IDLE_MS = 15 * 60 * 1000
"""A session without a key or a touch ends after a quarter of an hour."""
SESSION_MS = 12 * 3600 * 1000
"""A session ends after one shift, busy or not."""
FREE_TRIES = 3
"""Wrong passwords before waiting begins."""
WAIT_MS_MAX = 30_000
"""The longest wait: guessing stays hopeless, and a rude neighbour cannot lock anybody out."""
STRETCHES_AT_ONCE = 2
"""Argon2id runs at a time; each holds its memory."""
STRETCHES_WAITING_MAX = 16
"""Logins that may queue for one; more are told to come back."""
SEEN_STEP_MS = 30_000
"""A session's last touch is written at most this often."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one password check costs: Argon2id passes and memory."""

    ops: int = 2
    mem_mib: int = 64

    def stretch(self, password: str, salt: bytes) -> bytes:
        """Return the 36 bytes kept for a password: the cost, then the derived key."""
        key = passphrase_key(password, salt, ops=self.ops, mem=self.mem_mib << 20)
        return b"\x01" + bytes([self.ops]) + self.mem_mib.to_bytes(2) + key

    @classmethod
    def of(cls, kept: bytes) -> Cost:
        """Return the cost that a kept password was made with."""
        return cls(kept[1], int.from_bytes(kept[2:4]))


@dataclass(frozen=True, slots=True)
class Session:
    """One browser that somebody logged in with."""

    id: str
    """Hash of the token in the cookie, in hex; names the session, opens nothing."""
    name: str
    created_ms: int
    seen_ms: int

    def ends_ms(self) -> int:
        """When it ends if nobody touches it again."""
        return min(self.seen_ms + IDLE_MS, self.created_ms + SESSION_MS)


class Busy(Exception):
    """Too many logins are being checked already."""


_HAS_ACCOUNT = "select count(*) from hq_account"
_ACCOUNT = "select salt, hash, failed, wait_until_ms from hq_account where name = :name"
_NAMES = "select name from hq_account order by name"
_ADD_ACCOUNT = """
insert into hq_account (name, salt, hash, created_ms, failed, wait_until_ms)
values (:name, :salt, :hash, :now, 0, 0) on conflict (name) do nothing"""
_SET_PASSWORD = """
update hq_account set salt = :salt, hash = :hash, failed = 0, wait_until_ms = 0
where name = :name"""
_TAKE_TRY = """
update hq_account set failed = failed + 1, wait_until_ms = :until
where name = :name and failed = :failed and wait_until_ms <= :now"""
_CLEAR_TRIES = "update hq_account set failed = 0, wait_until_ms = 0 where name = :name"
_DROP_ACCOUNT = "delete from hq_account where name = :name"
_ADD_LINK = "insert into hq_link (token_hash, expires_ms) values (:hash, :expires)"
_LINK = "select count(*) from hq_link where token_hash = :hash and expires_ms > :now"
_USE_LINK = "delete from hq_link where token_hash = :hash and expires_ms > :now"
_OLD_LINKS = "delete from hq_link where expires_ms <= :now"
_ADD_SESSION = """
insert into hq_session (id, name, created_ms, seen_ms) values (:id, :name, :now, :now)"""
_SESSION = "select id, name, created_ms, seen_ms from hq_session where id = :id"
_SESSIONS = """
select id, name, created_ms, seen_ms from hq_session where name = :name order by seen_ms desc"""
_TOUCH = "update hq_session set seen_ms = :now where id = :id"
_END = "delete from hq_session where id = :id and name = :name"
_END_OTHERS = "delete from hq_session where name = :name and id <> :id"
_OLD_SESSIONS = """
delete from hq_session where created_ms <= :created or seen_ms <= :seen"""


class Accounts:
    """Accounts, links and sessions, kept in the book.

    Args:
        book: Where they are kept.
        entropy: Gives n random bytes; the source of every token and salt.
        cost: What one password check costs.
    """

    def __init__(
        self, book: Book, *, entropy: Callable[[int], bytes], cost: Cost | None = None
    ) -> None:
        self._book = book
        self.entropy = entropy
        self._cost = cost or Cost()
        self._slots = asyncio.Semaphore(STRETCHES_AT_ONCE)
        self._waiting = 0
        self._nobody = bytes(16)

    async def exist(self) -> bool:
        """Whether anybody has an account yet."""
        return bool((await self._book.read(_HAS_ACCOUNT, {}))[0][0])

    async def issue_link(self, now_ms: int) -> str:
        """Return the token of a new one-time link; its path is `/first/<token>`."""
        token = self.entropy(20).hex()
        await self._book.write(_OLD_LINKS, {"now": now_ms})
        await self._book.write(
            _ADD_LINK, {"hash": _digest(token, b"fm-hq-link"), "expires": now_ms + LINK_LIFE_MS}
        )
        return token

    async def link_waits(self, token: str, now_ms: int) -> bool:
        """Whether a link may still be used; looking at it does not use it up."""
        found = await self._book.read(_LINK, {"hash": _digest(token, b"fm-hq-link"), "now": now_ms})
        return bool(found[0][0])

    async def create(self, token: str, name: str, password: str, now_ms: int) -> str:
        """Use up a link, make an account and return its first session's token.

        Raises:
            InputError: `bad_name`, `password_short`, `password_long`, `name_taken` (the link is
                kept) or `link_used`.
        """
        name = account_name(name)
        check_password(password, name)
        if not await self.link_waits(token, now_ms):
            raise InputError("link_used", field="link")
        if await self._book.read(_ACCOUNT, {"name": name}):
            raise InputError("name_taken", field="name")
        salt = self.entropy(16)
        kept = await self._stretch(self._cost, password, salt)
        used: Params = {"hash": _digest(token, b"fm-hq-link"), "now": now_ms}
        if await self._book.write(_USE_LINK, used) != 1:
            raise InputError("link_used", field="link")
        account: Params = {"name": name, "salt": salt, "hash": kept, "now": now_ms}
        if await self._book.write(_ADD_ACCOUNT, account) != 1:
            raise InputError("name_taken", field="name")
        return await self._open(name, now_ms)

    async def login(self, name: str, password: str, now_ms: int) -> str | None:
        """Return a new session's token, or None: wrong name, wrong password or too soon.

        The three are one answer after one Argon2id run, so that nobody learns which it was.

        Raises:
            Busy: Too many logins are being checked already.
        """
        name = unicodedata.normalize("NFC", name[:NAME_CHARS_MAX]).casefold().strip()
        password = password[:PASSWORD_BYTES_MAX]
        found = await self._book.read(_ACCOUNT, {"name": name})
        if not found or not await self._take_try(name, found[0][2], now_ms):
            await self._stretch(self._cost, password, self._nobody)
            return None
        salt, kept = bytes(found[0][0]), bytes(found[0][1])
        if not hmac.compare_digest(await self._stretch(Cost.of(kept), password, salt), kept):
            return None
        await self._book.write(_CLEAR_TRIES, {"name": name})
        return await self._open(name, now_ms)

    async def change_password(self, session: Session, old: str, new: str, now_ms: int) -> None:
        """Set a new password and end every other session of the account.

        Raises:
            InputError: `wrong_password`, `password_short` or `password_long`.
            Busy: Too many logins are being checked already.
        """
        check_password(new, session.name)
        token = await self.login(session.name, old, now_ms)
        if token is None:
            raise InputError("wrong_password", field="old")
        salt = self.entropy(16)
        kept = await self._stretch(self._cost, new, salt)
        await self._book.write(_SET_PASSWORD, {"name": session.name, "salt": salt, "hash": kept})
        await self.end_others(session)

    async def remove(self, name: str) -> bool:
        """Remove an account and end its sessions; False when there is none."""
        name = account_name(name)
        gone = await self._book.write(_DROP_ACCOUNT, {"name": name})
        await self._book.write(_END_OTHERS, {"name": name, "id": ""})
        return gone == 1

    async def names(self) -> list[str]:
        """Return the names of all accounts, in order."""
        return [str(name) for (name,) in await self._book.read(_NAMES, {})]

    async def known(self, name: str) -> str:
        """Return the account of this name as it is kept; '' when there is none."""
        name = unicodedata.normalize("NFC", name[:NAME_CHARS_MAX]).casefold().strip()
        return name if await self._book.read(_ACCOUNT, {"name": name}) else ""

    async def session(self, token: str, now_ms: int, *, touch: bool) -> Session | None:
        """Return the session behind a cookie, or None when there is none or it has ended.

        Args:
            token: The cookie's value.
            now_ms: Wall clock, Unix milliseconds.
            touch: A person did something; requests that a page makes by itself do not count.
        """
        found = await self._book.read(_SESSION, {"id": session_id(token)})
        if not found:
            return None
        session = Session(*found[0])
        if now_ms >= session.ends_ms():
            await self.end(session)
            return None
        if touch and now_ms - session.seen_ms >= SEEN_STEP_MS:
            await self._book.write(_TOUCH, {"id": session.id, "now": now_ms})
        return session

    async def sessions(self, name: str, now_ms: int) -> list[Session]:
        """Return the account's sessions that have not ended, last used first."""
        found = [Session(*row) for row in await self._book.read(_SESSIONS, {"name": name})]
        return [session for session in found if now_ms < session.ends_ms()]

    async def end(self, session: Session) -> None:
        """End one session at once."""
        await self.end_id(session.id, session.name)

    async def end_id(self, session: str, name: str) -> None:
        """End the account's session of that id, if it is the account's."""
        await self._book.write(_END, {"id": session, "name": name})

    async def end_others(self, session: Session) -> None:
        """End every session of the account but this one."""
        await self._book.write(_END_OTHERS, {"name": session.name, "id": session.id})

    async def _take_try(self, name: str, failed: int, now_ms: int) -> bool:
        """Count this try as failed before it is checked, so that two at once cannot share one."""
        taken: Params = {
            "name": name,
            "failed": failed,
            "now": now_ms,
            "until": now_ms + wait_ms(failed),
        }
        return await self._book.write(_TAKE_TRY, taken) == 1

    async def _open(self, name: str, now_ms: int) -> str:
        token = self.entropy(32).hex()
        made: Params = {"id": session_id(token), "name": name, "now": now_ms}
        old = {"created": now_ms - SESSION_MS, "seen": now_ms - IDLE_MS}
        await self._book.write(_OLD_SESSIONS, old)
        await self._book.write(_ADD_SESSION, made)
        return token

    async def _stretch(self, cost: Cost, password: str, salt: bytes) -> bytes:
        if self._waiting >= STRETCHES_WAITING_MAX:
            raise Busy
        self._waiting += 1
        try:
            async with self._slots:
                return await asyncio.to_thread(cost.stretch, password, salt)
        finally:
            self._waiting -= 1


def wait_ms(failed: int) -> int:
    """Return how long the next try must wait after this many wrong ones before it."""
    doubling = failed + 1 - FREE_TRIES
    return 0 if doubling < 0 else min(WAIT_MS_MAX, 1000 << min(doubling, 10))


def account_name(text: str) -> str:
    """Return the name as it is kept: composed and without case.

    Raises:
        InputError: `bad_name` unless 2 to 40 letters, digits, dots, hyphens or underscores.
    """
    name = unicodedata.normalize("NFC", text).casefold().strip()
    if not 2 <= len(name) <= NAME_CHARS_MAX or not all(c.isalnum() or c in "._-" for c in name):
        raise InputError("bad_name", field="name")
    return name


def check_password(password: str, name: str) -> None:
    """Refuse a password that would not hold.

    Raises:
        InputError: `password_short` (too short, one repeated letter, or the name) or
            `password_long`.
    """
    if len(password.encode("utf-8", "replace")) > PASSWORD_BYTES_MAX:
        raise InputError("password_long", field="password", limit=PASSWORD_BYTES_MAX)
    plain = password.casefold().replace(name, "")
    if len(password) < PASSWORD_CHARS_MIN or len(set(plain)) < 5:
        raise InputError("password_short", field="password", limit=PASSWORD_CHARS_MIN)


def session_id(token: str) -> str:
    """Return the id under which a token's session is kept."""
    return _digest(token, b"fm-hq-session").hex()


def form_token(token: str) -> str:
    """Return what a form of this browser must carry: only our own pages can know it."""
    return _digest(token, b"fm-hq-form")[:16].hex()


def _digest(token: str, person: bytes) -> bytes:
    return blake2b(token.encode("utf-8", "replace"), digest_size=32, person=person).digest()
