"""A TCP proxy on loopback that counts what goes through it, for every program that is measured in the same way.

For HTTP it also keeps which paths and ranges were asked for, so that the same bytes can be fetched again by something else.
"""

import socket
import threading

CHUNK = 1 << 18


class Wire:
    """A counting proxy before one TCP server; `up` and `down` are the bytes since the last `reset`."""

    def __init__(self, port):
        self.server_port = port
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.quiet = threading.Condition(self.lock)
        self.pumping = 0
        self.reset()
        threading.Thread(target=self._accept, daemon=True).start()

    def reset(self):
        """Forgets all counts."""
        with self.lock:
            self.up = self.down = self.connections = 0
            self.requests = []

    def settle(self):
        """Waits until no connection is open, so that nothing is still to be counted."""
        with self.quiet:
            if not self.quiet.wait_for(lambda: self.pumping == 0, timeout=60):
                raise TimeoutError("a connection stayed open for a minute")

    def close(self):
        self.listener.close()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.server_port))
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connections += 1
                self.pumping += 2
            threading.Thread(target=self._pump, args=(client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(server, client, False), daemon=True).start()

    def _pump(self, source, sink, up):
        buffer = memoryview(bytearray(CHUNK))
        head = b""
        try:
            while n := source.recv_into(buffer):
                with self.lock:
                    if up:
                        self.up += n
                        head = self._note(head + buffer[:n].tobytes())
                    else:
                        self.down += n
                sink.sendall(buffer[:n])
        except OSError:
            pass
        finally:
            for end, how in ((sink, socket.SHUT_WR), (source, socket.SHUT_RD)):
                try:
                    end.shutdown(how)
                except OSError:
                    pass
            with self.quiet:
                self.pumping -= 1
                self.quiet.notify_all()

    def _note(self, text):
        """Keeps the complete request heads in `text` and returns the rest, cut so that another protocol's stream does not pile up."""
        while b"\r\n\r\n" in text:
            head, text = text.split(b"\r\n\r\n", 1)
            lines = head.decode("latin-1").split("\r\n")
            words = lines[0].split(" ")
            if len(words) == 3 and words[0] == "GET":
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
                self.requests.append((words[1], headers.get("range")))
        return text[-65536:]
