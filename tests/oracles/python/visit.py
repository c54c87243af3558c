"""python-tuf's client against a real server, as its users run it."""

import hashlib
import tempfile
from pathlib import Path

from clients import refusal, stop_clock
from tuf.ngclient import Updater


def answer(base: str, root: str, targets: list[str], now: str | None = None, store: str | None = None) -> dict:
    """Refreshes from `base` and downloads `targets`; trusted metadata goes to the folder `store`, or nowhere that outlives this."""
    with tempfile.TemporaryDirectory(prefix="oracle.") as scratch:
        metadata = Path(store or f"{scratch}/metadata")
        downloads = Path(scratch, "downloads")
        metadata.mkdir(parents=True, exist_ok=True)
        downloads.mkdir()
        try:
            updater = Updater(str(metadata), f"{base}metadata/", str(downloads), f"{base}targets/", bootstrap=bytes.fromhex(root))
            if now is not None:
                stop_clock(updater, now)
            updater.refresh()
            got = {path: download(updater, path) for path in targets}
        except Exception as error:
            return {"refused": refusal(error)}
        return {"root": updater._trusted_set.root.version, "got": got}


def download(updater: Updater, path: str) -> str | None:
    """The SHA-256 of the target `path`; None when no role lists it."""
    info = updater.get_targetinfo(path)
    if info is None:
        return None
    return hashlib.sha256(Path(updater.download_target(info)).read_bytes()).hexdigest()
