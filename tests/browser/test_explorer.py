"""The figure "Explore" of the first page, moved by keyboard: what it shows is what is stored in the page."""

import json
import re
import shutil

import numpy as np
import pytest

PAGE = "book/index.html"
AMPLITUDES = ("published", "complete")
PLOTS = ("limit", "spectrum")
PIXEL = 0.1  # to which the curves are drawn


class Figure:
    """The figure on a loaded page: what it holds, what it shows, and its controls."""

    def __init__(self, page):
        self.page, self.root = page, page.locator("#explorer")
        self.data = json.loads(self.root.locator('script[type="application/json"]').text_content())

    def press(self, slider, *keys):
        for key in keys:
            self.page.locator(f"#explore-{slider}").press(key)

    def move(self, ratio=None, mass=None):
        """Put the sliders at values of the grid, with the keyboard."""
        for slider, values, value in (("ratio", "ratios", ratio), ("mass", "shown", mass)):
            if value is not None:
                steps = self.data[values].index(value) - int(self.page.locator(f"#explore-{slider}").input_value())
                self.press(slider, *["ArrowRight" if steps > 0 else "ArrowLeft"] * abs(steps))

    def choose(self, case):
        self.root.locator(f"input[value={case}]").check()

    def shows(self, name):
        """The text that stands in the readout for a name."""
        return self.root.locator(f".readout [data-shows={name}]").inner_text()

    def number(self, name):
        return to_number(self.shows(name))

    def drawn(self, plot, name):
        """The corners of a line, shape (points, 2)."""
        d = self.root.locator(f"#explore-{plot} .{name}").first.get_attribute("d")
        return np.array([step.split() for step in re.split("[ML]", d)[1:]], dtype=float)

    def point(self, name):
        point = self.root.locator(f"#explore-limit .point.{name}")
        return np.array([[float(point.get_attribute(key)) for key in ("cx", "cy")]])

    def limit(self, case, name, ratio, mass):
        row = self.data["limits"][case][name][self.data["ratios"].index(ratio)]
        return row[self.data["masses"].index(mass)]

    def stored(self, what, case, name, ratio, mass):
        """Hundredths as they are stored at a point of the grid: a list, 0 for nothing."""
        row = self.data[what][case][name][self.data["ratios"].index(ratio)]
        return np.array(row[self.data["shown"].index(mass)] or [0]) / 100

    def style(self, selector, name):
        return self.root.locator(selector).first.evaluate("(e, name) => getComputedStyle(e)[name]", name)


@pytest.fixture
def on_page(open_page):
    """The figure where it belongs, on the first page of the book."""
    return Figure(open_page(PAGE))


@pytest.fixture
def alone(page, site, tmp_path):
    """alone(edit) loads the built figure without the book around it, its numbers changed by edit(data)."""

    def load(edit=lambda data: None):
        html = (site / PAGE).read_text(encoding="utf-8")
        start, end = re.search(r'<div id="explorer".*?explore\.js" defer></script>\n</div>', html, re.DOTALL).span()
        before, data, after = re.split(r'(?<=application/json">)(.*?)(?=</script>)', html[start:end], flags=re.DOTALL)
        data = json.loads(data)
        edit(data)
        shutil.copytree(site / "_static", tmp_path / "_static", ignore=lambda _, names: set(names) - STYLES)
        (tmp_path / "book").mkdir()
        head = "<!doctype html><html lang=en><meta charset=utf-8><title>Explore</title>"
        head += '<link rel="stylesheet" href="../_static/custom.css">'
        (tmp_path / PAGE).write_text(head + before + json.dumps(data) + after, encoding="utf-8")
        page.goto((tmp_path / PAGE).as_uri())
        return Figure(page)

    return load


STYLES = {"explore.js", "explore.css", "custom.css"}


@pytest.fixture
def figure(alone):
    return alone()


def to_number(text):
    """5.277 × 10⁻² and 3.236 as floats."""
    mantissa, *power = text.replace("\N{NO-BREAK SPACE}", " ").split(" × 10")
    exponent = power[0].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) if power else "0"
    return float(f"{mantissa}e{exponent}")


def assert_on_one_line(x, y):
    """y is linear in x to a tenth of a pixel: the drawing is an axis with a scale, and all points are on it."""
    x, y = (np.concatenate([np.ravel(part) for part in parts]) for parts in (x, y))
    slope, offset = np.polyfit(x, y, 1)
    assert abs(slope) > 1
    assert abs(slope * x + offset - y).max() < PIXEL


