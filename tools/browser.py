"""Find a Chromium for the checks of the pages and for printing them.

    python tools/browser.py

says where it is. Where there is none, root on Debian (a container, CI) gets Debian's package; on anybody's own machine
nothing is installed, and one line says what is missing. The exit code is 0 all the same, as the checks are skipped
without a browser; it is 1 where the environment says BROWSER_CHECKS=required.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OS_RELEASE = Path("/etc/os-release")
INSTALL = "apt-get update && apt-get install --yes --no-install-recommends chromium"
PATIENCE = 600  # seconds


class Missing(Exception):
    """What is missing, and how to get it, in one line."""


def on_path():
    """The path of the first Chromium or Chrome on PATH, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


def required():
    """Whether a missing browser is a failure."""
    return os.environ.get("BROWSER_CHECKS") == "required"


def may_install():
    """Whether this is root on Debian: Ubuntu's package of the same name is a stub that needs snapd."""
    debian = OS_RELEASE.is_file() and "ID=debian" in OS_RELEASE.read_text(encoding="utf-8").splitlines()
    return debian and os.geteuid() == 0 and shutil.which("apt-get") is not None


def executable(installing=False):
    """The path of the first Chromium or Chrome on PATH; with installing, install one where that is allowed.

    Raises Missing, with the last words of apt-get if that failed.
    """
    said = ""
    if not (path := on_path()) and installing and may_install():
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        command = ["timeout", str(PATIENCE), "sh", "-c", INSTALL]
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        words = done.stderr.strip() or f"exit code {done.returncode}"
        said = f"; `{INSTALL}` failed: {words.splitlines()[-1]}" if done.returncode else ""
        path = on_path()
    if not path:
        raise Missing(f"no Chromium here: none of {', '.join(NAMES)} is on PATH; install one of them{said}")
    return path


@contextmanager
def launched(path):
    """A headless browser (playwright's Browser) of the executable at path, running. Missing without playwright."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise Missing('no playwright here: pip install -e ".[pages]"') from error
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path)
        yield chromium
        chromium.close()


if __name__ == "__main__":
    try:
        print(f"Chromium: {executable(installing=True)}")
    except Missing as missing:
        print(f"the checks in the browser are skipped: {missing}")
        sys.exit(int(required()))
