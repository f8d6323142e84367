"""A private nginx fleet, started the way a distribution does: daemon, master, unprivileged workers, cache processes.

Everything lives below one directory that the workers' user can traverse. Two layouts of the two versions on disk:

* "beside": each version has a file of its own, and the path by which the server was started is a link to the current
  one, as with versioned packages;
* "replaced": the file at that path is replaced by rename, as dpkg does, so that the running file is deleted.
"""

import os
import random
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from harness import pointer_scan, proc

HERE = Path(__file__).parent
WORKERS = 2
WORKER_USER = "www-data"
DOWNLOAD_BYTES = 6 << 20

# A location whose answer depends on what start-up computed (compiled script) rather than on code alone: the repaired
# version compiles `set` to one instruction more, so a running server shows the repair there only after a reload.
DERIVED_LOCATION = """\
        location ~ ^/derived/(.*)$ {
            set $copy "$1$stolen";
            return 200 "$copy";
        }"""

# A location whose files are read by threads of each worker.
THREAD_POOL = "thread_pool readers threads=4;"
THREADS_LOCATION = """\
        location /threads/ {
            aio threads=readers;
        }"""


class FleetError(Exception):
    pass


@dataclass(frozen=True)
class Member:
    """What is remembered of a process, to be compared after an update."""
    pid: int
    started: int
    role: str
    module_range: tuple
    resident_kib: int
    mappings: int
    descriptors: int


def wait_until(condition, what, seconds=20):
    """Polls: what is waited for (a foreign daemon's doings) sends nobody a message."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise FleetError(f"waited {seconds} s in vain for {what}")
        time.sleep(0.01)


def free_ports(count):
    """Ports outside the range for outgoing connections: while the server is down, a client could else get its port."""
    ports = []
    while len(ports) < count:
        port = random.randrange(10240, 32768)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in ports:
            ports.append(port)
    return ports


def role_of(title):
    """ "nginx: worker process is shutting down" -> "worker process is shutting down" """
    match = re.match(r"nginx: ((?:master|worker|cache \w+) process(?: is shutting down)?)", title)
    return match[1] if match else "other"


class Fleet:
    def __init__(self, binary, layout="beside", derived=True, worker_connections=2048, threads=False):
        self.dir = tempfile.mkdtemp(prefix="mcr-fleet-", dir="/var/tmp")
        os.chmod(self.dir, 0o755)
        self.layout = layout
        self.derived = derived
        self.threads = threads
        self.worker_connections = worker_connections
        self.http_port, self.tls_port, self.backend_port = free_ports(3)
        self.started_as = f"{self.dir}/sbin/nginx"
        for name in ("bin", "sbin", "conf", "log", "run", "www/limited", "www/download", "www/threads"):
            os.makedirs(f"{self.dir}/{name}")
        self.install(binary)
        self._write_conf(Path(binary).parent.parent / "conf/mime.types")
        self._write_pages()
        self._make_certificate()

    def install(self, binary):
        """Puts a version on disk as a package manager would, and returns the path of its file."""
        if self.layout == "replaced":
            target = self.started_as
            shutil.copy2(binary, target + ".new")
        else:
            target = f"{self.dir}/bin/{Path(binary).parts[-3]}/nginx"
            os.makedirs(os.path.dirname(target), exist_ok=True)
            if not os.path.exists(target):
                shutil.copy2(binary, target)
            os.symlink(target, self.started_as + ".new")
        os.replace(self.started_as + ".new", self.started_as)
        return target

    def _write_conf(self, mime_types):
        shutil.copy(mime_types, f"{self.dir}/conf/mime.types")
        values = {
            "USER": f"user {WORKER_USER};" if os.geteuid() == 0 else "",
            "WORKERS": str(WORKERS),
            "WORKER_CONNECTIONS": str(self.worker_connections),
            "DIR": self.dir,
            "HTTP_PORT": str(self.http_port),
            "TLS_PORT": str(self.tls_port),
            "BACKEND_PORT": str(self.backend_port),
            "DERIVED": DERIVED_LOCATION if self.derived else "",
            "THREAD_POOL": THREAD_POOL if self.threads else "",
            "THREADS": THREADS_LOCATION if self.threads else "",
        }
        text = (HERE / "nginx.conf.in").read_text()
        Path(f"{self.dir}/conf/nginx.conf").write_text(re.sub(r"@(\w+)@", lambda match: values[match[1]], text))

    def _write_pages(self):
        for name in ("hello.txt", "limited/hello.txt"):
            Path(f"{self.dir}/www/{name}").write_text("hello from nginx\n")
        for name in ("download", "threads"):
            Path(f"{self.dir}/www/{name}/file").write_bytes(random.Random(7).randbytes(DOWNLOAD_BYTES))

    def _make_certificate(self):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
             "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", f"{self.dir}/conf/key.pem",
             "-out", f"{self.dir}/conf/certificate.pem"],
            check=True, capture_output=True)

    # Life

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8"}

    def start(self):
        subprocess.run(
            [self.started_as, "-p", self.dir, "-c", f"{self.dir}/conf/nginx.conf",
             "-g", "daemon on; master_process on;"],
            cwd="/", env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True, check=True)
        wait_until(self.complete, "nginx's processes")

    def signal(self, name):
        """`nginx -s NAME` with the file that is now on disk."""
        subprocess.run([self.started_as, "-p", self.dir, "-c", f"{self.dir}/conf/nginx.conf", "-s", name],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)

    def reload(self, seconds=20):
        """Returns once new workers serve and the old ones are gone; clients that stay connected would delay that."""
        old = set(self.pids_of("worker process"))
        self.signal("reload")
        wait_until(lambda: not old & set(self.pids()) and self.complete(), "the reload to finish", seconds)

    def complete(self):
        """Whether exactly a master, the workers and a cache manager run (and perhaps the loader, which leaves)."""
        roles = sorted(role for role in self.roles().values() if role != "cache loader process")
        return roles == ["cache manager process", "master process"] + WORKERS * ["worker process"]

    def destroy(self):
        for pid in proc.running_from(self.dir):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not proc.running_from(self.dir), "killed processes to go")
        shutil.rmtree(self.dir)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.destroy()

    # What is running

    @property
    def master(self):
        return int(Path(f"{self.dir}/run/nginx.pid").read_text())

    def pids(self):
        return [pid for pid in proc.running_from(self.dir) if proc.exists(pid)]

    def roles(self):
        """PID -> role."""
        found = {}
        for pid in proc.running_from(self.dir):
            try:
                found[pid] = role_of(proc.title(pid))
            except OSError:
                continue
        return found

    def pids_of(self, role):
        return [pid for pid, its_role in self.roles().items() if its_role == role]

    def snapshot(self):
        members = []
        for pid, role in self.roles().items():
            try:
                inode = proc.executable_inode(pid)
                members.append(Member(pid, proc.start_time(pid), role, pointer_scan.module_range(pid, inode),
                                      proc.resident_kib(pid), len(proc.mappings(pid)), proc.descriptors(pid)))
            except (FileNotFoundError, ProcessLookupError):
                # The cache loader leaves when its work is done, and gives up its memory first.
                wait_until(lambda pid=pid: not proc.exists(pid), "a process without memory to end", seconds=5)
        return members

    def error_log(self):
        return Path(f"{self.dir}/log/error.log").read_text(errors="replace")