def test_it_starts_with_a_readout_and_no_trouble(on_page, trouble):
    assert on_page.root.locator("form").is_visible()
    assert not on_page.root.locator(".asleep").is_visible()
    case, ratio, mass = on_page.shows("case"), on_page.number("ratio"), on_page.number("mass")
    for name in AMPLITUDES:
        assert on_page.number(name) == on_page.limit(case, name, ratio, mass)
    assert on_page.number("data") == sum(on_page.data["n_obs"])
    assert on_page.number("sm") == round(sum(on_page.data["n_sm"]))
    assert not trouble


def test_keys_move_the_sliders_and_what_hangs_on_them(figure):
    for slider, values, moves in (("ratio", "ratios", (True, True)), ("mass", "shown", (False, True))):
        figure.press(slider, "Home")
        before = [figure.drawn(plot, "line.published") for plot in PLOTS]
        assert figure.number(slider) == figure.data[values][0]
        figure.press(slider, "ArrowRight", "ArrowRight")
        assert figure.number(slider) == figure.data[values][2]
        after = [figure.drawn(plot, "line.published") for plot in PLOTS]
        changed = tuple(not np.array_equal(*pair) for pair in zip(before, after, strict=True))
        assert changed == moves, slider
        figure.press(slider, "End", "ArrowLeft")
        assert figure.number(slider) == figure.data[values][-2]
    figure.root.locator("input[value=A]").focus()
    for key, case in (("ArrowRight", "B"), ("ArrowLeft", "A")):
        figure.page.keyboard.press(key)
        assert figure.shows("case") == case


@pytest.mark.parametrize("case", ["A", "B"])
def test_readout_is_what_is_stored(case, figure, trouble):
    figure.choose(case)
    for ratio, masses in ((10, (53, 1)), (2, (53, 1)), (1, (1000,)), (100, (53, 1))):
        for mass in masses:
            figure.move(ratio, mass)
            assert (figure.shows("case"), figure.number("ratio"), figure.number("mass")) == (case, ratio, mass)
            assert figure.number("mediator") == ratio * mass
            for name, events, price in zip(AMPLITUDES, ("more", "less"), ("price", "fee"), strict=True):
                assert figure.number(name) == figure.limit(case, name, ratio, mass)
                total = figure.stored("signal", case, name, ratio, mass).sum()
                assert abs(figure.number(events) - total) < 0.0501  # shown to a tenth of an event
                assert figure.shows(events) != "-0.0"
                assert figure.number(price) == figure.stored("price", case, name, ratio, mass)
    assert not trouble


@pytest.mark.parametrize("case", ["A", "B"])
def test_curves_and_ticks_are_on_one_logarithmic_axis_for_all_ratios(case, figure):
    """So are the chosen points, the limits quoted by the paper, and 4 pi."""
    figure.choose(case)
    figure.move(mass=53)
    figure.press("ratio", "Home")
    x, masses, y, limits, marks = [], [], [], [], 0
    for i, ratio in enumerate(figure.data["ratios"]):
        for name in AMPLITUDES:
            drawn, point = figure.drawn("limit", f"line.{name}"), figure.point(name)
            x += [drawn[:, 0], point[:, 0]]
            y += [drawn[:, 1], point[:, 1]]
            masses += [figure.data["masses"], 53]
            limits += [figure.data["limits"][case][name][i], figure.limit(case, name, ratio, 53)]
        d = figure.root.locator("#explore-limit .quoted").get_attribute("d") or ""
        here = [(m, g) for c, r, m, g in figure.data["quoted"] if (c, r) == (case, ratio)]
        corners = re.findall(r"M([\d.]+) ([\d.]+)", d)
        assert len(corners) == len(here)
        marks += len(here)
        for (left, middle), (m, g) in zip(corners, here, strict=True):
            x, masses = [*x, float(left) + 6], [*masses, m]
            y, limits = [*y, float(middle)], [*limits, g]
        figure.press("ratio", "ArrowRight")
    assert marks == 2
    ticks = ticks_of(figure, "limit")
    x, masses = [*x, *ticks["middle"][0]], [*masses, *(float(text) for text in ticks["middle"][1])]
    y = [
        *y,
        *ticks["end"][0],
        float(re.search(r" ([\d.]+)H", figure.root.locator("#explore-limit .four-pi").get_attribute("d"))[1]),
    ]
    limits = [*limits, *(to_number(f"1 × {text}") for text in ticks["end"][1]), 4 * np.pi]
    assert_on_one_line([np.log10(m) for m in masses], x)
    assert_on_one_line([np.log10(g) for g in limits], y)


