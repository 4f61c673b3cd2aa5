"""A form that keeps no draft: it is about what stands on the screen it was opened from."""

from __future__ import annotations

from abc import ABC
from typing import TYPE_CHECKING

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.screens.form_page import FormPage

if TYPE_CHECKING:
    from fieldnode.client import Node


class UndraftedForm(FormPage, ABC):
    """What is typed here is typed again after a restart: a lot, a count, a reason."""

    def _put_draft(self) -> Ask:
        return Ask(_nothing, _no_acts, holds=False)


async def _nothing(_node: Node) -> None:
    return None


def _no_acts(_result: object) -> list[Act]:
    return []
