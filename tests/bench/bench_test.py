"""The instruments of the benchmark, tried on things whose measure is known."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import measure  # noqa: E402
import oracle  # noqa: E402
from peers import Nginx, Rsync  # noqa: E402
from table import Table  # noqa: E402
from wire import Wire  # noqa: E402


class Oracle(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = self.folder.name
        for path, text in {"a/x": "abc", ".updater/journal": "state", "bkp_remote.001/x": "old"}.items():
            os.makedirs(os.path.join(self.root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(self.root, path), "w") as file:
                file.write(text)
        os.symlink("x", os.path.join(self.root, "a/link"))
        os.utime(os.path.join(self.root, "a/x"), ns=(0, -1))

    def test_a_tree_holds_what_is_there_and_no_state(self):
        found = oracle.as_released(oracle.tree(self.root))
        digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        self.assertEqual(found, {"a": ("directory", 0o755), "a/x": ("file", 3, -1, 0o644, digest), "a/link": ("link", "x")})
        self.assertIn(".updater/journal", oracle.tree(self.root, state=True))

    def test_every_kind_of_difference_is_named(self):
        before = oracle.tree(self.root)
        os.unlink(os.path.join(self.root, "a/link"))
        os.utime(os.path.join(self.root, "a/x"), (5, 5))
        open(os.path.join(self.root, "new"), "w").close()
        self.assertEqual([line[0] for line in oracle.difference(oracle.tree(self.root), before)], ["-", "~", "+"])


class Instruments(unittest.TestCase):
    def test_a_wire_counts_both_ways_and_keeps_requests(self):
        server = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)

        def answer():
            connection, _ = server.accept()
            with connection:
                while connection.recv(100):
                    connection.sendall(b"x" * 1000)

        threading.Thread(target=answer, daemon=True).start()
        wire = Wire(server.getsockname()[1])
        self.addCleanup(wire.close)
        request = b"GET /a HTTP/1.1\r\nhost: x\r\nRange: bytes=1-2\r\n\r\n"
        with socket.create_connection(("127.0.0.1", wire.port)) as client:
            client.sendall(request)
            got = 0
            while got < 1000:
                got += len(client.recv(4096))
        wire.settle()
        self.assertEqual((wire.up, wire.down, wire.requests), (len(request), 1000, [("/a", "bytes=1-2")]))

    def test_cpu_and_memory_of_a_program_are_seen(self):
        script = "b = bytearray(80 << 20)\nfor i in range(0, len(b), 4096): b[i] = 1\nn = 0\nfor i in range(3_000_000): n += i"
        cost = measure.run([sys.executable, "-c", script])
        self.assertGreater(cost.cpu, 0.05)
        self.assertGreater(cost.peak, 80)
        self.assertLess(measure.run(["true"]).peak, 8, "nothing of this process is counted")
        self.assertGreaterEqual(cost.wall, cost.cpu * 0.5)

    def test_cpu_of_reaped_children_is_seen(self):
        child = subprocess.Popen(["sh", "-c", "python3 -c 'for i in range(3_000_000): pass'; echo done; read x"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        child.stdout.readline()
        seen = measure.cpu_of(child.pid)
        child.communicate(b"\n")
        self.assertGreater(seen, 0.02)

    def test_a_start_lasts_until_the_program_says_that_it_runs(self):
        started = time.monotonic()
        cost = measure.started(["sh", "-c", "sleep 0.2; date +%s%N; sleep 1"])
        # What comes after does not count, however busy the machine is.
        self.assertGreaterEqual(cost.wall, 0.2)
        self.assertLessEqual(cost.wall, time.monotonic() - started - 1)
        with self.assertRaises(RuntimeError):
            measure.started(["sh", "-c", "date +%s%N; exit 3"])

    def test_a_failed_program_is_an_error_with_its_output(self):
        with tempfile.NamedTemporaryFile() as log, self.assertRaisesRegex(RuntimeError, "exit code 3(.|\n)*why"):
            measure.run(["sh", "-c", "echo why; exit 3"], log=log.name)

    def test_ratios_are_ours_by_theirs(self):
        table = Table("title")
        table.ours_row("update", 3, measure.Cost(1, 2, 3, wire=50))
        table.peer_row("rsync", 3, measure.Cost(2, 2, 3, wire=100))
        self.assertTrue(table.text().splitlines()[-1].endswith("|    0.50 |  1.00 |   0.50 |"), table.text())


class Peers(unittest.TestCase):
    def test_rsync_and_nginx_move_the_same_bytes_through_a_counted_wire(self):
        with tempfile.TemporaryDirectory() as folder:
            source = os.path.join(folder, "corpus", "old")
            os.makedirs(source)
            content = os.urandom(300_000)
            with open(os.path.join(source, "x"), "wb") as file:
                file.write(content)
            rsync = Rsync(folder, os.path.dirname(source))
            self.addCleanup(rsync.close)
            cost = rsync.copy("old")
            self.assertEqual(oracle.tree(rsync.target), oracle.tree(source))
            self.assertTrue(300_000 < cost.wire < 310_000, cost)
            nginx = Nginx(folder, source)
            self.addCleanup(nginx.close)
            cost = nginx.download([("/repo/acme/x", None), ("/repo/acme/x", "bytes=10-19"), ("/repo/acme/missing", None)])
            with open(os.path.join(folder, "curl", "1"), "rb") as file:
                self.assertEqual(file.read(), content[10:20])
            self.assertTrue(300_010 < cost.wire < 303_000, cost)


if __name__ == "__main__":
    unittest.main()