def ticks_of(figure, plot):
    """{"middle", "end"}: places and texts of the ticks of the horizontal and the vertical axis."""
    found = {"middle": ([], []), "end": ([], [])}
    for text in figure.root.locator(f"#explore-{plot} text:not(.label)").all():
        anchor = text.get_attribute("text-anchor")
        at = float(text.get_attribute("x")) if anchor == "middle" else float(text.get_attribute("y")) - 4
        found[anchor][0].append(at)
        found[anchor][1].append(text.text_content().replace("−", "-"))
    return found


@pytest.mark.parametrize("case", ["A", "B"])
def test_spectra_are_the_stored_ones(case, figure):
    """The Standard Model, and on top of it the signal of either amplitude, as steps from edge to edge."""
    figure.choose(case)
    n_sm, pe = np.array(figure.data["n_sm"]), np.repeat(figure.data["edges"], 2)[1:-1]
    drawn, events = [figure.drawn("spectrum", "line.sm")], [np.repeat(n_sm, 2)]
    for ratio, mass in ((1, 1), (2, 1), (10, 2), (10, 50), (10, 53), (100, 1000)):
        figure.move(ratio, mass)
        for name in AMPLITUDES:
            drawn.append(figure.drawn("spectrum", f"line.{name}"))
            events.append(np.repeat(n_sm + figure.stored("signal", case, name, ratio, mass), 2))
    circles = figure.root.locator("#explore-spectrum .data circle").all()
    assert len(circles) == len(n_sm)
    heights = [float(circle.get_attribute("cy")) for circle in circles]
    ticks = ticks_of(figure, "spectrum")
    assert_on_one_line(
        [*[pe] * len(drawn), *map(float, ticks["middle"][1])], [*(d[:, 0] for d in drawn), ticks["middle"][0]]
    )
    counts = [*events, figure.data["n_obs"], [float(text) for text in ticks["end"][1]]]
    assert_on_one_line(counts, [*(d[:, 1] for d in drawn), heights, ticks["end"][0]])


def test_axes_are_labelled_and_hold_everything(figure):
    labels = {
        "limit": ["mχ [MeV]", "upper limit on gχ gq"],
        "spectrum": ["number of photoelectrons (PE)", "residual events / 2 PE"],
    }
    frames = {}
    for plot, texts in labels.items():
        assert figure.root.locator(f"#explore-{plot} .label").all_text_contents() == texts
        frame = figure.root.locator(f"#explore-{plot} .frame")
        x, y, width, height = (float(frame.get_attribute(k)) for k in ("x", "y", "width", "height"))
        frames[plot] = np.array([x, y]) - PIXEL, np.array([x + width, y + height]) + PIXEL
    for case, slider, key in [(c, s, k) for c in "AB" for s in ("ratio", "mass") for k in ("Home", "End")]:
        figure.choose(case)
        figure.press(slider, key)
        for plot, (low, high) in frames.items():
            for name in AMPLITUDES:
                line = figure.drawn(plot, f"line.{name}")
                assert ((line >= low) & (line <= high)).all()


def test_colour_is_the_amplitude_and_the_line_is_the_case(figure):
    """As in every figure of the book, in the colours of its style sheet; the key shows them too."""
    wanted = {
        name: figure.root.evaluate(f"e => getComputedStyle(e).getPropertyValue('--figure-{colour}')")
        for name, colour in zip(AMPLITUDES, ("published", "ink"), strict=True)
    }
    for case in ("A", "B"):
        figure.choose(case)
        for place in (
            "#explore-limit",
            "#explore-spectrum",
            ".panel:has(#explore-limit) .key",
            ".panel:has(#explore-spectrum) .key",
        ):
            for name in AMPLITUDES:
                line = f"{place} .line.{name}"
                assert figure.style(line, "stroke") == "rgb({}, {}, {})".format(
                    *bytes.fromhex(wanted[name].strip()[1:])
                )
                assert (figure.style(line, "strokeDasharray") == "none") == (case == "A")


