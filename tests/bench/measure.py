"""What a program costs: wall seconds, CPU seconds (user and system), peak resident memory."""

import os
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass

TICKS = os.sysconf("SC_CLK_TCK")
TIME = "/usr/bin/time"


@dataclass
class Cost:
    wall: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    status: int = 0
    output: str = ""
    # Filled in by those who know: bytes over the wire both ways, CPU seconds and peak MB of the other side.
    wire: int = 0
    server_cpu: float = 0.0
    server_peak: float = 0.0


def run(command, accept=(0,), log=None, **options):
    """Runs `command` to its end. CPU seconds include its children's, peak memory is that of the largest of them.

    The peak that the kernel keeps of a process includes that of the one it was forked from, so a small one stands between Python and `command`.
    """
    start = time.monotonic()
    with open(log or os.devnull, "w+b") as output, tempfile.NamedTemporaryFile("r") as peak:
        child = subprocess.Popen([TIME, "-q", "-f", "%M", "-o", peak.name, *command], stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **options)
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read().decode(errors="replace") if log else ""
        kilobytes = int(peak.read())
    if child.returncode not in accept:
        raise RuntimeError(f"exit code {child.returncode}: {' '.join(map(str, command))}\n{text}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, kilobytes / 1024, child.returncode, text)


def started(command):
    """Starts `command`, which ends in a client that says when it runs: wall seconds until then, and CPU seconds until all of it has ended."""
    read, write = os.pipe()
    before = time.time_ns()
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=write, stderr=subprocess.DEVNULL)
    os.close(write)
    with open(read) as output:
        said = int(output.read())
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"exit code {child.returncode}: {' '.join(command)}")
    return Cost((said - before) / 1e9, usage.ru_utime + usage.ru_stime)


def descendants(pid):
    """`pid` and all processes below it."""
    parents = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        if fields := stat(int(name)):
            parents.setdefault(int(fields[1]), []).append(int(name))
    found, pending = [], [pid]
    while pending:
        found.append(pending.pop())
        pending += parents.get(found[-1], [])
    return found


def stat(pid):
    """The fields of /proc/PID/stat from the third on (state, parent, …); None when the process is gone."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def cpu_of(pid):
    """CPU seconds of `pid` and its descendants up to now, those that were reaped included."""
    # utime, stime, cutime, cstime are fields 14 to 17, counted from 1; `stat` begins at field 3.
    return sum(sum(map(int, fields[11:15])) for p in descendants(pid) if (fields := stat(p))) / TICKS


def peak_of(pid):
    """Peak resident MB of the largest process among `pid` and its descendants since `forget_peak`."""
    peaks = [0.0]
    for p in descendants(pid):
        try:
            with open(f"/proc/{p}/status") as file:
                peaks += [int(line.split()[1]) / 1024 for line in file if line.startswith("VmHWM:")]
        except (FileNotFoundError, ProcessLookupError):
            pass
    return max(peaks)


def forget_peak(pid):
    for p in descendants(pid):
        try:
            with open(f"/proc/{p}/clear_refs", "w") as file:
                file.write("5")
        except OSError:
            pass


class Service:
    """A server that is measured while something else runs against it."""

    def __init__(self, command, ready, **options):
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True, **options)
        try:
            self.port = ready(self.child)
        except BaseException:
            self.stop()
            raise

    def stop(self):
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGTERM)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.child.pid, signal.SIGKILL)
                self.child.wait()

    def measured(self, wire, command, **options):
        """Runs `command` against this service, through `wire`."""
        wire.settle()
        wire.reset()
        forget_peak(self.child.pid)
        before = cpu_of(self.child.pid)
        cost = run(command, **options)
        wire.settle()
        cost.wire = wire.up + wire.down
        cost.server_cpu = cpu_of(self.child.pid) - before
        cost.server_peak = peak_of(self.child.pid)
        return cost
