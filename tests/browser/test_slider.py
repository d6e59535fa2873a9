"""The slider of sigma_alpha: every position shows its row, by keyboard."""

import json

import pytest


@pytest.mark.parametrize("width", [1280, 400])
def test_each_position_shows_its_row(width, open_page, trouble):
    page = open_page("book/fit.html", width=width)
    root = page.locator("#price-of-alpha")
    rows = json.loads(root.locator("script[type='application/json']").text_content())
    slider = root.locator("input")
    slider.press("Home")
    for value, text in rows:
        assert root.locator("b").inner_text() == value == slider.get_attribute("aria-valuetext")
        assert root.locator("output").inner_text() == text
        slider.press("ArrowRight")
    assert not root.locator(".all").is_visible()
    assert not trouble
