"""Runs a program on a terminal of its own and answers its questions.

    on_a_terminal.py ANSWER… -- PROGRAM ARGUMENT…

A question is a line about a passphrase that ends with ": ", answered when the terminal does not echo any more, or a line that ends with "[y/N] ". All that the terminal showed goes to standard output; the exit status is the program's. A program that asks more
than there are answers, or is silent for a minute, is killed.
"""

import os
import pty
import re
import select
import signal
import sys
import termios
import time

split = sys.argv.index("--")
answers, command = sys.argv[1:split], sys.argv[split + 1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(command[0], command)

QUESTION = re.compile(rb"(?:(?P<secret>passphrase|again)[^\n]*: |\[y/N\] )$")
shown, asked_at = b"", 0
while True:
    ready, _, _ = select.select([terminal], [], [], 60)
    try:
        piece = os.read(terminal, 4096) if ready else b""
    except OSError:  # Linux reports the end of a terminal as an error.
        piece = b""
    if not piece:
        break
    shown += piece
    question = QUESTION.search(shown, asked_at)
    if question:
        if not answers:
            break
        deadline = time.monotonic() + 60
        while question["secret"] and termios.tcgetattr(terminal)[3] & termios.ECHO and time.monotonic() < deadline:
            os.sched_yield()
        asked_at = len(shown)
        os.write(terminal, answers.pop(0).encode() + b"\n")

sys.stdout.buffer.write(shown)
sys.stdout.flush()
if not ready or QUESTION.search(shown, asked_at):
    os.kill(child, signal.SIGKILL)
_, status = os.waitpid(child, 0)
sys.exit(os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 99)
