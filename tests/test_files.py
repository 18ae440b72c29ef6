"""Files are whole or not there: writers killed at any moment, disks that are full, places that must not be written."""

import contextlib
import errno
import fcntl
import mmap
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time

import numpy as np
import pytest
from snapshots import frozen

import fastopt
from fastopt import Adam, files, nn, optim

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


# --- what is written: for each kind of file two contents, of different lengths, and how one is read back ---------------


def model(units, value):
    made = nn.Sequential([nn.Dense(units, "tanh", input_shape=(20,)), nn.Dense(3)], name="one")
    made.compile(nn.optimizers.Adam(0.01), "mse")
    made.set_weights([np.full_like(weight, value) for weight in made.get_weights()])
    made.train_on_batch(np.full((4, 20), value), np.ones((4, 3)))
    return made


def contents(made):
    return frozen([made.get_weights(), made.optimizer.state_dict() if made.optimizer else None])


def optimizer(size, value):
    made = Adam([np.full(size, value)], ema=0.5)
    made.step([np.full(size, value)])
    return made


def by_callback(path, made):
    callback = nn.callbacks.ModelCheckpoint(path)
    callback.set_model(made)
    callback.on_epoch_end(0, {"loss": 1.0})


def loaded_weights(path):
    with np.load(path) as file:  # of either size
        made = model(file["weights/0"].shape[1], 0.0)
    made.load_weights(path)
    return frozen(made.get_weights())


def loaded_state(path):
    with np.load(path) as file:
        made = optimizer(file["state/0/ema"].size, 1.0)
    optim.load(path, made)
    return frozen(made.state_dict())


KINDS = {  # name: (two objects, (path, object) -> None, path -> what is there, object -> the same of it)
    "model": (lambda: (model(7, 0.5), model(3000, -0.25)), lambda path, made: made.save(path),
              lambda path: contents(nn.load_model(path)), contents),
    "checkpoint": (lambda: (model(3000, 0.5), model(8, -0.25)), by_callback,
                   lambda path: contents(nn.load_model(path)), contents),
    "weights": (lambda: (model(7, 0.5), model(3000, -0.25)), lambda path, made: made.save_weights(path),
                loaded_weights, lambda made: frozen(made.get_weights())),
    "optimizer": (lambda: (optimizer(30_000, 0.5), optimizer(9, -0.25)), optim.save,
                  loaded_state, lambda made: frozen(made.state_dict())),
}  # fmt: skip


@pytest.fixture(params=KINDS)
def kind(request):
    make, save, load, of = KINDS[request.param]
    return make(), save, load, of


# --- killed ------------------------------------------------------------------------------------------------------------


def writer(save, made, path, progress):
    """Saves one and the other in a child until it is killed; progress: saves begun, saves finished, in shared memory."""
    parent, pid = os.getpid(), os.fork()
    if pid == 0:
        try:
            for turn in range(1, 2**30):
                if os.getppid() != parent:
                    break
                progress[0] = turn
                save(path, made[turn % 2])
                progress[1] = turn
        finally:
            os._exit(1)
    return pid


def kill_writers(kind, folder, kills, seed):
    """Kills that many writers at one path at random moments, and looks at the path after each."""
    made, save, load, of = kind
    whole, rng, path = [of(one) for one in made], np.random.default_rng(seed), os.path.join(folder, "checkpoint")
    save(path, made[0])
    shared = mmap.mmap(-1, 16)
    progress, within = np.frombuffer(shared, np.int64), 0
    for _ in range(kills):
        before = whole.index(load(path))  # the last one's
        progress[:] = 0
        pid = writer(save, made, path, progress)
        try:
            end, turns = time.monotonic() + 60, rng.integers(1, 4)
            while progress[1] < turns:
                assert time.monotonic() < end
                time.sleep(0.0005)
            time.sleep(rng.uniform(0, 0.01))
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        begun, finished = map(int, progress)
        allowed = {turn % 2 if turn else before for turn in (begun, finished)}  # the new one, the old one
        assert whole.index(load(path)) in allowed, "neither the old nor the new file"
        within += begun > finished
        left = set(os.listdir(folder)) - {"checkpoint"}
        assert len(left) <= 1, "what one killed writer left was not taken away by the next"
        assert all(files.UNFINISHED.fullmatch(name) for name in left)
    save(path, made[1])
    assert os.listdir(folder) == ["checkpoint"]
    return within


