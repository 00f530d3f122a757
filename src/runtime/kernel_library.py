"""Library of the CPU kernels: C++ sources compiled for this processor at first use, and kept for later processes.

A library is filed under its sources, the compiler, and the instructions that this compiler would use here, so that one
built for another processor is never loaded. Behind its content, where the loader does not look, stands the content's
checksum: a damaged file is compiled anew. Without a library, networks are built from the framework's operators.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from src.runtime.files import complete_file
from src.runtime.logs import get_logger
from src.runtime.processors import num_processors
from src.runtime.user_cache import cache_folder

try:
    import fcntl
except ImportError:  # Windows has no such kernels
    fcntl = None

COMPILER = "g++"
MAX_LIBRARIES = 8  # the ones used last are kept, 0.3 MB each
# Sums may be reordered, which vector instructions need. Nothing may assume that numbers are finite (-ffast-math would):
# the training step looks for those that are not.
FLAGS = (
    *("-std=c++17", "-O3", "-march=native", "-fPIC"),
    *("-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-fassociative-math"),
)
_TIMEOUT = 300  # seconds for one source
_CHECKSUM = hashlib.sha256


class NoLibraryError(Exception):
    """The kernels cannot be compiled or loaded; the message says why."""


@cache
def kernel_library(sources: Path, num_processes: int = 1) -> str:
    """Path of the library of a folder's C++ sources, compiled if need be and loaded; "" and a line in the log if none.

    Args:
        num_processes: processes that share this machine's cores.
    """
    try:
        library = _compiled(sources)
        ctypes.CDLL(str(library)).set_num_threads(max(1, num_processors() // num_processes))
    # AttributeError: no sched_getaffinity (not Linux). RuntimeError: the user has no home folder.
    except (NoLibraryError, OSError, AttributeError, RuntimeError, subprocess.SubprocessError) as error:
        get_logger().info("CPU kernels: %s; the framework's operators are used, which are slower", error)
        return ""
    return str(library)


def _compiled(sources: Path) -> Path:
    """The library in the cache, compiled if missing; one process compiles, others wait for it."""
    if shutil.which(COMPILER) is None:
        raise NoLibraryError(f"no {COMPILER} to compile them (apt install g++)")
    library = cache_folder("kernels") / f"{_key(sources)}.so"
    if not _is_whole(library):
        with _alone(library.parent):
            if not _is_whole(library):
                damaged = f"{library} is damaged; " if library.exists() else ""
                get_logger().info("CPU kernels: %scompiling them (once, up to a minute)", damaged)
                _compile(sorted(sources.glob("*.cpp")), library)
                _drop_old(library.parent)
    with suppress(OSError):  # the cache may be read-only
        os.utime(library)  # lately used
    return library


def _is_whole(library: Path) -> bool:
    """Whether the file is there and ends in its checksum."""
    try:
        content = library.read_bytes()
    except FileNotFoundError:
        return False
    return content[-_CHECKSUM().digest_size :] == _CHECKSUM(content[: -_CHECKSUM().digest_size]).digest()


def _key(sources: Path) -> str:
    """Hash of the sources, the compiler, and what it takes this processor for."""
    digest = hashlib.sha256(repr(FLAGS).encode())
    for question in (["--version"], [*FLAGS, "-Q", "--help=target"]):
        digest.update(_run([COMPILER, *question]))
    for path in sorted([*sources.glob("*.cpp"), *sources.glob("*.h")]):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:32]


def _compile(files: list[Path], library: Path) -> None:
    """Compile all files at once, then link them; the library appears complete or not at all."""
    with TemporaryDirectory(prefix="kernels-") as folder, ThreadPoolExecutor() as pool:
        objects = {file: str(Path(folder, f"{file.stem}.o")) for file in files}
        list(pool.map(_run, [[COMPILER, *FLAGS, "-c", str(file), "-o", name] for file, name in objects.items()]))
        with complete_file(library) as partial:
            _run([COMPILER, "-shared", "-pthread", *objects.values(), "-o", str(partial)])
            content = partial.read_bytes()
            partial.write_bytes(content + _CHECKSUM(content).digest())


def _run(command: list[str]) -> bytes:
    """Standard output of the compiler; NoLibraryError with its first error."""
    finished = subprocess.run(command, capture_output=True, timeout=_TIMEOUT, check=False)
    if finished.returncode:
        lines = finished.stderr.decode(errors="replace").splitlines() or [f"exit code {finished.returncode}"]
        raise NoLibraryError(f"{COMPILER}: {next((line for line in lines if 'error' in line), lines[0])}")
    return finished.stdout


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Context that one process at a time is in; a file system without locks lets several in, which costs only time."""
    with open(folder / ".lock", "a", encoding="utf-8") as file:
        if fcntl is not None:
            with suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _drop_old(folder: Path) -> None:
    libraries = sorted(folder.glob("*.so"), key=lambda file: file.stat().st_mtime, reverse=True)
    for library in libraries[MAX_LIBRARIES:]:
        library.unlink(missing_ok=True)
