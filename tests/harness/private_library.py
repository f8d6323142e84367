"""Libraries that a server finds in a directory of its own, where they can be replaced as a package does. The host's stay
as they are."""

import os
import shutil
from pathlib import Path

from harness import proc


class PrivateLibrary:
    def __init__(self, directory, builds):
        """`builds`: the directories of the versions, the one to begin with first."""
        self._directory = Path(directory)
        self._directory.mkdir(mode=0o755)
        self._builds = builds
        self.install(0)

    @property
    def environment(self):
        return {"LD_LIBRARY_PATH": str(self._directory)}

    def install(self, version):
        """By rename, so that the file in use is deleted."""
        for library in Path(self._builds[version]).glob("*.so*"):
            fresh = self._directory / f"{library.name}.new"
            shutil.copy2(library, fresh)
            os.replace(fresh, self._directory / library.name)

    def outdated(self, pids):
        """What processes still map of what was replaced."""
        return [f"{pid} maps {mapping.path}" for pid in pids for mapping in proc.mappings(pid)
                if mapping.path.startswith(str(self._directory)) and mapping.path.endswith("(deleted)")]
