"""Run `make test` on every supported Python that is found here, each in an environment of its own (.venv-3.12, ...).

    python tools/pythons.py

Pythons are looked for on PATH and where pyenv keeps them. One that is not found is left out, with a line that says so.
The exit code is 0 only if the tests pass on all that are found, and there is one.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SUPPORTED = ("3.11", "3.12", "3.13", "3.14")


def candidates(version):
    """Paths that may be a Python of a version such as "3.12": that on PATH first, then pyenv's, the newest first."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    releases = [path for path in pyenv.glob(f"versions/{version}.*") if re.fullmatch(r"\d+\.\d+\.\d+", path.name)]
    releases.sort(key=lambda path: int(path.name.rpartition(".")[2]), reverse=True)
    kept = [path / "bin" / f"python{version}" for path in releases]
    return [str(path) for path in (shutil.which(f"python{version}"), *kept) if path]


def works(path, version):
    """Whether that is a Python of the version which can make virtual environments: a shim of pyenv may be neither."""
    code = "import sys, ensurepip, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        said = subprocess.run([path, "-c", code], capture_output=True, text=True)
    except OSError:
        return False
    return said.returncode == 0 and said.stdout.strip() == version


def main():
    results = {}
    for version in SUPPORTED:
        path = next((path for path in candidates(version) if works(path, version)), None)
        if path is None:
            print(f"Python {version}: not found here, skipped", flush=True)
            continue
        print(f"Python {version}: {path}", flush=True)
        run = [os.environ.get("MAKE", "make"), "test", f"VENV=.venv-{version}", f"PYTHON={path}"]
        results[version] = subprocess.run(run, cwd=Path(__file__).resolve().parents[1]).returncode
    for version, code in results.items():
        print(f"Python {version}: {'failed' if code else 'passed'}")
    return int(not results or any(results.values()))


if __name__ == "__main__":
    sys.exit(main())
