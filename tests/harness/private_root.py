"""A mount namespace of the trial's own, in which servers find the users and directories that are compiled into them.

The host's /etc/passwd, /etc/group and /run stay as they are; mcr, the server and its clients all run in here.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

MARK = "MCR_TRIAL_NAMESPACE"
SCRIPT = """\
mount --bind "$1/passwd" /etc/passwd
mount --bind "$1/group" /etc/group
mount -t tmpfs none /run
shift
exec "$@"
"""


def enter(users):
    """Runs this program again in a namespace where `users` exist, (name, uid, home) each; returns there only.

    Returns why it cannot be done, if it cannot."""
    if os.environ.get(MARK):
        return None
    if os.geteuid() != 0:
        return "needs root"
    with tempfile.TemporaryDirectory(prefix="mcr-users-", dir="/var/tmp") as directory:
        for name, line in (("passwd", "{name}:x:{uid}:{uid}::{home}:/bin/sh\n"), ("group", "{name}:x:{uid}:\n")):
            known = Path("/etc", name).read_text().splitlines(keepends=True)
            names = {user for user, _, _ in users}
            kept = "".join(entry for entry in known if entry.split(":")[0] not in names)
            added = "".join(line.format(name=user, uid=uid, home=home) for user, uid, home in users)
            Path(directory, name).write_text(kept + added)
        if subprocess.run(["unshare", "-m", "true"], stderr=subprocess.DEVNULL).returncode != 0:
            return "cannot make a mount namespace"
        done = subprocess.run(["unshare", "-m", "sh", "-ec", SCRIPT, "sh", directory, sys.executable, *sys.argv],
                              env={**os.environ, MARK: "1"})
        sys.exit(done.returncode)
