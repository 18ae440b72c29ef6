"""contents.py SDIST WHEEL...: what lies in them, which symbols the modules export and want, and whose paths they mention.

Prints a line for each wheel; each fault is a line on stderr, and the exit code 1. Run it in a checkout. Needs pyelftools.
"""

import io
import re
import subprocess
import sys
import tarfile
from pathlib import Path
from zipfile import ZipFile

from elftools.elf.elffile import ELFFile

RUNS = (".py", ".pyi", "py.typed", "MOVING.md", ".npz", ".so")  # what may lie in the package
PATHS = re.compile(rb"/(?:tmp|home|root|Users|build)/[\w./-]+|[\w./-]*\.pyenv[\w./-]*")  # those of the machine that built it
faults = []


def expect(wanted, who, text):
    if not wanted:
        faults.append(f"{who}: {text}")


def versions(elf):
    """GLIBC_2.17 as (2, 17), of every symbol wanted."""
    section = elf.get_section_by_name(".gnu.version_r")
    names = [need.name for _, needs in section.iter_versions() for need in needs] if section else []
    return {tuple(map(int, name[6:].split("."))) for name in names if name.startswith("GLIBC_2")}


def exported(elf):
    return {s.name for s in elf.get_section_by_name(".dynsym").iter_symbols() if s["st_shndx"] != "SHN_UNDEF"}


def look_at_module(name, data, tag, who):
    elf = ELFFile(io.BytesIO(data))
    newest = max(versions(elf), default=(2, 0))
    expect(newest <= tag, who, f"{name} wants GLIBC_{newest[0]}.{newest[1]}, the tag promises {tag[0]}.{tag[1]}")
    for entry in elf.get_section_by_name(".dynamic").iter_tags():
        path = getattr(entry, "runpath", getattr(entry, "rpath", "$ORIGIN"))
        expect(path.startswith("$ORIGIN"), who, f"{name} looks for libraries in {path}")
    expect(not (found := PATHS.findall(data)), who, f"{name} mentions {found}")
    if name.startswith("fastopt/"):
        strays = {symbol for symbol in exported(elf) if not symbol.startswith("PyInit_")}
        expect(not strays, who, f"{name} exports {sorted(strays)}")
    return newest


def look_at_wheel(path, sources):
    who = path.name
    tags = [tuple(map(int, found)) for found in re.findall(r"manylinux_(\d+)_(\d+)_", who)]
    expect(tags, who, "no tag manylinux_x_y")
    expect(path.stat().st_size < 3_000_000, who, f"{path.stat().st_size} bytes, 3 MB are allowed")
    with ZipFile(path) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist() if not name.endswith("/")}
    package = {name for name in files if ".dist-info/" not in name and not name.startswith("fastopt.libs/")}
    strays = {name for name in package if not name.startswith("fastopt/") or not name.endswith(RUNS)}
    expect(not strays, who, f"carries {sorted(strays)}")
    missing = {name for name in sources if name.startswith("fastopt/") and name.endswith(RUNS)} - package
    expect(not missing, who, f"lacks {sorted(missing)}")
    newest = [look_at_module(name, data, min(tags, default=(0, 0)), who) for name, data in files.items() if ".so" in name]
    if bundled := [name for name in files if name.startswith("fastopt.libs/")]:
        metadata = next(data.decode() for name, data in files.items() if name.endswith("METADATA"))
        licence = next((data for name, data in files.items() if name.endswith("licenses/libgomp.txt")), b"")
        expect("WITH GCC-exception-3.1\n" in metadata and "License-File: libgomp.txt\n" in metadata, who, "metadata says MIT alone")
        texts = (b"GCC RUNTIME LIBRARY EXCEPTION\n", b" GNU GENERAL PUBLIC LICENSE\n")
        expect(all(text in licence for text in texts), who, "no licence of libgomp")
        expect(b"@ORIGIN@" not in licence, who, "the licence of libgomp does not say whence this copy comes")
    wants = ".".join(map(str, max(newest, default=())))
    print(f"{who}: {path.stat().st_size} bytes, GLIBC_{wants}, bundled {bundled or 'nothing'}")


def look_at_sdist(path):
    """The names in it, without the leading folder: all of the checkout but what only the checkout needs."""
    with tarfile.open(path) as sdist:
        names = {member.name.partition("/")[2] for member in sdist.getmembers() if member.isfile()}
    listed = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
    wanted = {name for name in listed if not name.startswith(".ci/") and name != ".gitignore"}
    made = {name for name in names if name.startswith("fastopt.egg-info/")} | {"PKG-INFO", "setup.cfg"}
    expect(not wanted - names, path.name, f"lacks {sorted(wanted - names)}")
    expect(not names - wanted - made, path.name, f"carries {sorted(names - wanted - made)}")
    return names


sources = look_at_sdist(Path(sys.argv[1]))
for wheel in sys.argv[2:]:
    look_at_wheel(Path(wheel), sources)
for fault in faults:
    print(fault, file=sys.stderr)
sys.exit(bool(faults))