def test_focus_is_visible_in_reading_order(on_page):
    """Tab goes from the cases to the ratio to the mass, and each has an outline that can be seen."""
    on_page.root.locator("input[value=A]").focus()
    for expected in ("A", "explore-ratio", "explore-mass"):
        found = on_page.page.evaluate(
            "() => { const e = document.activeElement, s = getComputedStyle(e); return [e.id || e.value,"
            " e.matches(':focus-visible'), s.outlineStyle, parseFloat(s.outlineWidth) >= 2] }"
        )
        assert found == [expected, True, "solid", True]
        on_page.page.keyboard.press("Tab")


def test_names_and_descriptions_for_those_who_do_not_see(figure):
    figure.choose("B")
    figure.move(2, 53)
    for plot in PLOTS:
        svg = figure.root.locator(f"#explore-{plot}")
        ids = [svg.get_attribute(key) for key in ("aria-labelledby", "aria-describedby")]
        name, description = (figure.page.locator(f"#{one}").text_content() for one in ids)
        assert svg.get_attribute("role") == "img"
        assert len(name) > 10
        assert len(description) > 60
    described = figure.page.locator("#explore-limit-desc").text_content()
    assert all(figure.shows(name) in described for name in AMPLITUDES)
    assert figure.page.locator("#explore-ratio").get_attribute("aria-valuetext") == "2"
    assert figure.page.locator("#explore-mass").get_attribute("aria-valuetext") == "53 MeV"
    assert figure.root.locator("[role=status][aria-live=polite]").count() == 1


@pytest.mark.parametrize("width", [1280, 400])
def test_it_fits_without_scrolling_sideways(width, open_page):
    figure = Figure(open_page(PAGE, width=width))
    for case, ratio, mass in (("A", 10, 100), ("B", 100, 1000), ("B", 1, 1)):
        figure.choose(case)
        figure.move(ratio, mass)
        assert figure.page.evaluate(
            "() => document.scrollingElement.scrollWidth <= document.scrollingElement.clientWidth"
        )
        boxes = figure.root.locator("input, .plot, .readout, .key li").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect()).map((box) => [box.left, box.right])"
        )
        assert min(left for left, _ in boxes) >= 0
        assert max(right for _, right in boxes) <= width
    assert figure.root.locator("#explore-limit text").first.bounding_box()["height"] > 10


def test_without_javascript_a_note_takes_its_place(browser, site):
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto((site / PAGE).as_uri())
        assert "JavaScript" in page.locator("#explorer .asleep").inner_text()
        assert page.locator("#explorer .asleep").is_visible()
        assert [e.is_visible() for e in page.locator("#explorer .awake").all()] == [False] * 3
        assert page.locator("#fig-result .drawing svg").first.is_visible()
    finally:
        context.close()


@pytest.mark.parametrize(("word", "said"), [("never", "none (never excluded)"), ("no signal", "none (no signal)")])
def test_where_there_is_no_limit_the_curve_has_a_gap(word, said, alone, trouble):
    def edit(data):
        row, i = data["ratios"].index(10), data["masses"].index(100)
        data["limits"]["A"]["published"][row][i] = word
        for name in AMPLITUDES:
            data["signal"]["A"][name][row][data["shown"].index(100)] = None
        data["price"]["A"]["published"][row][data["shown"].index(100)] = None

    figure = alone(edit)
    figure.move(10, 100)
    assert [figure.shows(name) for name in ("published", "more", "less", "price")] == [said, "no", "no", "nothing"]
    assert figure.number("complete") == figure.limit("A", "complete", 10, 100)
    d = {name: figure.root.locator(f"#explore-limit .line.{name}").get_attribute("d") for name in AMPLITUDES}
    assert [d[name].count("M") for name in AMPLITUDES] == [2, 1]
    assert len(figure.drawn("limit", "line.published")) == len(figure.data["masses"]) - 1
    shown = [figure.root.locator(f"#explore-limit .point.{name}").is_visible() for name in AMPLITUDES]
    assert shown == [False, True]
    for name in AMPLITUDES:
        assert figure.root.locator(f"#explore-spectrum .line.{name}").get_attribute("d") == ""
    figure.press("mass", "ArrowLeft")
    assert figure.number("published") == figure.limit("A", "published", 10, 53)
    assert figure.root.locator("#explore-limit .point.published").is_visible()
    assert not trouble