def test_a_killed_writer_leaves_the_old_or_the_new_file(kind, tmp_path):
    kill_writers(kind, tmp_path, 4, 0)


@pytest.mark.slow
def test_a_hundred_killed_writers(kind, tmp_path):
    assert kill_writers(kind, tmp_path, 100, 1) > 30, "too few were killed within a save to mean anything"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_killed_at_each_step(kind, tmp_path, call, monkeypatch):
    """The moments that chance might miss: within the data, before they are synced, before and behind the renaming."""
    made, save, load, of = kind
    path = tmp_path / "checkpoint"
    save(path, made[0])

    def last(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)

    pid = os.fork()
    if pid == 0:
        try:
            target = (np.lib.format, "write_array") if call == "write" else (os, call)
            monkeypatch.setattr(*target, last)
            save(path, made[1])
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert load(path) == of(made[0])
    assert len(os.listdir(tmp_path)) == 2
    save(path, made[1])
    assert load(path) == of(made[1])
    assert os.listdir(tmp_path) == ["checkpoint"]


def test_only_what_killed_writers_left_is_deleted(tmp_path):
    """Not the file of a writer at work, nor any of a similar name."""
    dead, alive = (tmp_path / f".fastopt-{digit * 16}.part" for digit in "0a")
    others = [tmp_path / name for name in (".fastopt-0.part", "fastopt-0000000000000000.part", "model.npz.part", ".part")]
    for path in (dead, alive, *others):
        path.write_bytes(b"half")
    with open(alive, "rb") as writing:
        fcntl.flock(writing, fcntl.LOCK_EX)
        optim.save(tmp_path / "state", optimizer(3, 1.0))
        assert sorted(tmp_path.iterdir()) == sorted([alive, *others, tmp_path / "state"])
    with files.replacing(tmp_path / "other") as file:
        file.write(b"new")
        optim.save(tmp_path / "state", optimizer(3, 1.0))  # meanwhile, beside it
    assert (tmp_path / "other").read_bytes() == b"new"
    assert sorted(tmp_path.iterdir()) == sorted([*others, tmp_path / "state", tmp_path / "other"])


def test_what_is_left_is_no_checkpoint(tmp_path):
    """It has no name that a pattern for checkpoints finds, and is refused where it is named."""
    made = Adam([np.zeros(1000)])
    optim.save(tmp_path / "state.npz", made)
    half = tmp_path / ".fastopt-0123456789abcdef.part"
    half.write_bytes((tmp_path / "state.npz").read_bytes()[:5000])
    assert [path.name for path in tmp_path.glob("[!.]*")] == ["state.npz"]
    assert [path.name for path in tmp_path.glob("*.npz")] == ["state.npz"]
    with pytest.raises(ValueError, match="damaged"):
        optim.load(half, made)


def test_two_writers_at_once(kind, tmp_path):
    """Each file is one of theirs."""
    made, save, load, of = kind
    path = tmp_path / "checkpoint"
    save(path, made[0])
    progress = np.zeros(2, np.int64)
    pids = [writer(save, made, path, progress) for _ in range(2)]
    try:
        whole, end = [of(one) for one in made], time.monotonic() + 0.5
        while time.monotonic() < end:
            assert load(shutil.copyfile(path, tmp_path / "copy")) in whole  # of one of them, though it be replaced meanwhile
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    assert codes == [-signal.SIGKILL] * 2, "a writer failed"


# --- places ------------------------------------------------------------------------------------------------------------

UNPRIVILEGED = 65534


def as_nobody(task):
    """task() in a child that is not root: for root, nothing is read-only. What it raised, or None."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0:
                os.setgroups([])
                os.setgid(UNPRIVILEGED)
                os.setuid(UNPRIVILEGED)
            try:
                task()
            except Exception as error:
                os.write(writing, f"{type(error).__name__}: {error}".encode())
        finally:
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with open(reading) as said:
        return said.read() or None


@contextlib.contextmanager
def open_folder():
    """A folder that anyone may write in; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield folder
        os.chmod(folder, 0o777)


