"""A small DevTools client: one headless Chromium, driven over its own WebSocket."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--remote-debugging-port=0",
)
WAIT_S = 20.0


def chromium() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Tab:
    """One page of the browser."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.complaints: list[str] = []
        """Console errors, CSP reports, uncaught exceptions and dialogs."""
        self._loaded = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        return await asyncio.wait_for(self._answers[number], WAIT_S)

    async def prepare(self) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def open(self, url: str) -> None:
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), WAIT_S)

    async def follow(self, expression: str) -> None:
        """Do what leads to another page, and wait for that page; scripts may be off."""
        self._loaded.clear()
        await self.ask(expression)
        await asyncio.wait_for(self._loaded.wait(), WAIT_S)

    async def scripts(self, on: bool) -> None:
        """Let pages run scripts, or not."""
        await self.call("Emulation.setScriptExecutionDisabled", value=not on)

    async def forget(self) -> None:
        """Be like a new browser."""
        await self.open("about:blank")
        await self.call("Network.clearBrowserCookies")
        await self.size(1280)
        await self.media()
        self.complaints.clear()

    async def cookie(self, url: str, name: str, value: str) -> None:
        await self.call("Network.setCookie", url=url, name=name, value=value, httpOnly=True)

    async def size(self, width: int, height: int = 900) -> None:
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )

    async def media(self, *, scheme: str = "light", kind: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        await self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    async def ask(self, expression: str) -> Any:
        """Return what an expression (or a promise) comes to."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression is true, on this page or on the one it leads to."""
        look = (
            "new Promise((done, fail) => { const began = Date.now(); const look = () => {"
            f"if ({expression}) done(true);"
            f"else if (Date.now() - began > {int(WAIT_S * 900)}) fail(new Error('never'));"
            "else setTimeout(look, 20); }; look(); })"
        )
        for _ in range(3):
            self._loaded.clear()
            try:
                await self.ask(look)
                return
            except AssertionError as gone:
                if "navigated" not in str(gone) and "context" not in str(gone):
                    raise
                await asyncio.wait_for(self._loaded.wait(), WAIT_S)

    async def press(self, key: str, code: int) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code
            )

    async def type(self, text: str) -> None:
        await self.call("Input.insertText", text=text)

    async def picture(self, **more: Any) -> bytes:
        """Return a PNG of the whole page, or of its `clip`."""
        shot = await self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, **more
        )
        return base64.b64decode(shot["data"])

    async def pdf(self) -> bytes:
        return base64.b64decode((await self.call("Page.printToPDF"))["data"])

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _listen(self) -> None:
        async for message in self._socket:
            self._take(message.json())

    def _take(self, told: dict[str, Any]) -> None:
        if "id" in told:
            answer = self._answers.pop(told["id"])
            if answer.cancelled():
                return
            if "error" in told:
                answer.set_exception(AssertionError(told["error"]))
            else:
                answer.set_result(told["result"])
            return
        method, params = told["method"], told["params"]
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Page.javascriptDialogOpening":
            self.complaints.append(f"dialog: {params['message']}")
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(str(params["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning"):
            self.complaints.append(str(params["args"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.complaints.append(params["entry"]["text"])


@asynccontextmanager
async def browser(program: str, folder: Path) -> AsyncIterator[Tab]:
    """Start a browser with an empty profile and yield its one tab."""
    process = await asyncio.create_subprocess_exec(
        program,
        *FLAGS,
        f"--user-data-dir={folder}",
        "about:blank",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        port = await asyncio.wait_for(_port(process), WAIT_S)
        async with aiohttp.ClientSession() as http:
            async with http.get(f"http://127.0.0.1:{port}/json/list") as answer:
                pages = [page for page in await answer.json() if page["type"] == "page"]
            async with http.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                tab = Tab(socket)
                await tab.prepare()
                yield tab
                await tab.close()
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _port(process: asyncio.subprocess.Process) -> str:
    assert process.stderr
    async for line in process.stderr:
        if b"DevTools listening on" in line:
            return line.decode().split("//")[1].split("/")[0].rpartition(":")[2]
    raise AssertionError("Chromium ended before it listened")
