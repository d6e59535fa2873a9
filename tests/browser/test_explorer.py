"""The figure "Explore" of the first page, moved by keyboard: what it shows is what is stored in the page."""

import json
import re
import shutil

import numpy as np
import pytest

PAGE = "book/index.html"
AMPLITUDES = ("published", "rederived")
WIDTHS = (1280, 400)
THEMES = ("light", "dark")
TENTH_OF_A_PIXEL = 0.1  # to which the curves are drawn


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
        for name in ("explore.js", "explore.css"):
            (tmp_path / "_static").mkdir(exist_ok=True)
            shutil.copy(site / "_static" / name, tmp_path / "_static")
        (tmp_path / "book").mkdir()
        head = "<!doctype html><html lang=en><meta charset=utf-8><title>Explore</title>"
        (tmp_path / PAGE).write_text(head + before + json.dumps(data) + after, encoding="utf-8")
        page.goto((tmp_path / PAGE).as_uri())
        return Figure(page)

    return load


@pytest.fixture
def figure(alone):
    return alone()


class Figure:
    """The figure on a loaded page: what it holds, what it shows, and its controls."""

    def __init__(self, page):
        self.page = page
        self.root = page.locator("#explorer")
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

    def line(self, plot, name):
        """The corners of a line, shape (points, 2)."""
        d = self.root.locator(f"#explore-{plot} .line.{name}").get_attribute("d")
        return np.array([step.split() for step in re.split("[ML]", d)[1:]], dtype=float)

    def limit(self, case, name, ratio, mass):
        row = self.data["limits"][case][name][self.data["ratios"].index(ratio)]
        return row[self.data["masses"].index(mass)]

    def signal(self, case, name, ratio, mass):
        row = self.data["signal"][case][name][self.data["ratios"].index(ratio)]
        stored = row[self.data["shown"].index(mass)]
        return np.array(stored or [0] * len(self.data["n_sm"])) / 100


def to_number(text):
    """5.277 × 10⁻² and 3.236 as floats."""
    mantissa, *power = text.replace("\N{NO-BREAK SPACE}", " ").split(" × 10")
    exponent = power[0].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) if power else "0"
    return float(f"{mantissa}e{exponent}")


def assert_on_one_line(x, y):
    """y is linear in x to a tenth of a pixel: the drawing is an axis with a scale, and all points are on it."""
    x, y = np.concatenate(x), np.concatenate(y)
    slope, offset = np.polyfit(x, y, 1)
    assert abs(slope) > 1
    assert abs(slope * x + offset - y).max() < TENTH_OF_A_PIXEL


def test_it_starts_with_a_readout_and_no_trouble(on_page, trouble):
    assert on_page.root.locator("form").is_visible()
    assert not on_page.root.locator(".asleep").is_visible()
    case, ratio, mass = on_page.shows("case"), on_page.number("ratio"), on_page.number("mass")
    for name in AMPLITUDES:
        assert on_page.number(name) == on_page.limit(case, name, ratio, mass)
    assert on_page.number("data") == sum(on_page.data["n_obs"])
    assert on_page.number("sm") == round(sum(on_page.data["n_sm"]))
    assert not trouble


def test_arrow_home_and_end_move_the_ratio(on_page, trouble):
    ratios = on_page.data["ratios"]
    on_page.press("ratio", "Home")
    before = on_page.line("limit", "published")
    assert on_page.number("ratio") == ratios[0]
    on_page.press("ratio", "ArrowRight")
    assert on_page.number("ratio") == ratios[1]
    assert not np.allclose(on_page.line("limit", "published"), before)
    on_page.press("ratio", "End")
    assert on_page.number("ratio") == ratios[-1]
    on_page.press("ratio", "ArrowLeft")
    assert on_page.number("ratio") == ratios[-2]
    assert not trouble


def test_arrow_home_and_end_move_the_mass(figure):
    shown = figure.data["shown"]
    figure.press("mass", "Home")
    curve, spectrum = figure.line("limit", "published"), figure.line("spectrum", "published")
    assert figure.number("mass") == shown[0]
    figure.press("mass", "ArrowRight", "ArrowRight")
    assert figure.number("mass") == shown[2]
    assert np.allclose(figure.line("limit", "published"), curve)
    assert not np.allclose(figure.line("spectrum", "published"), spectrum)
    figure.press("mass", "End")
    assert figure.number("mass") == shown[-1]


