"""Fixtures for tests of the rendered pages in headless Chromium; `make pages` runs them on the built book.

site        Path of the built book (_build/html, or the folder in the environment variable CEVNSLOOP_SITE). Session.
browser     playwright's Browser, started once; skips where Chromium or playwright is missing, fails there where
            BROWSER_CHECKS=required is set. Session.
page        an empty playwright Page, 1280 x 900, light, offline. It is the same for all tests, as it loads in half the
            time once it has read the scripts of the theme: a test that adds handlers or stores something takes a page
            of its own, browser.new_page().
trouble     what went wrong on `page` in this test so far, a list of strings: console errors, uncaught exceptions,
            failed requests, requests that leave the site. Assert that it is empty at the end of a test.
open_page   open_page("book/index.html", theme="light", width=1280) loads a page of the site into `page` over file://,
            waits until its mathematics is set, and returns `page`.

A test in this folder is marked `browser` by itself and is not part of the default run:

    def test_slider(open_page, trouble):
        page = open_page("book/index.html")
        page.locator("#explore input").first.press("ArrowRight")
        ...
        assert not trouble

To run one file: python -m pytest -o addopts="--strict-markers" -m browser tests/browser/test_x.py
"""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSIDE = ("file:", "data:", "blob:", "about:")

sys.path.insert(0, str(ROOT / "tools"))
import print_pages  # noqa: E402
from browser import Missing, executable, launched, required  # noqa: E402


def pytest_ignore_collect(config):
    """Leave this folder alone in a run without the browser: its tests are listed from a book that may just be built."""
    return True if "not browser" in config.option.markexpr else None


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def site():
    if not (print_pages.SITE / "index.html").is_file():
        pytest.fail(f"no built book in {print_pages.SITE}: make book")
    return print_pages.SITE


@pytest.fixture(scope="session")
def browser():
    try:
        with launched(executable()) as chromium:
            yield chromium
    except Missing as missing:
        (pytest.fail if required() else pytest.skip)(str(missing))


@pytest.fixture(scope="session")
def kept_page(browser):
    context = browser.new_context(offline=True)
    page = context.new_page()
    page.trouble = []

    def asked(request):
        if not request.url.startswith(INSIDE):
            page.trouble.append(f"leaves the site: {request.url}")

    def said(message):
        if message.type == "error":
            page.trouble.append(f"console: {message.text}")

    page.on("console", said)
    page.on("pageerror", lambda error: page.trouble.append(f"exception: {error.stack}"))
    page.on("request", asked)
    page.on("requestfailed", lambda request: page.trouble.append(f"failed: {request.url}"))
    yield page
    context.close()


@pytest.fixture
def page(kept_page):
    kept_page.goto("about:blank")  # what the page before it still had to say is said now
    kept_page.set_viewport_size({"width": 1280, "height": 900})
    kept_page.emulate_media(media="null", color_scheme="light")
    kept_page.trouble.clear()
    return kept_page


@pytest.fixture
def trouble(page):
    return page.trouble


@pytest.fixture
def open_page(page, site):
    def open_page(name, theme="light", width=1280):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(media="null", color_scheme=theme)
        print_pages.open_page(page, site / name)
        return page

    return open_page
