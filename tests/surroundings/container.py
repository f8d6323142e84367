"""container.py ROOT COMMAND...: what a container engine does last: another root directory, of which the host's is no part.

For a process in a mount namespace of its own.
"""

import ctypes
import os
import subprocess
import sys

SYS_PIVOT_ROOT, MNT_DETACH = 155, 2  # of x86-64


def demand(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


root, command = sys.argv[1], sys.argv[2:]
libc = ctypes.CDLL(None, use_errno=True)
for arguments in (["--make-rprivate", "/"], ["--bind", root, root], ["-t", "proc", "proc", f"{root}/proc"]):
    subprocess.run(["mount", *arguments], check=True)
os.chdir(root)
# pivot_root(2): with the same directory twice, the old root is on top of the new one and can be taken away.
demand(libc.syscall(SYS_PIVOT_ROOT, b".", b"."), "pivot_root")
demand(libc.umount2(b".", MNT_DETACH), "umount")
os.chdir("/")
os.execv(command[0], command)