@pytest.mark.parametrize("case", ["A", "B"])
def test_readout_is_what_is_stored(case, figure, trouble):
    figure.choose(case)
    for ratio in (10, 2, 1, 100):
        figure.move(ratio=ratio)
        for mass in (53, 1) if ratio > 1 else (1000,):
            figure.move(mass=mass)
            assert (figure.shows("case"), figure.number("ratio"), figure.number("mass")) == (case, ratio, mass)
            assert figure.number("mediator") == ratio * mass
            for name, events in zip(AMPLITUDES, ("more", "less"), strict=True):
                assert figure.number(name) == figure.limit(case, name, ratio, mass)
                total = figure.signal(case, name, ratio, mass).sum()
                assert abs(figure.number(events) - total) < 0.0501  # shown to a tenth of an event
                assert figure.shows(events) != "-0.0"
    assert not trouble


@pytest.mark.parametrize("case", ["A", "B"])
def test_curves_are_the_stored_limits(case, figure):
    """On one logarithmic axis for all ratios, the chosen points on their curves."""
    figure.choose(case)
    figure.move(mass=53)
    figure.press("ratio", "Home")
    x, masses, y, limits = [], [], [], []
    for i, ratio in enumerate(figure.data["ratios"]):
        assert figure.number("ratio") == ratio
        for name in AMPLITUDES:
            drawn = figure.line("limit", name)
            point = figure.root.locator(f"#explore-limit .point.{name}")
            centre = [float(point.get_attribute(key)) for key in ("cx", "cy")]
            x += [drawn[:, 0], centre[:1]]
            y += [drawn[:, 1], centre[1:]]
            masses += [figure.data["masses"], [53]]
            limits += [figure.data["limits"][case][name][i], [figure.limit(case, name, ratio, 53)]]
        figure.press("ratio", "ArrowRight")
    assert_on_one_line([np.log10(m) for m in masses], x)
    assert_on_one_line([np.log10(g) for g in limits], y)


@pytest.mark.parametrize("case", ["A", "B"])
def test_spectra_are_the_stored_ones(case, figure):
    """The Standard Model, and on top of it the signal of either amplitude, as steps from edge to edge."""
    figure.choose(case)
    n_sm, edges = np.array(figure.data["n_sm"]), figure.data["edges"]
    pe = np.repeat(edges, 2)[1:-1]
    drawn = figure.line("spectrum", "sm")
    x, y, events = [drawn[:, 0]], [drawn[:, 1]], [np.repeat(n_sm, 2)]
    for ratio, mass in ((1, 1), (2, 1), (10, 2), (10, 50), (10, 53), (100, 1000)):
        figure.move(ratio, mass)
        for name in AMPLITUDES:
            drawn = figure.line("spectrum", name)
            x.append(drawn[:, 0])
            y.append(drawn[:, 1])
            events.append(np.repeat(n_sm + figure.signal(case, name, ratio, mass), 2))
    circles = figure.root.locator("#explore-spectrum .data circle").all()
    assert len(circles) == len(n_sm)
    y.append([float(circle.get_attribute("cy")) for circle in circles])
    events.append(figure.data["n_obs"])
    assert_on_one_line([pe] * len(x), x)
    assert_on_one_line(events, y)


def test_axes_are_labelled_and_hold_everything(figure):
    labels = {
        "limit": ["mχ [MeV]", "upper limit on gχ gq"],
        "spectrum": ["number of photoelectrons (PE)", "residual events / 2 PE"],
    }
    frames = {}
    for plot, texts in labels.items():
        svg = figure.root.locator(f"#explore-{plot}")
        assert svg.locator(".label").all_text_contents() == texts
        frame = svg.locator(".frame")
        left, top, width, height = (float(frame.get_attribute(k)) for k in ("x", "y", "width", "height"))
        frames[plot] = np.array([left, top]), np.array([left + width, top + height])
    for case in ("A", "B"):
        figure.choose(case)
        for slider in ("ratio", "mass"):
            for key in ("Home", "End"):
                figure.press(slider, key)
                for plot, (low, high) in frames.items():
                    for name in AMPLITUDES:
                        line = figure.line(plot, name)
                        assert (line >= low - TENTH_OF_A_PIXEL).all()
                        assert (line <= high + TENTH_OF_A_PIXEL).all()


