"""The referees themselves: independent forms agree, the committed tables are the ones they write."""

import csv
import hashlib
import importlib
import inspect
from pathlib import Path

import mpmath as mp
import pytest

from cevnsloop.amplitudes import loops
from cevnsloop.referees import loops as reference

DATA = Path(__file__).parents[2] / "data"
DIFFERENCES = ("D0b", "D1b", "D00b", "D00_ab", "D001_ab", "D11_ab")
RATIOS = (1e-6, 0.03, 0.9, 1.0, 1.0000001, 2.0, 40.0, 1e6)


@pytest.fixture
def tool(monkeypatch):
    monkeypatch.syspath_prepend(DATA)
    return importlib.import_module("make_loop_reference")


def rows(name):
    with (DATA / name).open(newline="", encoding="ascii") as f:
        return list(csv.reader(f))


def same(a, b, digits):
    with mp.workdps(digits + 10):
        return abs(mp.mpf(a) / mp.mpf(b) - 1) < mp.mpf(10) ** -digits


@pytest.mark.parametrize("name", DIFFERENCES)
@pytest.mark.parametrize("ratio", RATIOS)
def test_euclidean_integral_hypergeometric_and_closed_form_agree(name, ratio):
    masses = 53.0, 53.0 * ratio
    integral = reference.loop(name, *masses, reference.euclidean, 25)
    assert same(integral, reference.loop(name, *masses, reference.hypergeometric, 25), 24)
    assert same(integral, reference.closed(name, *masses), 24)


# m_chi = 100 MeV, m_zp = 200 MeV, from a sector-decomposition run that no one here wrote
SECTOR_DECOMPOSITION = {
    "D0b": 7.0699373457765624e-10,
    "D1b": -1.7249477881471354e-10,
    "D11b": 7.2883319624583327e-11,
    "D00b": -4.4825156635558594e-6,
    "D001b": 1.2066805898274306e-6,
    "D1a": -8.9650313271117188e-10,
    "D11a": 2.4133611796548611e-10,
    "D00a": -1.1552453009332422e-5,
    "D001a": 2.3566457819255208e-6,
}


@pytest.mark.parametrize("name", SECTOR_DECOMPOSITION)
def test_conventions_of_each_box(name):
    value = reference.loop(name, 100.0, 200.0, reference.hypergeometric)
    assert float(value) == pytest.approx(SECTOR_DECOMPOSITION[name], rel=2e-15, abs=0)


@pytest.mark.parametrize("tensor", ["D1", "D00", "D11", "D001"])
def test_difference_is_box_a_minus_box_b(tensor):
    a, b, difference = (reference.loop(tensor + which, 53.0, 106.0, digits=25) for which in ("a", "b", "_ab"))
    with mp.workdps(40):
        assert same(a - b, difference, 23)


def test_infrared_divergence_is_refused():
    for name in ("D0a", "D0_ab"):
        with pytest.raises(ValueError, match="D0a is infrared divergent at zero momentum"):
            reference.loop(name, 1.0, 2.0)


@pytest.mark.parametrize("name", ["D11", "D1ab", "D2b", "D0__ab", "b", ""])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match="followed by a, b or _ab, got '" + name):
        reference.loop(name, 1.0, 2.0)


def test_verified_stops_when_levels_agree_and_raises_when_they_never_do():
    levels = []

    def settles():
        levels.append(mp.mp.dps)
        return mp.mpf(1) + mp.mpf(10) ** -len(levels)

    assert abs(reference.verified(settles, 5) - 1) < 1e-5
    assert levels == [15 + 5 * i for i in range(len(levels))]
    with pytest.raises(ArithmeticError, match="no two working precisions up to 100 digits agree to 10 digits"):
        reference.verified(lambda: mp.mpf(mp.mp.dps), 10, limit=100)


