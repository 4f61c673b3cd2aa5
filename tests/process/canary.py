"""Planted text that nobody may find, and a search of everything it could have come to.

A name, a telephone number and a note are written as a patient's; the search knows each of them in
the encodings that programs put text into, and looks at files, what they are called, links, open
files that have no name any more, and whatever bytes it is given.
"""

from __future__ import annotations

import asyncio
import base64
import os
import threading
import unicodedata
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

FAMILY, GIVEN = "Zzyxwvanary", "Qübrixomé"
PHONE = "+99 555 0142 867"
NOTE = "limps since Vlarngot fell upon him"
PLANTED = (FAMILY, GIVEN, PHONE, "995550142867", NOTE, "Vlarngot")


def spellings(text: str) -> Iterator[bytes]:
    """Return the bytes that a text may have become; upper and lower case are the search's."""
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "latin-1"):
        raw = text.encode(encoding)
        yield raw
        yield raw[::-1]
        yield from (form.encode() for form in (raw.hex(), urllib.parse.quote(raw)))
        yield from based(raw)
    yield urllib.parse.quote_plus(text).encode()
    yield text.encode("unicode_escape")
    yield "".join(f"\\u{ord(char):04x}" for char in text).encode()
    yield "".join(char if char.isascii() else f"\\u{ord(char):04x}" for char in text).encode()
    yield "".join(f"&#{ord(char)};" for char in text).encode()
    yield repr(text.encode()).encode()[2:-1]


def based(raw: bytes) -> Iterator[bytes]:
    """Return what base64 makes of it, wherever in a longer text it begins."""
    for shift in range(3):
        whole = base64.b64encode(bytes(shift) + raw + b"\0\0")
        # The letters that also carry bits of the neighbours are left out.
        yield whole[(shift * 8 + 5) // 6 : (shift + len(raw)) * 8 // 6]


def _plain(text: str) -> str:
    """Return a text as a search index keeps it: without case and without marks on letters."""
    parts = unicodedata.normalize("NFD", text.casefold())
    return "".join(char for char in parts if not unicodedata.combining(char))


_WRITTEN = {
    form for text in PLANTED for form in (text, text.upper(), text.casefold(), _plain(text))
}

_SOUGHT = sorted(
    {
        form.lower()
        for text in _WRITTEN
        for form in spellings(text)
        if len(form) >= 7
    },
    key=len,
)  # fmt: skip
"""In small letters, as bytes: looked for one by one, which is fifty times faster than a pattern
of all of them that minds no case."""


def found_in(raw: bytes | bytearray) -> str:
    """Return the planted text in these bytes with its neighbours; '' when there is none."""
    small = raw.lower()
    for form in _SOUGHT:
        at = small.find(form)
        if at >= 0:
            return repr(raw[max(at - 40, 0) : at + len(form) + 40])
    return ""


def leaks(*folders: Path, allowed: tuple[Path, ...] = ()) -> list[str]:
    """Return every place below these folders where planted text stands."""
    places = []
    for folder in folders:
        for place in (folder, *sorted(folder.rglob("*"))):
            if any(place.is_relative_to(each) for each in allowed):
                continue
            shown = found_in(os.fsencode(place.name))
            if place.is_symlink():
                shown = shown or found_in(os.fsencode(os.readlink(place)))
            elif place.is_file():
                shown = shown or found_in(place.read_bytes())
            if shown:
                places.append(f"{place}: {shown}")
    return places


def nameless_leaks(pid: int) -> list[str]:
    """Return open files of a process that have no name any more and hold planted text."""
    places = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(link)
            if target.endswith(" (deleted)") and (shown := found_in(link.read_bytes())):
                places.append(f"{target}: {shown}")
        except OSError:
            continue
    return places


class Recorder:
    """A TCP proxy to one address that keeps every byte that passes, both ways."""

    def __init__(self, target: str) -> None:
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.kept = (bytearray(), bytearray())
        """Towards the target, and back."""
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self.address = ""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def leaks(self) -> list[str]:
        """Return where planted text passed."""
        ways = zip(("to", "from"), self.kept, strict=True)
        return [f"{way} {self.address}: {shown}" for way, raw in ways if (shown := found_in(raw))]

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._accept, "127.0.0.1", 0))
        self.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        self._ready.set()
        self._loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            onward, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        await asyncio.gather(
            self._carry(reader, back, self.kept[0]), self._carry(onward, writer, self.kept[1])
        )

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, kept: bytearray
    ) -> None:
        try:
            while chunk := await reader.read(1 << 16):
                kept += chunk
                writer.write(chunk)
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()
