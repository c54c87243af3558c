"""What ours is measured beside: an rsync daemon, and nginx with a plain download of the same bytes."""

import os
import socket
import time

import measure
from wire import Wire


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def listening(port):
    """Waits until something listens on `port`."""

    def ready(child):
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and child.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                return port
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"nothing listens on port {port}: {child.args}")

    return ready


class Rsync:
    """A loopback rsync daemon that serves the folders of one corpus."""

    def __init__(self, scratch, corpus):
        port = free_port()
        config = os.path.join(scratch, "rsyncd.conf")
        with open(config, "w") as file:
            file.write(f"address = 127.0.0.1\nuse chroot = no\nlog file = {scratch}/rsyncd.log\n")
            if os.geteuid() == 0:
                file.write("uid = 0\ngid = 0\n")
            file.write(f"[corpus]\npath = {corpus}\nread only = yes\n")
        command = ["rsync", "--daemon", "--no-detach", f"--port={port}", f"--config={config}"]
        self.service = measure.Service(command, listening(port))
        self.wire = Wire(port)
        self.target = os.path.join(scratch, "rsync-client")

    def copy(self, side, *options):
        """`rsync -a` of one side of the corpus into the target."""
        source = f"rsync://127.0.0.1:{self.wire.port}/corpus/{side}/"
        return self.service.measured(self.wire, ["rsync", "-a", *options, source, self.target + "/"], log=os.path.join(os.path.dirname(self.target), "rsync.log"))

    def close(self):
        self.wire.close()
        self.service.stop()


class Nginx:
    """nginx that serves a repository, and curl that fetches from it what an updater has fetched."""

    def __init__(self, scratch, repository):
        port = free_port()
        prefix = os.path.join(scratch, "nginx")
        os.makedirs(prefix)
        config = os.path.join(prefix, "nginx.conf")
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "".join(f"{kind}_temp_path {prefix}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        with open(config, "w") as file:
            file.write(
                f"{user} daemon off; worker_processes 1; pid {prefix}/pid; error_log {prefix}/error.log;\n"
                f"events {{ worker_connections 256; }}\n"
                f"http {{ {temporary} access_log off; sendfile on; keepalive_timeout 60;\n"
                f"  server {{ listen 127.0.0.1:{port}; location /repo/acme/ {{ alias {repository}/; }} }} }}\n"
            )
        command = ["nginx", "-p", prefix, "-c", config, "-e", f"{prefix}/error.log"]
        environment = {**os.environ, "PATH": os.environ["PATH"] + ":/usr/sbin"}
        self.service = measure.Service(command, listening(port), env=environment)
        self.wire = Wire(port)
        self.scratch = scratch

    def download(self, requests):
        """Fetches these (path, range) pairs one after another over one connection and writes them to disk."""
        folder = os.path.join(self.scratch, "curl")
        os.makedirs(folder, exist_ok=True)
        blocks = []
        for number, (path, wanted) in enumerate(requests):
            lines = [f'url = "http://127.0.0.1:{self.wire.port}{path}"', f'output = "{folder}/{number}"', "silent", "fail", "path-as-is"]
            if wanted:
                lines.append(f'range = "{wanted.removeprefix("bytes=")}"')
            blocks.append("\n".join(lines))
        config = os.path.join(self.scratch, "curl.conf")
        with open(config, "w") as file:
            file.write("\nnext\n".join(blocks) + "\n")
        # 22: the next root version is asked for, and is not there.
        return self.service.measured(self.wire, ["curl", "-K", config], accept=(0, 22), log=os.path.join(self.scratch, "curl.log"))

    def close(self):
        self.wire.close()
        self.service.stop()
