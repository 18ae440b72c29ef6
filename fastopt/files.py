"""Files that are whole or not there: written beside their place, synced, renamed into it; and files opened without waiting."""

import contextlib
import os
import re
import secrets
import stat

try:
    import fcntl
except ImportError:  # Windows: what a killed writer leaves there stays until someone deletes it
    fcntl = None  # type: ignore[assignment]

UNFINISHED = re.compile(r"\.fastopt-[0-9a-f]{16}\.part")


def target(path):
    """Where a path leads: through a link, to what it points at."""
    return os.path.realpath(os.fsdecode(path))


def opened(owner, path):
    """The regular file `path`, open for reading; ValueError for a pipe or a device, which might never end, or never begin."""
    wait_not = getattr(os, "O_NONBLOCK", 0)
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | wait_not))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise ValueError(f"{owner}: {os.fsdecode(path)!r} is no regular file")
    return file


@contextlib.contextmanager
def replacing(path):
    """with replacing(path) as file: what is written to it stands at exactly `path` when all went well; else what was there does.

    A writer that is killed leaves a hidden file ".fastopt-....part" in the folder, which the next one deletes.
    """
    path = target(path)
    folder, before = os.path.dirname(path), _present(path)
    if not os.path.isdir(folder):
        raise FileNotFoundError(f"there is no folder {folder!r} to write {path!r} in")
    try:
        sweep(folder)
        file, beside = _beside(folder)
        try:
            with file:
                if before is not None:
                    os.chmod(beside, stat.S_IMODE(before.st_mode))
                yield file
                file.flush()
                os.fsync(file.fileno())
                os.replace(beside, path)
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(beside)
            raise
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, f"{error.strerror}; not written, what was there before stays", path) from error
    _sync(folder)


def sweep(folder):
    """Deletes what killed writers left in a folder: a living one holds a lock on its own."""
    if fcntl is None:
        return
    with os.scandir(folder) as entries:
        names = [entry.path for entry in entries if UNFINISHED.fullmatch(entry.name)]
    for name in names:
        with contextlib.suppress(OSError), open(name, "rb") as file:  # another's, or gone by now
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.unlink(name)


def _present(path):
    """os.stat of what is at the path, None where nothing is; what must not be replaced is refused."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{path!r} is a folder, expected the path of a file")
    if not stat.S_ISREG(found.st_mode):
        raise FileExistsError(f"{path!r} is no regular file")
    if not os.access(path, os.W_OK):
        raise PermissionError(f"{path!r} is read-only")
    return found


def _beside(folder):
    """A new file in the folder and its path, locked: until it is, another writer may take it for a dead one's and delete it."""
    while True:
        path = os.path.join(folder, f".fastopt-{secrets.token_hex(8)}.part")
        file = open(path, "xb")
        if fcntl is None:
            return file, path
        with contextlib.suppress(OSError):  # a file system without locks, where nobody deletes
            fcntl.flock(file, fcntl.LOCK_EX)
        if os.path.exists(path):
            return file, path
        file.close()


def _sync(folder):
    """Makes a rename outlast a loss of power, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
