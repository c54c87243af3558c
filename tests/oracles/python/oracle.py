"""python-tuf as a judge of the updater: a process that answers questions, one JSON object a line.

A question is `{"do": NAME, …}`; the answer is `{"ok": …}`, or `{"failed": TEXT}` when the question itself could not be dealt with, which is never a verdict.
`src/python.rs` asks, the modules beside this one answer. The process ends when its input does.
"""

import json
import sys
import traceback

import canonical
import compose
import judge
import serve
import visit

ANSWERS = {
    "canonical": canonical.answer,
    "compose": compose.answer,
    "judge": judge.answer,
    "serve": serve.answer,
    "visit": visit.answer,
}


def main() -> None:
    for line in sys.stdin:
        question = json.loads(line)
        try:
            answer = {"ok": ANSWERS[question.pop("do")](**question)}
        except Exception:
            answer = {"failed": traceback.format_exc()}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