@pytest.mark.parametrize(("m2", "M2"), [("2.5", "7"), ("7", "0.01")])
def test_A12_and_A13_in_closed_form(m2, M2):
    with mp.workdps(40):
        m2, M2 = mp.mpf(m2), mp.mpf(M2)
        assert same(reference.C0(m2, M2), -reference.euclidean(1, 1, 2, M2, m2), 30)
        assert same(reference.D0(m2, M2), reference.euclidean(1, 1, 3, M2, m2), 30)
        assert same(mp.diff(lambda v: reference.B0(v, M2), m2), reference.C0(m2, M2), 25)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_X_n_are_one_integral(n):
    with mp.workdps(40):
        x, z, Q = mp.mpf(3), mp.mpf("0.7"), mp.mpf(11)
        integral = mp.quad(lambda s: s / ((s + x) * (s + z) * (s + Q) ** n), [0, z, x, Q, mp.inf])
        assert same(reference.X(n, x, z, Q), (-1) ** n * integral, 28)


@pytest.mark.parametrize("name", reference.KERNEL_TERMS)
@pytest.mark.parametrize("r", ["1e-6", "0.5", "3", "4", "1e5"])
def test_kernel_by_quadrature_and_by_hypergeometric_functions(name, r):
    quadrature = reference.kernel(r, name, reference.moment_quadrature, 15)
    assert same(quadrature, reference.kernel(r, name, digits=15), 14)


@pytest.mark.parametrize("name", reference.KERNEL_TERMS)
def test_A7_as_printed_is_one_euclidean_integral(name):
    masses = 100.0, 200.0, 1270.0
    assert same(reference.A7(*masses, name, 10), reference.F_G(*masses, name, 5), 5)


def test_rederived_kernel_is_A7_with_its_third_sign_flipped():
    masses = 3.0, 5.0, 4.0
    published, rederived = (reference.A7(*masses, name, 10) for name in ("published", "rederived"))
    assert 2.42 < published / rederived < 3


def test_tables_are_the_committed_ones():
    sums = dict(line.split()[::-1] for line in (DATA / "SHA256SUMS").read_text(encoding="ascii").splitlines())
    assert sorted(sums) == ["gluon.csv", "loops.csv"]
    for name, digest in sums.items():
        assert hashlib.sha256((DATA / name).read_bytes()).hexdigest() == digest, name


def test_tables_hold_the_masses_of_the_generator(tool):
    for name, masses in (("loops.csv", tool.loop_masses()), ("gluon.csv", tool.gluon_masses())):
        columns = len(masses[0])
        assert [tuple(map(float, row[:columns])) for row in rows(name)[1:]] == masses


def test_generator_knows_the_switches(tool):
    assert tool.SWITCHES == loops.NEAR


def test_sample_of_the_tables_is_regenerated_to_the_last_digit(tool):
    loop_rows, gluon_rows = rows("loops.csv"), rows("gluon.csv")
    assert loop_rows[0][2:] == list(tool.LOOPS)
    for row in loop_rows[1::20]:
        assert tool.loop_row(float(row[0]), float(row[1])) == row
    for row in gluon_rows[3::31]:
        assert tool.gluon_row(*map(float, row[:3])) == row


def test_generator_writes_tables_and_checksums(tool, tmp_path, monkeypatch):
    monkeypatch.setattr(tool, "loop_masses", lambda: [(1.0, 2.0)])
    monkeypatch.setattr(tool, "gluon_masses", lambda: [(1.0, 2.0, 3.0)])
    tool.main(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["SHA256SUMS", "gluon.csv", "loops.csv"]
    digest = hashlib.sha256((tmp_path / "gluon.csv").read_bytes()).hexdigest()
    assert f"{digest}  gluon.csv\n" in (tmp_path / "SHA256SUMS").read_text(encoding="ascii")


def test_reference_shares_nothing_with_production():
    source = inspect.getsource(reference)
    assert "import" not in source.replace("import mpmath as mp", "").split('"""', 2)[2]


@pytest.mark.parametrize("masses", [(1e13, 3e12), (1e15, 1e15), (1e15, 1e-6), (1e-6, 1e9)])
@pytest.mark.parametrize("name", ["D0b", "D11_ab", "D001_ab"])
def test_the_euclidean_integral_holds_for_every_mass_of_a_model(name, masses):
    """In s alone the rule found nothing beyond 1e12 MeV at 16 digits, and two precisions agreed on it."""
    with mp.workdps(30):
        assert same(
            reference.loop(name, *masses, digits=16), reference.loop(name, *masses, reference.hypergeometric, 16), 15
        )
