"""What every page handler has at hand, and how a template becomes an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from functools import cache
from hashlib import sha256
from importlib.resources import files

import jinja2
from aiohttp import web
from markupsafe import Markup

from hq import shown
from hq.accounts import Accounts
from hq.guides import guided, judged
from hq.hints import Hints
from hq.picture import Pictures
from hq.queries import UNASSIGNED_MAX, Book
from hq.registry import Registry
from hq.security import VISIT
from hq.shown import Clock, iso_day
from hq.strip import strip
from hq.witness import Witness
from hq.words import LANGUAGES, Words, preferred, words
from protocols.live.phrases import phrases
from protocols.records.display import clean_text

STATIC_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
"""What we serve as files, by the end of the name."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file that goes to the browser as it is."""

    content: bytes
    content_type: str
    mark: str
    """Start of its SHA-256, part of its address: a changed file has another one."""


@dataclass(frozen=True, slots=True)
class Desk:
    """The parts a handler works with."""

    book: Book
    accounts: Accounts
    hints: Hints
    pictures: Pictures
    now: Callable[[], int]
    zone: tzinfo
    title: str
    """The operation's name, shown on top; may be empty."""
    templates: jinja2.Environment
    witness: Witness
    """What is kept of who did what."""
    registry: Registry
    """Who belongs, and who may do what no more."""

    def page(
        self, request: web.Request, template: str, *, status: int = 200, **values: object
    ) -> web.Response:
        """Answer with a template, in the reader's language."""
        speak = self.speak(request)
        clock = Clock(self.now(), self.zone, speak)
        text = self.templates.get_template(template).render(
            w=speak,
            clock=clock,
            visit=request[VISIT],
            route=request.match_info.route.name,
            title=self.title,
            closed=request.get(CLOSED, False),
            mark=self.hints.mark,
            age_words=json.dumps(dict(shown.age_words(speak)), ensure_ascii=True),
            **values,
        )
        return web.Response(text=text, status=status, content_type="text/html")

    def speak(self, request: web.Request) -> Words:
        """Return the words of the reader's language."""
        accepted = request.headers.get("Accept-Language", "")
        return words(preferred(request.cookies.get("lang"), accepted))


DESK: web.AppKey[Desk] = web.AppKey("desk", Desk)
CLOSED: web.RequestKey[bool] = web.RequestKey("closed", bool)
"""Whether this HQ is sealed and shows no records; see `hq.closed`."""


def environment() -> jinja2.Environment:
    """Return the templates; whatever they print is cleaned, then escaped."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("hq", "pages"),
        autoescape=True,
        finalize=_clean,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(
        asset=asset_url,
        integrity={name: part["integrity"] for name, part in vendored().items()},
        languages=LANGUAGES,
        strip=strip,
        most=UNASSIGNED_MAX,
        triage_key=shown.triage_key,
        age_text=shown.age_text,
        judged=judged,
        guided=guided,
        refusal=_refusal,
        day=iso_day,
        hex=lambda raw: bytes(raw).hex(),
    )
    return made


@cache
def assets() -> dict[str, Asset]:
    """Return every file under `static`, by name."""
    found = {}
    root = files("hq").joinpath("static")
    for folder in (root, root.joinpath("vendor")):
        for item in folder.iterdir():
            kind = STATIC_TYPES.get("." + item.name.rpartition(".")[2])
            if item.is_file() and kind:
                content = item.read_bytes()
                found[item.name] = Asset(content, kind, sha256(content).hexdigest()[:12])
    return found


@cache
def vendored() -> dict[str, dict[str, str]]:
    """Return the manifest of files made by others."""
    text = files("hq").joinpath("static", "vendor", "manifest.json").read_text("utf-8")
    manifest: dict[str, dict[str, str]] = json.loads(text)
    return manifest


def asset_url(name: str) -> Markup:
    """Return the address of one of our files."""
    name = vendored()[name]["file"] if name in vendored() else name
    return Markup("/static/{}?v={}").format(name, assets()[name].mark)


def _refusal(language: str, code: str) -> str:
    """Say why a link was refused, as commands say it."""
    return phrases(language)["error"].get(code, code)


def _clean(value: object) -> object:
    if value is None:
        return ""
    return clean_text(value) if isinstance(value, str) and not isinstance(value, Markup) else value
