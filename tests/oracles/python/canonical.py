"""The canonical JSON of securesystemslib: what python-tuf signs."""

import json

from securesystemslib.formats import encode_canonical


def answer(documents: list[str]) -> list[str]:
    """For each JSON text the hex of its canonical form."""
    return [encode_canonical(json.loads(document)).encode("utf-8").hex() for document in documents]
