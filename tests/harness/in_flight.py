"""Requests that a web server is in the middle of, of every kind, plain and by TLS, and the backends that some of them
wait for."""

import contextlib
import functools
import gzip
import threading
from pathlib import Path

from harness import backends, clients

LOCATIONS = """
        location /file/ {{
            alias      {dir}/www/download/;
            limit_rate $arg_rate;
        }}
        location /compressed/ {{
            alias           {dir}/www/download/;
            limit_rate      $arg_rate;
            gzip            on;
            gzip_types      *;
            gzip_min_length 1;
        }}
        location /said/ {{
            return 200 "$http_x_echo";
        }}
"""
PROXIED = """
        location /{name}/ {{
            proxy_pass         http://127.0.0.1:{port};
            proxy_http_version 1.1;
        }}
"""
OK = b"HTTP/1.1 200 OK\r\nX-Origin: yes\r\n"
TEXT = b"first half, second half"
LENGTH = b"Content-Length: %d\r\n\r\n" % len(TEXT)
HOST = b" HTTP/1.1\r\nHost: fleet\r\n"
MANY = b"".join(b"X-Header-%d: %d\r\n" % (i, i) for i in range(25))  # more than one array of headers holds
GZIP = b"\x1f\x8b"
SECONDS = 6  # that the file is under way for


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


class Origin(contextlib.ExitStack):
    """Backends that answer when they are told to: one before it says anything, and two in the middle of it."""

    def __init__(self):
        super().__init__()
        self._told = threading.Event()
        answers = {"silent": (b"", OK + LENGTH + TEXT), "slow": (OK + LENGTH + TEXT[:10], TEXT[10:]),
                   "chunks": (OK + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(TEXT[:10]), chunk(TEXT[10:]) + chunk(b""))}
        serving = {name: functools.partial(self._answer, *parts) for name, parts in answers.items()}
        self.ports = {name: self.enter_context(contextlib.closing(backends.Backend(serve))).port
                      for name, serve in {**serving, "upload": self._echo}.items()}

    def _answer(self, first, last, connection):
        backends.read_head(connection)
        connection.sendall(first)
        self._told.wait(clients.TIMEOUT)
        connection.sendall(last)

    @staticmethod
    def _echo(connection):
        length = int(backends.read_head(connection)[b"content-length"])
        connection.sendall(OK + b"Content-Length: %d\r\n\r\n" % length + backends.read_exactly(connection, length))

    def answer(self):
        self._told.set()


def configure(server, origin):
    """Both servers of a fleet's configuration get the locations that the requests are for."""
    text = LOCATIONS.format(dir=server.dir)
    text += "".join(PROXIED.format(name=name, port=port) for name, port in origin.ports.items())
    conf = Path(f"{server.dir}/conf/nginx.conf")
    for place in ("        location /limited/", "        ssl_certificate     "):
        conf.write_text(conf.read_text().replace(place, text + place, 1))


class Requests(contextlib.ExitStack):
    def __init__(self, server):
        super().__init__()
        self._server = server
        file = Path(f"{server.dir}/www/download/file").read_bytes()
        slowly = b"file?rate=%d" % (len(file) // SECONDS) + HOST
        kinds = [  # the name, what is sent before the update and after it, and the body of the answer
            ("request line", b"GET /sa", b"id/" + HOST + b"X-Echo: " + TEXT + b"\r\n\r\n", TEXT),
            ("header", b"GET /said/" + HOST + b"X-Echo: " + TEXT[:10], TEXT[10:] + b"\r\n\r\n", TEXT),
            ("long header", b"GET /said/" + HOST + MANY + b"X-Ec", b"ho: " + TEXT + b"\r\n\r\n", TEXT),
            ("body", b"POST /upload/" + HOST + LENGTH + TEXT[:10], TEXT[10:], TEXT),
            ("file", b"GET /file/" + slowly + b"\r\n", b"", file),
            ("range", b"GET /file/" + slowly + b"Range: bytes=1000-5000000\r\n\r\n", b"", file[1000:5000001]),
            ("compressed file", b"GET /compressed/" + slowly + b"Accept-Encoding: gzip\r\n\r\n", b"", file),
            *((name, b"GET /%s/" % name.encode() + HOST + b"\r\n", b"", TEXT) for name in ("silent", "slow", "chunks"))]
        self._begun = [(f"{port}, {name}", self._send(port, first), last, body)
                       for port in ("plain", "TLS") for name, first, last, body in kinds]

    def _send(self, port, data):
        server = self._server
        connection = self.enter_context(
            clients.connect(server.http_port) if port == "plain" else
            clients.connect_tls(server.tls_port, f"{server.dir}/conf/certificate.pem"))
        connection.sendall(data)
        return connection

    def __len__(self):
        return len(self._begun)

    def failed(self):
        """Names those that do not end as they should, or whose connection does not serve another request then."""
        return [name for name, *request in self._begun if not self._completes(*request)]

    @staticmethod
    def _completes(connection, last, body):
        try:
            connection.sendall(last)
            status, found = clients.read_response(connection)
            if found.startswith(GZIP):
                found = gzip.decompress(found)
            return status in (200, 206) and found == body and clients.get(connection, "/hello.txt")[0] == 200
        except (OSError, EOFError, ValueError, clients.BadResponse):
            return False
