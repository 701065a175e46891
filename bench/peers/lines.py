"""The line protocol between a driver and the programs that it times in turn.

A served program warms up, prints one line of JSON that says what it is, and then answers each line of its standard input
by running one timed round and printing one line of JSON with the field "ms". It ends when its input does.
"""

import json
import subprocess
import sys
import time


class Served:
    """A program that answers the protocol. `about` is its first line."""

    def __init__(self, command, env=None):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.about = self._read()

    def round(self, line=""):
        """Runs one timed round and returns the answer, a dict with "ms"."""
        # The other side's idle workers may spin for some milliseconds after their last parallel region.
        time.sleep(0.03)
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self._read()

    def peak_mb(self):
        """Peak resident memory so far in MB, as the system counts it; 0 where it does not tell (it does on Linux)."""
        try:
            with open(f"/proc/{self.process.pid}/status") as status:
                return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM"))
        except OSError:
            return 0.0

    def close(self):
        self.process.stdin.close()
        self.process.wait()

    def _read(self):
        text = self.process.stdout.readline()
        if not text:
            raise RuntimeError(f"{' '.join(self.command)}: ended with status {self.process.wait()}")
        return json.loads(text)


def answer(about, run):
    """Serves run(line) -> dict on standard input and output."""
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        print(json.dumps(run(line.strip())), flush=True)


def median(values):
    s = sorted(values)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2


def spread(values):
    """Median, minimum and maximum as one text."""
    return f"{median(values):.4g} ({min(values):.4g}–{max(values):.4g})"
