import numpy as np
import pytest

from cevnsloop import checks


def test_values_pass_unchanged():
    assert checks.positive("m", [1, 2.5], "MeV").tolist() == [1.0, 2.5]
    assert checks.non_negative("g", 0, "") == 0.0
    assert np.isnan(checks.positive("m", np.nan, "MeV", allow_nan=True))
    assert checks.choice("case", "A", ("A", "B")) == "A"


@pytest.mark.parametrize("bad", [0.0, -3.0, np.inf, -np.inf, np.nan])
def test_positive_names_the_value(bad):
    with pytest.raises(ValueError, match=rf"m_chi must be > 0 MeV and finite, got {bad}"):
        checks.positive("m_chi", [1.0, bad], "MeV")


@pytest.mark.parametrize("bad", [-1e-300, np.inf, np.nan])
def test_non_negative_names_the_value(bad):
    with pytest.raises(ValueError, match=rf"g must be >= 0 and finite, got {bad}"):
        checks.non_negative("g", bad, "")


def test_infinity_is_refused_where_nan_is_allowed():
    with pytest.raises(ValueError, match="got inf"):
        checks.positive("m", [np.nan, np.inf], "MeV", allow_nan=True)


def test_text_is_not_a_number():
    with pytest.raises(ValueError, match="m_chi must be a number in MeV, got 'heavy'"):
        checks.positive("m_chi", "heavy", "MeV")


def test_choice_lists_what_is_allowed():
    with pytest.raises(ValueError, match="case must be one of A, B, got 'C'"):
        checks.choice("case", "C", ("A", "B"))


@pytest.mark.parametrize("value", [np.uint64(3), np.array([3], "u1"), np.array([3], dtype=object), [np.float32(3)], 3])
def test_numbers_of_every_type_become_float64(value):
    found = checks.positive("m", value, "MeV")
    assert found.dtype == np.float64
    assert (found == 3.0).all()


@pytest.mark.parametrize(
    "value",
    [
        None,
        "1.5",
        ["1.5"],
        np.array([1.0, "1.5"], dtype=object),
        True,
        np.array([True]),
        1 + 0j,
        [[1], [2, 3]],
        10**400,
    ],
)
def test_what_only_numpy_takes_for_numbers_is_refused(value):
    with pytest.raises(ValueError, match="m must be a number in MeV, got "):
        checks.real("m", value, "MeV")


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.masked_equal([1.0, 2.0], 2.0), [1.0, np.ma.masked]])
def test_masked_entries_are_refused(value):
    with pytest.raises(ValueError, match="m must be without masked entries"):
        checks.real("m", value, "MeV")
