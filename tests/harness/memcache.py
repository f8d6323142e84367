"""memcached's text protocol, as much of it as the tests speak."""

import socket

TIMEOUT = 30  # seconds


class Connection:
    def __init__(self, port, timeout=TIMEOUT):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._replies = self._socket.makefile("rb")

    def send(self, text):
        self._socket.sendall(text)

    def line(self):
        line = self._replies.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        return line[:-2]

    def call(self, text):
        """Sends one command and returns the one line that answers it."""
        self.send(text)
        return self.line()

    def set(self, key, value, expires=0):
        return self.call(b"set %b 0 %d %d\r\n%b\r\n" % (key.encode(), expires, len(value), value)) == b"STORED"

    def set_many(self, items):
        """Stores (key, value) pairs in one go; returns how many were stored."""
        items = list(items)
        self.send(b"".join(b"set %b 0 0 %d\r\n%b\r\n" % (key.encode(), len(value), value) for key, value in items))
        return sum(self.line() == b"STORED" for _ in items)

    def _values(self, command, keys):
        self.send(b"%b %b\r\n" % (command, b" ".join(key.encode() for key in keys)))
        found = {}
        while (line := self.line()) != b"END":
            words = line.split()
            if words[0] != b"VALUE":
                raise ValueError(f"not a value: {line!r}")
            value = self._replies.read(int(words[3]) + 2)[:-2]
            found[words[1].decode()] = (value, int(words[4]) if len(words) > 4 else None)
        return found

    def get_many(self, keys):
        return {key: value for key, (value, _) in self._values(b"get", keys).items()}

    def get(self, key):
        return self.get_many([key]).get(key)

    def gets(self, key):
        """(value, cas token), or None."""
        return self._values(b"gets", [key]).get(key)

    def cas(self, key, value, token):
        return self.call(b"cas %b 0 0 %d %d\r\n%b\r\n" % (key.encode(), len(value), token, value))

    def stats(self):
        self.send(b"stats\r\n")
        found = {}
        while (line := self.line()) != b"END":
            _, name, value = line.decode().split(" ", 2)
            found[name] = value
        return found

    def close(self):
        self._replies.close()
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