def test_a_file_that_is_read_only_stays(kind):
    made, save, load, of = kind
    with open_folder() as folder:
        path = os.path.join(folder, "checkpoint")
        save(path, made[0])
        os.chmod(path, 0o444)
        assert f"PermissionError: '{path}' is read-only" == as_nobody(lambda: save(path, made[1]))
        assert load(path) == of(made[0])
        assert os.listdir(folder) == ["checkpoint"]


def test_a_folder_that_cannot_be_written_in(kind):
    made, save, load, of = kind
    with open_folder() as folder:
        path = os.path.join(folder, "checkpoint")
        save(path, made[0])
        os.chmod(path, 0o666)
        os.chmod(folder, 0o555)
        said = as_nobody(lambda: save(path, made[1]))
        assert said.startswith("PermissionError: [Errno 13] Permission denied; not written, what was there before stays: '")
        assert said.endswith(f"'{path}'")
        assert load(path) == of(made[0])


FULL = """
import os, sys
import numpy as np
from fastopt import Adam, optim, nn
os.chdir("disk")
params = [np.zeros(1000)]
opt, model = Adam(params), nn.Sequential([nn.Input((10,)), nn.Dense(20)])
optim.save("state", opt)
model.save("model")
kept = {name: open(name, "rb").read() for name in os.listdir()}
large, wide = Adam([np.zeros(100_000)]), nn.Sequential([nn.Input((300,)), nn.Dense(300)])
for save in (lambda: optim.save("state", large), lambda: wide.save("model"), lambda: wide.save_weights("model")):
    try:
        save()
    except OSError as error:
        print(error)
    assert {name: open(name, "rb").read() for name in os.listdir()} == kept, os.listdir()
optim.load("state", opt)
nn.load_model("model")
"""


def test_a_disk_that_is_full(tmp_path):
    """A real one, of 200 kB."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "code.py").write_text(FULL)
    mounted = 'mount -t tmpfs -o size=200k none disk 2>/dev/null || exit 77; exec "$0" code.py'
    environment = os.environ | {"PYTHONPATH": os.path.dirname(os.path.dirname(fastopt.__file__))}
    try:
        done = subprocess.run(["unshare", "-rm", "sh", "-c", mounted, sys.executable], cwd=tmp_path, env=environment, text=True,
                              capture_output=True, timeout=120)  # fmt: skip
    except FileNotFoundError:
        pytest.skip("no unshare")
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("a disk cannot be mounted here")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # nor anything ignored in a destructor
    said = done.stdout.splitlines()
    assert len(said) == 3
    begins = f"[Errno {errno.ENOSPC}] No space left on device; not written, what was there before stays: "
    assert all(line.startswith(begins) and line.endswith(("/disk/state'", "/disk/model'")) for line in said), said


def test_links_loops_and_what_is_no_file(kind, tmp_path):
    made, save, load, of = kind
    (tmp_path / "real").mkdir()
    link, dangling, loop, pipe = (tmp_path / name for name in ("link", "dangling", "loop", "pipe"))
    link.symlink_to("real/target")
    save(link, made[0])  # what it points at need not be there, only its folder
    assert link.is_symlink()
    assert load(tmp_path / "real" / "target") == of(made[0])
    dangling.symlink_to("nowhere/target")
    if save is not by_callback:  # that makes folders
        with pytest.raises(FileNotFoundError, match=r"there is no folder '.*nowhere'"):
            save(dangling, made[0])
    loop.symlink_to("loop")
    with pytest.raises(OSError, match="symbolic links"):
        save(loop, made[0])
    os.mkfifo(pipe)
    with pytest.raises(FileExistsError, match=r"pipe' is no regular file"):
        save(pipe, made[0])
    with pytest.raises(IsADirectoryError, match="is a folder, expected the path of a file"):
        save(tmp_path / "real", made[0])
    assert sorted(os.listdir(tmp_path)) == ["dangling", "link", "loop", "pipe", "real"]
    assert os.listdir(tmp_path / "real") == ["target"]


def test_a_private_file_stays_private(kind, tmp_path):
    made, save, *_ = kind
    path = tmp_path / "checkpoint"
    save(path, made[0])
    path.chmod(0o600)
    save(path, made[1])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
