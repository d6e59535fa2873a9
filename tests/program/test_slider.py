"""The slider holds every row as text and as data, and nothing that a page could misread."""

import json
import re

import pytest

from cevnsloop.results.slider import slider

ROWS = [("0.1", "G < 1"), ("0.2", 'a "b" </script> & c')]


def test_every_row_is_there_twice():
    html = slider("price", "width", ROWS, start=1)
    (data,) = re.findall(r'json">(.*?)</script>', html)
    assert json.loads(data) == [list(row) for row in ROWS]
    assert re.findall("<li>(.*?)</li>", html) == [
        "width 0.1: G &lt; 1",
        "width 0.2: a &quot;b&quot; &lt;/script&gt; &amp; c",
    ]
    assert 'max="1" value="1"' in html
    assert "http" not in html


@pytest.mark.parametrize(("rows", "start"), [([], 0), (ROWS, 2), (ROWS, -1)])
def test_a_start_that_is_not_there_is_refused(rows, start):
    with pytest.raises(ValueError, match=f"start must be a position among {len(rows)} rows, got {start}"):
        slider("x", "y", rows, start)
