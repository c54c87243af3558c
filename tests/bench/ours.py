"""Publisher, server and station of ours, as one corpus sees them."""

import json
import os
import re
import subprocess
import threading

import measure
from wire import Wire


class Ours:
    """A repository, a server for it, and a station behind a counting proxy."""

    def __init__(self, scratch, programs, system, effort):
        self.scratch, self.programs, self.system, self.effort = scratch, programs, system, effort
        self.repository = os.path.join(scratch, "repository")
        self.client = os.path.join(scratch, "client")
        self.service = self.wire = None
        measure.run([self._program("manifests"), "init", self.repository, "--name", "acme"], log=self._log("init"))

    def _program(self, name):
        return os.path.join(self.programs, name)

    def _log(self, name):
        return os.path.join(self.scratch, f"{name}.log")

    def publish(self, folder, build, *options):
        command = [self._program("manifests"), "publish", folder, "--repo", self.repository, "--product", "client", "--os", self.system]
        command += ["--arch", "x86_64", "--build", build, "--effort", self.effort, "--allow", "no-app-bundle", "--allow", "live-client", *options]
        return measure.run(command, log=self._log("publish"))

    def serve(self):
        config = os.path.join(self.scratch, "server.toml")
        with open(config, "w") as file:
            file.write(f'listen = "127.0.0.1:0"\ninstall_documents = "links"\n\n[[repository]]\nname = "acme"\npath = "{self.repository}"\n')
        command = [self._program("update-server"), "serve", "--config", config]
        self.service = measure.Service(command, self._address, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.wire = Wire(self.service.port)
        command = [self._program("update-server"), "link", "--repository", "acme", "--product", "client", "--channel", "stable", "--arch", "x86_64"]
        command += ["--base-url", f"http://127.0.0.1:{self.wire.port}/", "--config", config]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        self.link = next(word for word in printed.split() if word.startswith("http"))

    @staticmethod
    def _address(child):
        for line in child.stdout:
            if match := re.search(r"(?:listening on http://|listen\.address=)[\d.]+:(\d+)", line):
                # Somebody has to read on, or the server blocks when the pipe is full.
                threading.Thread(target=child.stdout.read, daemon=True).start()
                return int(match[1])
        raise RuntimeError("update-server ended before it listened")

    def updater(self, command, *options, accept=(0,)):
        """One command of the updater, with what it fetched in `wire.requests`."""
        return self.service.measured(self.wire, self.line(command, *options), accept=accept, log=self._log("updater"))

    def line(self, command, *options):
        """The command line of one command of the updater."""
        return [self._program("updater"), command, *options, "--dir", self.client, "--json"]

    def install(self):
        return self.updater("install", self.link, "--os", self.system, "--arch", "x86_64")

    def decision(self, cost):
        return json.loads(next(line for line in cost.output.splitlines() if line.startswith("{")))["decision"]

    def close(self):
        if self.wire:
            self.wire.close()
        if self.service:
            self.service.stop()
