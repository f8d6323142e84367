"""A client that asks again and again, and notes how long the longest answer took."""

import threading
import time


class Talk(threading.Thread):
    """`exchange(number)` asks and reads the answer; it raises ValueError if that is a wrong one."""

    def __init__(self, exchange):
        super().__init__(daemon=True)
        self._exchange, self._stop_asked = exchange, threading.Event()
        self.rounds, self.longest_ms, self.error = 0, 0.0, None
        self.start()

    def run(self):
        try:
            while not self._stop_asked.is_set():
                since = time.monotonic()
                self._exchange(self.rounds)
                self.longest_ms = max(self.longest_ms, (time.monotonic() - since) * 1000)
                self.rounds += 1
        except Exception as error:  # whatever it is, it is the server's answer
            self.error = f"{type(error).__name__}: {error}"

    def finish(self):
        """What went wrong, or ""."""
        self._stop_asked.set()
        self.join()
        return self.error or ""

    @property
    def summary(self):
        return self.error or f"{self.rounds} answers, the longest after {self.longest_ms:.1f} ms"
