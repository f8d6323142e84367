"""The servers of the recorded workloads: how each is started, what its clients say, and what is another each time.

What clients say has two halves: an update takes place half-way when it is replayed, so the silence between them has to
be longer than all that comes after it."""

import contextlib
import ftplib
import os
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from harness import clients, fleet, memcache, resp, scenario, servers
from harness.daemon import Daemon, Tree

HERE = Path(__file__).parent
GAP = 0.3  # seconds; between the halves, for the update to get in between


@dataclass(frozen=True)
class Workload:
    versions: Callable  # () -> the old and the new binary
    start: Callable     # binary -> a server, with `port`
    say: Callable       # port -> None
    options: tuple = ()  # of `mcr record`


def daemon(role, binary, command, kind=Daemon):
    (port,) = fleet.free_ports(1)

    def ready():
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        return False
    server = kind(role, binary, lambda program, directory: command(program, directory, port), ready)
    server.port = port
    return server


def built(name, old, new):
    return lambda: (servers.build(name, old), servers.build(name, new))


# nginx: keep-alive connections, pipelined requests, a header in two halves

def start_nginx(binary):
    server = scenario.started_fleet(binary, derived=False)
    server.port = server.http_port
    return server


def read_until(connection, responses, end):
    data = b""
    while data.count(b"HTTP/1.1 ") < responses or not data.endswith(end):
        piece = connection.recv(65536)
        if not piece:
            raise clients.BadResponse("the server closed the connection")
        data += piece


def say_nginx(port):
    def request(path, headers=""):
        return f"GET {path} HTTP/1.1\r\nHost: fleet\r\n{headers}\r\n".encode()

    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(clients.connect(port)) for _ in range(5)]
        half, pipelined = (stack.enter_context(clients.connect(port)) for _ in range(2))
        for connection in kept:
            clients.get(connection, "/hello.txt")
        half.sendall(b"GET /echo/ HTTP/1.1\r\nHost: fleet\r\nX-Echo: first ha")
        pipelined.sendall(3 * request("/hello.txt"))
        read_until(pipelined, 3, b"hello from nginx\n")
        time.sleep(2 * GAP)
        half.sendall(b"lf, second half\r\n\r\n")
        clients.read_response(half)
        for number, connection in enumerate(kept):
            clients.get(connection, "/nothing" if number == 0 else "/hello.txt", "Range: bytes=2-7\r\n" * (number == 1))
        pipelined.sendall(request("/hello.txt") + request("/echo/", "X-Echo: last\r\nConnection: close\r\n"))
        read_until(pipelined, 2, b"last")
        time.sleep(GAP)


# redis: pipelines, a transaction and a blocked pop that span the middle, a subscriber, half a command

def start_redis(binary):
    return daemon("redis", binary, lambda program, directory, port: [
        program, "--port", str(port), "--bind", "127.0.0.1", "--dir", directory, "--save", ""])


def say_redis(port):
    with contextlib.ExitStack() as stack:
        busy, open_multi, blocked, subscriber, half = (stack.enter_context(resp.Connection(port)) for _ in range(5))
        busy.pipeline([("SET", f"key:{number}", f"value {number}") for number in range(50)])
        busy.pipeline([("RPUSH", "list", "one", "two"), ("HSET", "hash", "a", 1, "b", 2), ("SADD", "set", 1, 2, 3),
                       ("ZADD", "sorted", 1.5, "one", 2, "two"), ("INCR", "counter"), ("XADD", "stream", "1-1", "f", "v")])
        open_multi.pipeline([("MULTI",), ("INCR", "counter"), ("LPUSH", "list", "zero")])
        blocked.send("BLPOP", "later", 0)
        subscriber.call("SUBSCRIBE", "news")
        half._socket.sendall(b"*2\r\n$4\r\nECHO\r\n$11\r\nfirst ")
        time.sleep(2 * GAP)
        half._socket.sendall(b"half!\r\n")
        half.read()
        open_multi.call("EXEC")
        busy.pipeline([("GET", f"key:{number}") for number in range(0, 50, 7)])
        busy.pipeline([("LRANGE", "list", 0, -1), ("HGETALL", "hash"), ("ZRANGE", "sorted", 0, -1, "WITHSCORES"),
                       ("SCARD", "set"), ("GET", "counter"), ("XRANGE", "stream", "-", "+"),
                       ("RPUSH", "later", "it is here"), ("PUBLISH", "news", "and new")])
        blocked.read()
        subscriber.read()
        time.sleep(GAP)


# memcached: values with cas tokens and counters, a value of which one half is sent before the middle

def start_memcached(binary):
    return daemon("memcached", binary, lambda program, directory, port: [
        program, "-u", "root", "-l", "127.0.0.1", "-p", str(port), "-t", "2", "-o", "no_slab_reassign"])


