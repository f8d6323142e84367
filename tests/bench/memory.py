"""Memory of a server's processes: what they hold, and the most that they, their twins, the rehearsals and mcr held
together while an update was under way."""

import threading

from harness import proc

SAMPLE_SECONDS = 0.005


def total_kib(pids, field):
    """Processes come and go: those that are gone hold nothing."""
    total = 0
    for pid in pids:
        try:
            total += proc.rollup_kib(pid, field)
        except (OSError, TypeError):
            continue
    return total


def held(pids):
    return {"rss_kib": total_kib(pids, "Rss"), "pss_kib": total_kib(pids, "Pss")}


class Peak:
    """Adds up the proportional memory of all that runs from these directories, again and again until it is closed."""

    def __init__(self, *directories):
        self._directories = directories
        self._done = threading.Event()
        self.pss_kib = 0
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def _watch(self):
        while not self._done.wait(SAMPLE_SECONDS):
            pids = {pid for directory in self._directories for pid in proc.running_from(directory)}
            self.pss_kib = max(self.pss_kib, total_kib(pids, "Pss"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._done.set()
        self._thread.join()
