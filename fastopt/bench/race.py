"""Timing of several ways to do the same thing, in turn and in one run: a machine that drifts slows all of them alike."""

import time
from statistics import median


class Race:
    """Contestants by name: `prepare()` is called, untimed, before each timed batch; then `work()`, `inner` times.

    seconds: what a timed batch is to last. pause: seconds of sleep before each, in which the threads of the one before fall asleep;
    those of a BLAS spin for more than a hundred milliseconds, and meanwhile take a core from whoever comes next.
    """

    def __init__(self, contestants, seconds=0.01, pause=0.003):
        self.contestants = {
            name: entry if isinstance(entry, tuple) else (lambda: None, entry) for name, entry in contestants.items()
        }
        self.pause = pause
        self.inner = {name: self._inner(name, seconds) for name in self.contestants}
        self.times = {name: [] for name in self.contestants}

    def _inner(self, name, seconds):
        """How many calls fill `seconds`, at least one."""
        prepare, work = self.contestants[name]
        prepare()
        time.sleep(self.pause)
        work()  # the first call makes states and starts threads
        calls, took = 1, 0.0
        while took < seconds / 4:
            begin = time.perf_counter()
            for _ in range(calls):
                work()
            took = time.perf_counter() - begin
            if took < seconds / 4:
                calls *= 2
        return max(1, round(calls * seconds / took))

    def batch(self, name):
        """Times one batch of a contestant; seconds per call."""
        prepare, work = self.contestants[name]
        prepare()
        time.sleep(self.pause)
        for _ in range(self.inner[name] if self.pause > 0.1 else 1):  # after so long a sleep cores and threads wake in milliseconds
            work()
        begin = time.perf_counter()
        for _ in range(self.inner[name]):
            work()
        self.times[name].append((time.perf_counter() - begin) / self.inner[name])
        return self.times[name][-1]

    def run(self, rounds):
        """Medians, in seconds per call."""
        for _ in range(rounds):
            for name in self.contestants:
                self.batch(name)
        return self.medians()

    def medians(self):
        return {name: median(times) for name, times in self.times.items() if times}