def say_memcached(port):
    with contextlib.ExitStack() as stack:
        busy, other, half = (stack.enter_context(memcache.Connection(port)) for _ in range(3))
        busy.set_many((f"key{number}", b"value %d" % number) for number in range(50))
        other.set("counter", b"41")
        other.set("large", b"0123456789" * 5000)
        half.send(b"set halved 0 0 11\r\nfirst ")
        time.sleep(2 * GAP)
        half.send(b"half!\r\n")
        half.line()
        busy.get_many([f"key{number}" for number in range(50)])
        busy.get("halved")
        other.call(b"incr counter 1\r\n")
        other.get("large")
        _, token = other.gets("key7")
        other.cas("key7", b"changed", token)
        busy.get("key7")
        time.sleep(GAP)


# vsftpd: two sessions; one transfers after the middle what it made ready before, each way

def start_vsftpd(binary):
    def command(program, directory, port):
        os.chmod(directory, 0o755)
        for name in ("empty", "root", "root/incoming"):
            os.mkdir(f"{directory}/{name}", 0o755)
        os.chmod(f"{directory}/root/incoming", 0o777)
        Path(f"{directory}/root/file").write_bytes(b"0123456789abcde\n" * 4096)
        Path(f"{directory}/config").write_text(
            f"listen=YES\nbackground=NO\nlisten_address=127.0.0.1\nlisten_port={port}\nanonymous_enable=YES\n"
            f"no_anon_password=YES\nanon_root={directory}/root\nwrite_enable=YES\nanon_upload_enable=YES\n"
            f"ftp_username=games\nnopriv_user=nobody\nsecure_chroot_dir={directory}/empty\nseccomp_sandbox=YES\n"
            "isolate_network=NO\npasv_address=127.0.0.1\nuse_sendfile=NO\nisolate=NO\n")
        return [program, f"{directory}/config"]
    return daemon("vsftpd", binary, command, Tree)


def say_vsftpd(port):
    def session():
        ftp = ftplib.FTP()
        ftp.connect("127.0.0.1", port, timeout=60)
        ftp.login()
        ftp.voidcmd("TYPE I")
        return ftp

    down, up = session(), session()
    down.voidcmd("NOOP")
    up.cwd("incoming")
    data = up.transfercmd("STOR file")
    data.sendall(b"first half, ")
    time.sleep(2 * GAP)
    data.sendall(b"second half\n")
    data.close()
    up.voidresp()
    # No TYPE: it is answered with 200 as NOOP is, and so shows the new version.
    with contextlib.closing(down.transfercmd("RETR file")) as data:
        while data.recv(1 << 16):
            pass
    down.voidresp()
    with contextlib.closing(down.transfercmd("STOR incoming/other")) as data:
        data.sendall(b"all at once\n")
    down.voidresp()
    down.sendcmd("SIZE file")
    time.sleep(GAP)
    for ftp in (down, up):
        ftp.quit()


# echo: a line of which half is sent before the middle, and lines that come back after it by timers

ECHO_FLAGS = ["-Wall", "-Wextra", "-Werror", "-O1", "-fno-inline", "-g"]  # a main loop that changed cannot have objects of changed types


def build_echo():
    directory = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mcr/workloads"
    directory.mkdir(parents=True, exist_ok=True)
    binaries = [str(directory / f"echo.{version}") for version in (1, 2)]
    for version, binary in zip((1, 2), binaries):
        subprocess.run(["gcc", *ECHO_FLAGS, f"-DVERSION={version}", HERE / "echo.c", "-o", binary], check=True)
    return binaries


def start_echo(binary):
    return daemon("echo", binary, lambda program, _, port: [program, str(port)])


def say_echo(port):
    def talk(connection, text, answers):
        connection.sendall(text)
        data = b""
        while data.count(b"\n") < answers:
            data += connection.recv(4096)

    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(4)]
        for number, connection in enumerate(kept):
            talk(connection, b"client %d\nis here\n" % number, 2)
        kept[0].sendall(b"first ha")
        for number, connection in enumerate(kept[1:3]):
            talk(connection, b"in %d a timer\nin %d another\nset\n" % (7000 + 100 * number, 7500), 1)
        time.sleep(13 * GAP)
        talk(kept[0], b"lf, second half\n", 1)
        talk(kept[3], b"and this one\n", 1)
        for connection in kept[1:3]:
            talk(connection, b"", 2)
        time.sleep(GAP)


def masks(*expressions):
    return tuple(word for expression in expressions for word in ("--mask", expression))


ALL = {
    "nginx": Workload(built("nginx", servers.OLD_NGINX, servers.NEW_NGINX), start_nginx, say_nginx,
                      masks(*(f"^{name}: [^\r]*" for name in ("Date", "Last-Modified", "ETag")))),
    "redis": Workload(built("redis", "5:7.0.15-1~deb12u7", "5:7.0.15-1~deb12u10"), start_redis, say_redis),
    "memcached": Workload(built("memcached", "1.6.18-1", "1.6.18-1@version-reply"), start_memcached, say_memcached),
    "vsftpd": Workload(built("vsftpd", "3.0.5-0.2", "3.0.5-0.2@noop-reply"), start_vsftpd, say_vsftpd,
                       ("--announced-port", "^227 .*,([0-9]+),([0-9]+)")),
    "echo": Workload(build_echo, start_echo, say_echo),
}
