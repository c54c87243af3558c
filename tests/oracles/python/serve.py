"""A folder over HTTP on loopback, for clients that read what python-tuf wrote."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer


class Verbatim(SimpleHTTPRequestHandler):
    """Serves the file whose name is the path as it was asked for: role names are percent-encoded on disk as they are in URLs."""

    def translate_path(self, path: str) -> str:
        return f"{self.directory}{path}"

    def log_message(self, *_: object) -> None:
        """Standard error belongs to what goes wrong."""


def answer(folder: str) -> int:
    """The port at which `folder` is served until this process ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Verbatim, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port
