"""Verdicts on repositories that exist only in a question.

A case is a trusted root and a row of steps. In each step the client, with what it stored in the steps before, refreshes from the step's files at the step's time and
downloads one target. The verdict is the SHA-256 of what it got, or why it refused.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator

from clients import refusal, stop_clock
from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater

BASE = "memory://"
# Where thousands of folders come and go, and no disk has to keep them.
PLACE = "/dev/shm" if os.path.isdir("/dev/shm") else None


class Memory(FetcherInterface):
    """Serves files by exact name."""

    def __init__(self, files: dict[str, str]):
        self._files = files

    def _fetch(self, url: str) -> Iterator[bytes]:
        content = self._files.get(url.removeprefix(BASE))
        if content is None:
            raise DownloadHTTPError(f"no {url}", 404)
        return iter([bytes.fromhex(content)])


def answer(root: str, target: str, steps: list[dict]) -> list[dict]:
    with tempfile.TemporaryDirectory(prefix="oracle.", dir=PLACE) as folder:
        return [verdict(folder, bytes.fromhex(root), target, **step) for step in steps]


def verdict(folder: str, root: bytes, target: str, now: str, files: dict[str, str]) -> dict:
    try:
        updater = Updater(folder, f"{BASE}metadata/", folder, f"{BASE}targets/", Memory(files), bootstrap=root)
        stop_clock(updater, now)
        updater.refresh()
        info = updater.get_targetinfo(target)
        if info is None:
            return {"refused": "no role lists the target"}
        with open(updater.download_target(info, os.path.join(folder, "downloaded")), "rb") as file:
            return {"accepted": hashlib.file_digest(file, "sha256").hexdigest()}
    except Exception as error:
        return {"refused": refusal(error)}