def test_ticks_stand_where_their_numbers_are(figure):
    """The labels of the axes belong to the scales that the curves are drawn in."""
    figure.move(10, 100)
    texts = {plot: figure.root.locator(f"#explore-{plot} text:not(.label)") for plot in ("limit", "spectrum")}
    places = {
        plot: [
            (t.text_content(), t.get_attribute("text-anchor"), float(t.get_attribute("x")), float(t.get_attribute("y")))
            for t in found.all()
        ]
        for plot, found in texts.items()
    }
    drawn = figure.line("limit", "published")
    ticks = [(x, float(text)) for text, anchor, x, _ in places["limit"] if anchor == "middle"]
    assert [value for _, value in ticks] == [1, 10, 100, 1000]
    masses = [*figure.data["masses"], *(value for _, value in ticks)]
    assert_on_one_line([np.log10(masses)], [[*drawn[:, 0], *(x for x, _ in ticks)]])
    limits = figure.data["limits"]["A"]["published"][figure.data["ratios"].index(10)]
    ticks = [(y - 4, to_number(f"1 × {text}")) for text, anchor, _, y in places["limit"] if anchor == "end"]
    assert_on_one_line([np.log10([*limits, *(g for _, g in ticks)])], [[*drawn[:, 1], *(y for y, _ in ticks)]])
    drawn = figure.line("spectrum", "sm")
    ticks = [(y - 4, float(text.replace("−", "-"))) for text, anchor, _, y in places["spectrum"] if anchor == "end"]
    events = [*np.repeat(figure.data["n_sm"], 2), *(n for _, n in ticks)]
    assert_on_one_line([events], [[*drawn[:, 1], *(y for y, _ in ticks)]])


def test_case_changes_colour_curves_and_words(figure):
    figure.move(2, 10)
    seen = {}
    for case in ("A", "B"):
        figure.choose(case)
        line = figure.root.locator("#explore-limit .line.published")
        colour = line.evaluate("line => getComputedStyle(line).stroke")
        seen[case] = colour, line.get_attribute("d"), figure.root.locator(".readout").inner_text()
        expected = figure.root.evaluate("(root, name) => root.style.getPropertyValue(name).trim()", f"--case-{case}")
        assert colour == "rgb({}, {}, {})".format(*bytes.fromhex(expected.removeprefix("#")))
    assert all(a != b for a, b in zip(*seen.values(), strict=True))


def test_radio_buttons_follow_the_arrow_keys(figure):
    figure.root.locator("input[value=A]").focus()
    figure.page.keyboard.press("ArrowRight")
    assert figure.shows("case") == "B"
    figure.page.keyboard.press("ArrowLeft")
    assert figure.shows("case") == "A"


def test_numbers_of_the_paper_are_marked_at_their_ratios(figure):
    for case, ratio, expected in (("A", 10, 1), ("B", 2, 1), ("A", 3, 0), ("B", 100, 0)):
        figure.choose(case)
        figure.move(ratio=ratio)
        d = figure.root.locator("#explore-limit .quoted").get_attribute("d") or ""
        assert d.count("M") == expected
    figure.choose("A")
    figure.move(10, 1)
    # in case A the quoted limit is reached: the diamond is where the chosen point is
    diamond = np.array(
        re.match(r"M([\d.]+) ([\d.]+)", figure.root.locator("#explore-limit .quoted").get_attribute("d")).groups()
    )
    point = figure.root.locator("#explore-limit .point.published")
    centre = [float(point.get_attribute(key)) for key in ("cx", "cy")]
    assert np.allclose(diamond.astype(float) + np.array([6, 0]), centre, rtol=0, atol=1)


def test_solid_is_published_and_dashed_is_rederived(figure):
    for plot in ("limit", "spectrum"):
        dashes = [
            figure.root.locator(f"#explore-{plot} .line.{name}").evaluate("l => getComputedStyle(l).strokeDasharray")
            for name in AMPLITUDES
        ]
        assert dashes[0] == "none"
        assert dashes[1] != "none"
    for panel in figure.root.locator(".panel").all():
        for name in AMPLITUDES:
            key = panel.locator(f".key li:has([data-draws='line {name}'])")
            assert name in key.inner_text()
            assert key.locator(f".line.{name}").count() == 1


def test_focus_is_visible_in_reading_order(on_page):
    """Tab goes from the cases to the ratio to the mass, and each has an outline that can be seen."""
    on_page.root.locator("input[value=A]").focus()
    visited = []
    for _ in range(3):
        visited.append(on_page.page.evaluate("() => document.activeElement.id || document.activeElement.value"))
        style = on_page.page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return [document.activeElement.matches(':focus-visible'), s.outlineStyle, parseFloat(s.outlineWidth)] }"
        )
        assert style[0]
        assert style[1] == "solid"
        assert style[2] >= 2
        on_page.page.keyboard.press("Tab")
    assert visited == ["A", "explore-ratio", "explore-mass"]


