"""Tables as CSV: for a spreadsheet that must not take somebody's words for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from aiohttp import hdrs, web

from hq.desk import DESK
from hq.security import VISIT
from protocols.records.display import clean_text
from protocols.trust.audit import ACCOUNT_CHARS_MAX, What

Cell = str | int | float | None

_FORMULA = ("=", "+", "-", "@")


async def csv_answer(
    request: web.Request, name: str, heads: Sequence[str], rows: Iterable[Sequence[Cell]]
) -> web.Response:
    """Answer with a table and write into the trail that it was taken.

    Args:
        request: The page's.
        name: Of the file, without its ending; letters only.
        heads: Names of the columns, the same in every language.
        rows: Their cells; times as `iso` gives them.
    """
    desk, session = request.app[DESK], request[VISIT].session
    lines = list(rows)
    account = session.name[:ACCOUNT_CHARS_MAX] if session else ""
    await desk.witness.note(What.EXPORT, account=account, reason=f"{name}.csv", count=len(lines))
    return web.Response(
        text=csv_text(heads, lines),
        content_type="text/csv",
        charset="utf-8",
        headers={hdrs.CONTENT_DISPOSITION: f'attachment; filename="{name}.csv"'},
    )


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table as RFC 4180 has it."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\r\n")
    write.writerow(heads)
    write.writerows([_cell(each) for each in row] for row in rows)
    return out.getvalue()


def _cell(value: Cell) -> Cell:
    if not isinstance(value, str):
        return "" if value is None else value
    text = clean_text(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
