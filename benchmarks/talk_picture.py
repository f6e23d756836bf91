"""Draw docs/talk.png: a call in the page /talk/AGENT, on a desk in the light and on a telephone in the dark.

    python -m benchmarks.talk_picture

The agent of the dental template answers with what ships with the package; Chromium has a synthetic voice at its
microphone. Needs Chromium, and the extras `server` and `webrtc`.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import tempfile
from pathlib import Path

import typer

from tests.doubles.chromium import Page
from tests.doubles.phone_server import served
from tests.doubles.talk_page import talking

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "talk.png"
SAID = ("I'd like to book a cleaning, please", "on Thursday")
_DESK, _PHONE = (1280, 800), (390, 844)
_SHEET = """
document.body.outerHTML = `<body style="margin:0;background:#d9dbe3;position:relative;height:900px">
<img src="data:image/png;base64,DESK" style="position:absolute;left:40px;top:40px;width:1230px;border-radius:14px;
box-shadow:0 18px 60px #0004"><img src="data:image/png;base64,PHONE" style="position:absolute;right:40px;top:90px;
width:330px;border-radius:34px;border:8px solid #0a0c0f;box-shadow:0 18px 60px #0007"></body>`;
Promise.all([...document.images].map((image) => image.decode())).then(() => true)
"""


def main(out: Path = PICTURE) -> None:
    """Make a call and take the picture."""
    with tempfile.TemporaryDirectory(prefix="voicebot-picture-") as folder:
        project = Path(folder) / "dental"
        shutil.copytree(ROOT / "voicebot" / "templates" / "dental", project)
        asyncio.run(_drawn(project, out))
    typer.echo(f"{out} written")


async def _drawn(project: Path, out: Path) -> None:
    async with served(project, parts=lambda agent: {}) as server:
        await _draw(f"http://{server.address}/talk/ava", project, out)


async def _draw(url: str, folder: Path, out: Path) -> None:
    async with talking(url, folder) as call:
        for turn, said in enumerate(SAID, 1):
            await call.answered(turn)
            await call.say(said)
        await call.page.until(f"document.querySelectorAll('.agent.line').length > {len(SAID)}")
        await call.page.until("document.body.dataset.state === 'speaking'")
        await call.page.run("document.getElementById('settings').open = true")
        desk = await _shot(call.page, folder, *_DESK)
        await call.page.run("document.getElementById('settings').open = false")
        phone = await _shot(call.page, folder, *_PHONE, dark=True)
        await call.page.click("#end")
        await call.page.until("document.body.dataset.state === 'ended'")
        await call.page.go("about:blank")
        await call.page.look(1640, 880)
        await call.page.run(_SHEET.replace("DESK", desk).replace("PHONE", phone))
        await call.page.picture(out)


async def _shot(page: Page, folder: Path, width: int, height: int, *, dark: bool = False) -> str:
    """As base64."""
    await page.look(width, height, dark=dark, phone=dark)
    await asyncio.sleep(0.3)  # the transcript follows
    await page.picture(folder / "shot.png")
    return base64.b64encode(await asyncio.to_thread((folder / "shot.png").read_bytes)).decode()


if __name__ == "__main__":
    typer.run(main)
