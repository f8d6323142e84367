"""The programs of tests/pairs, built by several compilers; kept by the hash of all that they are made of."""

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

PAIRS = Path(__file__).resolve().parent.parent / "pairs"
COMPILERS = {"gcc": ("gcc", "g++"), "clang": ("clang-19", "clang++-19")}  # for C and C++


class PairBuildError(Exception):
    pass


@dataclass(frozen=True)
class Configuration:
    compiler: str
    optimisation: str
    position_independent: bool = True

    @property
    def name(self):
        return f"{self.compiler}{self.optimisation}" + ("" if self.position_independent else "-no-pie")

    @property
    def compile_flags(self):
        return ["-g", self.optimisation, "-fPIE" if self.position_independent else "-fno-pie", "-pthread", "-Wall",
                "-Wextra", "-Werror"]

    @property
    def link_flags(self):
        return ["-pie" if self.position_independent else "-no-pie"]

    def command(self, source):
        c, cpp = COMPILERS[self.compiler]
        return [cpp, "-std=c++17"] if source.suffix == ".cc" else [c]


# What must be refused is refused for every program, so one compiler's is enough.
CONFIGURATIONS = tuple(Configuration(compiler, optimisation)
                       for compiler in COMPILERS for optimisation in ("-O0", "-O2"))
FIXED_ADDRESS = Configuration("gcc", "-O2", position_independent=False)


@dataclass(frozen=True)
class Pair:
    """A folder: the versions v1.c (or .cc), v2.c …; library_vN.c if they are linked to a library of their own,
    plugin_vN.c if they load one; a profile; an expectation."""
    name: str

    @property
    def folder(self):
        return PAIRS / self.name

    @property
    def sources(self):
        return sorted([*self.folder.glob("v[0-9].c"), *self.folder.glob("v[0-9].cc")])

    @property
    def versions(self):
        return [source.stem for source in self.sources]

    def objects(self, kind):
        return sorted(self.folder.glob(f"{kind}_v[0-9].c"))


def all_pairs():
    return [Pair(folder.name) for folder in sorted(PAIRS.iterdir()) if (folder / "v1.c").exists()
            or (folder / "v1.cc").exists()]


def run_compiler(arguments, directory):
    result = subprocess.run(arguments, cwd=directory, capture_output=True, text=True)
    if result.returncode != 0:
        raise PairBuildError(f"{' '.join(map(str, arguments))}:\n{result.stderr}")


@functools.cache
def compiler_version(command):
    return subprocess.run([command, "--version"], check=True, capture_output=True, text=True).stdout


def cached(parts, make):
    """The directory that `make(directory)` filled when it was called with the same parts before, or fills now."""
    key = hashlib.sha256("\0".join(map(str, parts)).encode()).hexdigest()[:32]
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "mcr/pairs"
    if not (cache / key).is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=cache) as scratch:
            directory = Path(scratch) / "made"
            directory.mkdir()
            make(directory)
            try:
                directory.rename(cache / key)
            except OSError:
                if not (cache / key).is_dir():  # else another run was faster
                    raise
    return cache / key


def common_library(configuration):
    """main.c and pair.c, compiled once. An archive: a version that has a main() of its own does without main.c."""
    sources = [PAIRS / "main.c", PAIRS / "pair.c"]
    command = [*configuration.command(sources[0]), *configuration.compile_flags, "-c", *sources]

    def make(directory):
        run_compiler(command, directory)
        run_compiler(["ar", "rcs", "libpair.a", "main.o", "pair.o"], directory)
    contents = [file.read_text() for file in (*sources, PAIRS / "pair.h")]
    return cached([*command, compiler_version(command[0]), *contents], make) / "libpair.a"


def compile_shared_object(configuration, source, output, directory):
    """Under the name `output`.c, whatever the version: a new version of a program has the names of the old one."""
    copy = directory / f"{output}{source.suffix}"
    shutil.copyfile(source, copy)
    run_compiler([*configuration.command(source), *configuration.compile_flags, "-fPIC", "-I", PAIRS, "-I",
                  source.parent, "-shared", f"-Wl,-soname,{output}.so", copy.name, "-o", f"{source.stem}.so"], directory)


def build(pair, configuration):
    """The directory with the programs, named as their sources are, and their shared objects."""
    common = common_library(configuration)

    def make(directory):
        for kind in ("library", "plugin"):
            for source in pair.objects(kind):
                compile_shared_object(configuration, source, kind, directory)
        for source in pair.sources:
            copy = directory / f"server{source.suffix}"
            shutil.copyfile(source, copy)
            library = directory / f"library_{source.stem}.so"
            linked = [library, "-Wl,-rpath,$ORIGIN"] if library.exists() else []
            run_compiler([*configuration.command(source), *configuration.compile_flags, *configuration.link_flags,
                          "-I", PAIRS, "-I", pair.folder, copy.name, common, *linked, "-o", source.stem], directory)
    # What several pairs are made of lies in programs/.
    files = sorted(file for folder in (pair.folder, PAIRS / "programs") for file in folder.iterdir()
                   if file.suffix in (".c", ".cc", ".h"))
    contents = [part for file in files for part in (file.name, file.read_text())]
    versions = [compiler_version(command) for command in COMPILERS[configuration.compiler]]
    flags = [*configuration.compile_flags, *configuration.link_flags]
    return cached([*flags, *versions, *contents, Path(__file__).read_text(), common], make)
