"""Find a Chromium for the checks of the pages and for printing them.

    python tools/browser.py

says where it is. Where there is none, Debian's package is installed, but only by root on Debian (a container, CI); on
anybody's own machine nothing is installed, and one line says what is missing. The exit code is 0 all the same, as the
checks are skipped without a browser; it is 1 where the environment says BROWSER_CHECKS=required.
"""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OS_RELEASE = Path("/etc/os-release")
COMMANDS = (["apt-get", "update"], ["apt-get", "install", "--yes", "--no-install-recommends", "chromium"])
PATIENCE = 300  # seconds for each of the two


class Missing(Exception):
    """What is missing, and how to get it, in one line."""


def on_path():
    """The path of the first Chromium or Chrome on PATH, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def required():
    """Whether a missing browser is a failure."""
    return os.environ.get("BROWSER_CHECKS") == "required"


def may_install():
    """Whether this is root on Debian: Ubuntu's package of the same name is a stub that needs snapd."""
    debian = OS_RELEASE.is_file() and "ID=debian" in OS_RELEASE.read_text(encoding="utf-8").splitlines()
    return debian and os.geteuid() == 0 and shutil.which("apt-get") is not None


def install():
    """Install Debian's package; raise Missing with the last words of apt-get if that fails."""
    for command in COMMANDS:
        said = f"no Chromium, and `{' '.join(command)}` failed: "
        try:
            done = subprocess.run(
                command,
                env=os.environ | {"DEBIAN_FRONTEND": "noninteractive"},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Missing(said + str(error)) from error
        if done.returncode:
            raise Missing(said + (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1])


def executable(installing=False):
    """The path of Chromium; with installing, install it where that is allowed. Raises Missing."""
    if not (found := on_path()) and installing and may_install():
        install()
        found = on_path()
    if not found:
        raise Missing(f"no Chromium here: none of {', '.join(NAMES)} is on PATH; install one of them")
    return found


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
        sys.exit(required())
