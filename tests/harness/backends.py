"""What a proxy under test leads to, and a client of it: threads of the trial."""

import base64
import contextlib
import hashlib
import itertools
import os
import socket
import struct
import threading

from harness import clients

WEBSOCKET_KEY = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
TEXT = 0x81  # one frame of text


class Backend(threading.Thread):
    """Accepts on `port`; `serve(connection)` for each, in a thread of its own."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.start()

    def run(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._guarded, args=(connection,), daemon=True).start()

    def _guarded(self, connection):
        with contextlib.suppress(OSError, ValueError), connection:
            self._serve(connection)

    def close(self):
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes accept
        self._listener.close()


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


class Counter:
    """An origin that answers each request with another number."""

    def __init__(self):
        self._numbers = itertools.count(1)

    def __call__(self, connection):
        read_head(connection)
        body = str(next(self._numbers)).encode()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(body), body))


def read_head(connection):
    """Header lines by their lower-case names."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        piece = connection.recv(1)
        if not piece:
            raise ValueError("closed in the middle of a header")
        data += piece
    lines = (line.partition(b":") for line in data.split(b"\r\n")[1:])
    return {name.strip().lower(): value.strip() for name, _, value in lines}


def read_exactly(connection, count):
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise ValueError("closed in the middle of a message")
        data += piece
    return data


def websocket_echo(connection):
    accepted = hashlib.sha1(read_head(connection)[b"sec-websocket-key"] + WEBSOCKET_KEY.encode()).digest()
    connection.sendall(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Accept: %s\r\n\r\n" % base64.b64encode(accepted))
    while True:
        text = read_frame(connection)
        connection.sendall(bytes([TEXT, len(text)]) + text)


def read_frame(connection):
    """The text of a short frame, which a client has masked."""
    kind, length = read_exactly(connection, 2)
    if kind != TEXT or (length & 0x7f) > 125:
        raise ValueError("not a short frame of text")
    mask = itertools.cycle(read_exactly(connection, 4) if length & 0x80 else bytes(4))
    return bytes(byte ^ key for byte, key in zip(read_exactly(connection, length & 0x7f), mask))


class WebSocket:
    def __init__(self, port, path):
        self._connection = clients.connect(port)
        key = base64.b64encode(os.urandom(16))
        self._connection.sendall(b"GET %s HTTP/1.1\r\nHost: fleet\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                 b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n" % (path.encode(), key))
        if b"sec-websocket-accept" not in read_head(self._connection):
            raise ValueError("the connection was not upgraded")

    def exchange(self, number):
        text = b"message %d" % number
        mask = struct.pack("!I", 0x9e3779b9 + number & 0xffffffff)
        masked = bytes(byte ^ key for byte, key in zip(text, itertools.cycle(mask)))
        self._connection.sendall(bytes([TEXT, 0x80 | len(text)]) + mask + masked)
        answer = read_frame(self._connection)
        if answer != text:
            raise ValueError(f"{answer!r} instead of {text!r}")

    def close(self):
        self._connection.close()


class Stream:
    """A connection through which bytes come back as they are."""

    def __init__(self, port):
        self._connection = clients.connect(port)

    def exchange(self, number):
        data = b"%08d" % number * 512
        self._connection.sendall(data)
        if read_exactly(self._connection, len(data)) != data:
            raise ValueError("other bytes than what was sent")

    def close(self):
        self._connection.close()