def test_names_and_descriptions_for_those_who_do_not_see(figure):
    figure.choose("B")
    figure.move(2, 53)
    for plot in ("limit", "spectrum"):
        svg = figure.root.locator(f"#explore-{plot}")
        assert svg.get_attribute("role") == "img"
        name, description = (
            figure.page.locator(f"#{svg.get_attribute(key)}").text_content()
            for key in ("aria-labelledby", "aria-describedby")
        )
        assert len(name) > 10
        assert len(description) > 60
    described = figure.page.locator("#explore-limit-desc").text_content()
    assert all(figure.shows(name) in described for name in AMPLITUDES)
    assert figure.page.locator("#explore-ratio").get_attribute("aria-valuetext") == "2"
    assert figure.page.locator("#explore-mass").get_attribute("aria-valuetext") == "53 MeV"
    assert figure.root.locator("[role=status][aria-live=polite]").count() == 1
    for control in figure.root.locator("input").all():
        assert control.evaluate("control => control.labels.length") == 1


# The contrast of WCAG 2 between what is drawn or written and the first opaque background behind it.
CONTRAST = """(elements, property) => elements.map((element) => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const light = (colour) => [0.2126, 0.7152, 0.0722].reduce((total, weight, i) => {
    const c = rgba(colour)[i] / 255;
    return total + weight * (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
  }, 0);
  let behind = element;
  while (behind && rgba(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const ground = light(behind ? getComputedStyle(behind).backgroundColor : "white");
  const [low, high] = [light(getComputedStyle(element)[property]), ground].sort((a, b) => a - b);
  return [(high + 0.05) / (low + 0.05), element.outerHTML];
})"""


@pytest.mark.parametrize("theme", THEMES)
def test_everything_can_be_read_in_both_themes(theme, open_page):
    figure = Figure(open_page(PAGE, theme=theme))
    assert figure.page.locator("html").get_attribute("data-theme") == theme
    for case in ("A", "B"):
        figure.choose(case)
        figure.press("ratio", "Home")
        figure.move(ratio=2)  # where the paper quotes a limit in either case
        for selector, prop, least in (
            ("label, legend, .readout, .readout b, .title, .key li", "color", 4.5),
            ("svg text", "fill", 4.5),
            ("svg .line, svg .quoted, svg .chosen, svg .frame, svg .data path", "stroke", 3),
            ("svg .data circle, svg .point.published", "fill", 3),
            ("input:focus-visible", "outlineColor", 3),
        ):
            found = figure.root.locator(selector).evaluate_all(CONTRAST, prop)
            assert found
            for contrast, element in found:
                assert contrast >= least, (case, element)


@pytest.mark.parametrize("width", WIDTHS)
def test_it_fits_without_scrolling_sideways(width, open_page):
    figure = Figure(open_page(PAGE, width=width))
    for case, ratio, mass in (("A", 10, 100), ("B", 100, 1000), ("B", 1, 1)):
        figure.choose(case)
        figure.move(ratio, mass)
        wide = figure.page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0
        assert figure.root.evaluate("root => root.scrollWidth <= root.clientWidth")
        boxes = figure.root.locator("input, .plot, .readout, .key li").evaluate_all(
            "all => all.map((e) => e.getBoundingClientRect()).map((box) => [box.left, box.right])"
        )
        assert min(left for left, _ in boxes) >= 0
        assert max(right for _, right in boxes) <= width
    text = figure.root.locator("#explore-limit text").first.bounding_box()
    assert text["height"] > 10


def test_nothing_moves_by_itself(on_page):
    """No animation and no transition: nothing to reduce for those who prefer less motion."""
    on_page.press("ratio", "ArrowRight")
    assert on_page.root.evaluate("root => root.getAnimations({ subtree: true }).length") == 0
    assert on_page.root.evaluate(
        "root => [...root.querySelectorAll('*')].every((e) => getComputedStyle(e).transitionDuration === '0s')"
    )


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

    figure = alone(edit)
    figure.move(10, 100)
    assert figure.shows("published") == said
    assert figure.number("rederived") == figure.limit("A", "rederived", 10, 100)
    assert (figure.shows("more"), figure.shows("less")) == ("no", "no")
    d = {name: figure.root.locator(f"#explore-limit .line.{name}").get_attribute("d") for name in AMPLITUDES}
    assert [d[name].count("M") for name in AMPLITUDES] == [2, 1]
    assert len(figure.line("limit", "published")) == len(figure.data["masses"]) - 1
    assert not figure.root.locator("#explore-limit .point.published").is_visible()
    assert figure.root.locator("#explore-limit .point.rederived").is_visible()
    for name in AMPLITUDES:
        assert figure.root.locator(f"#explore-spectrum .line.{name}").get_attribute("d") == ""
    figure.press("mass", "ArrowLeft")
    assert figure.number("published") == figure.limit("A", "published", 10, 53)
    assert figure.root.locator("#explore-limit .point.published").is_visible()
    assert not trouble
