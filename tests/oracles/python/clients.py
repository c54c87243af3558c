"""python-tuf's client with a clock that stands still."""

import datetime

from tuf.api.exceptions import DownloadError, RepositoryError
from tuf.ngclient import Updater

# What python-tuf says it raises when it refuses. Anything else that it raises is a refusal, too, but not one that its authors meant.
REFUSALS = (RepositoryError, DownloadError)


def instant(text: str) -> datetime.datetime:
    """`YYYY-MM-DDTHH:MM:SSZ`."""
    return datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)


def stop_clock(updater: Updater, now: str) -> None:
    """Lets `updater` judge every expiry by `now`. python-tuf takes its time once, when it is made, and offers no way to give it one."""
    trusted = updater._trusted_set
    if not isinstance(trusted.reference_time, datetime.datetime):
        raise AssertionError("this python-tuf keeps its time elsewhere")
    trusted.reference_time = instant(now)


def refusal(error: Exception) -> str:
    """One line that names a refusal and what led to it."""
    parts = []
    cause: BaseException | None = error
    while cause is not None:
        parts.append(f"{type(cause).__name__}: {cause}")
        cause = cause.__cause__
    text = " <- ".join(parts).replace("\n", " ")[:400]
    return text if isinstance(error, REFUSALS) else f"unforeseen {text}"
