"""Try what `make dist` has built: an sdist that holds all that git tracks, a wheel that works where nothing else is.

    python tools/try_dist.py

The wheel is installed into an empty environment, where the commands of the README run in an empty folder; the package
there must print the limit that the one of this clone prints. The exit code is 0 only if all of it holds.
"""

import os
import re
import shlex
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MADE = r"PKG-INFO|setup\.cfg|cevnsloop\.egg-info(/.*)?"  # what the build adds to the sdist
LIMIT = "limit --case A --m-chi 1 --m-zp 10 --json"
OPTIONAL = {"hepdata": "hepdata-lib"}  # commands that need a package more, and say so


def output(*command, status=0, **options):
    """What a program prints, stderr included; ends this one if its exit status is another."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", **options)
    if done.returncode != status:
        sys.exit(f"{shlex.join(map(str, command))} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def different(found, expected, where):
    """What is missing from a set of file names, and what should not be in it, one line each."""
    missing = [f"{where} lacks {name}" for name in sorted(expected - found)]
    return missing + [f"{where} should not have {name}" for name in sorted(found - expected)]


def contents(sdist, wheel, tracked):
    """How the files in an sdist and in a wheel differ from those that git tracks, one line each."""
    with tarfile.open(sdist) as tar:
        names = {member.name.partition("/")[2] for member in tar if member.isfile()}
    with zipfile.ZipFile(wheel) as archive:
        package = {name for name in archive.namelist() if name.startswith("cevnsloop/")}
    source = {name for name in names if not re.fullmatch(MADE, name)}
    own = {name for name in tracked if name.startswith("cevnsloop/")}
    return different(source, tracked, "the sdist") + different(package, own, "the wheel")


def run_readme(wheel, folder):
    """Install a wheel into an empty environment in a folder and run the commands of the README with it."""
    bin = folder / "env" / "bin"
    output(sys.executable, "-m", "venv", folder / "env")
    uv = [Path(sys.executable).with_name("uv"), "pip", "install", "--python", bin / "python"]
    output(*uv, "--constraint", ROOT / "constraints.txt", wheel)
    work, environment = folder / "work", {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    work.mkdir()
    for line in re.findall(r"^cevnsloop (.+)$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE):
        words = shlex.split(line)
        missing = OPTIONAL.get(words[0])
        said = output(bin / "cevnsloop", *words, status=2 if missing else 0, cwd=work, env=environment)
        if missing and missing not in said:
            sys.exit(f"cevnsloop {line} does not say that it needs {missing}:\n{said}")
        print(f"cevnsloop {line}: {f'needs {missing}' if missing else 'ok'}", flush=True)
    there = output(bin / "python", "-m", "cevnsloop", *LIMIT.split(), cwd=work, env=environment)
    here = output(sys.executable, "-m", "cevnsloop", *LIMIT.split(), cwd=ROOT)
    if there != here:
        sys.exit(f"the wheel prints another limit:\n{there}the clone:\n{here}")


def main():
    (sdist,), (wheel,) = (list((ROOT / "dist").glob(pattern)) for pattern in ("*.tar.gz", "*.whl"))
    tracked = set(output("git", "ls-files", "-z", cwd=ROOT).split("\0")) - {""}
    if found := contents(sdist, wheel, tracked):
        sys.exit("\n".join(found))
    with tempfile.TemporaryDirectory() as folder:
        run_readme(wheel, Path(folder))
    print(f"good: {sdist.name} {wheel.name}")


if __name__ == "__main__":
    main()
