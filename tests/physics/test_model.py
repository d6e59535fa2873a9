import numpy as np
import pytest

from cevnsloop.model import DOWN_TYPE, Model, unit_model


def test_masses_broadcast_and_are_read_only():
    model = unit_model("A", [1.0, 2.0], 10.0)
    assert model.m_chi.tolist() == [1.0, 2.0]
    assert model.m_zp.tolist() == [10.0, 10.0]
    with pytest.raises(ValueError, match="read-only"):
        model.m_chi[0] = 3.0


def test_a_model_does_not_share_the_arrays_it_was_made_from():
    m_chi = np.array([1.0])
    model = unit_model("A", m_chi, 10.0)
    m_chi[0] = -1.0
    assert model.m_chi[0] == 1.0


def test_default_couplings_are_down_type():
    assert dict(unit_model("B", 1, 10).g_q) == {"d": 1.0, "s": 1.0, "b": 1.0} == dict(DOWN_TYPE)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("C", 1, 10, 1, 1, DOWN_TYPE), "case must be one of A, B, got 'C'"),
        (("A", -3, 10, 1, 1, DOWN_TYPE), "m_chi must be > 0 MeV and finite, got -3.0"),
        (("A", 1, 0, 1, 1, DOWN_TYPE), "m_zp must be > 0 MeV and finite, got 0.0"),
        (("A", 0.9e-6, 10, 1, 1, DOWN_TYPE), r"m_chi must be from 1e-06 to 1e\+09 MeV, got 9e-07"),
        (("A", 1, [1, 1.1e9], 1, 1, DOWN_TYPE), r"m_zp must be from 1e-06 to 1e\+09 MeV, got 1100000000\.0"),
        (("A", np.nan, 10, 1, 1, DOWN_TYPE), "m_chi must be > 0 MeV and finite, got nan"),
        (("A", 1, np.inf, 1, 1, DOWN_TYPE), "m_zp must be > 0 MeV and finite, got inf"),
        (("A", [1, 2], [1, 2, 3], 1, 1, DOWN_TYPE), r"shapes that broadcast, got \(2,\) and \(3,\)"),
        (("A", 1, 10, -1, 1, DOWN_TYPE), "g_chi_L must be >= 0 and finite, got -1.0"),
        (("A", 1, 10, 1, np.nan, DOWN_TYPE), "g_chi_R must be >= 0 and finite, got nan"),
        (("A", 1, 10, 1, 1, {"t": 1}), "flavour must be one of u, d, s, c, b, got 't'"),
        (("A", 1, 10, 1, 1, DOWN_TYPE, "tau"), "neutrinos must be one of all, e, mu, got 'tau'"),
        (("A", 1, 10, 1, 1, {"d": np.inf}), r"g_q\['d'\] must be finite, got inf"),
    ],
)
def test_bad_input_is_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Model(*arguments)


def test_the_pattern_has_the_largest_couplings_1():
    model = Model("B", [1.0, 2.0], 10.0, 2e-4, 8e-4, {"u": 3e-3, "b": -6e-3}, "mu")
    pattern = model.pattern()
    assert model.G == 8e-4 * 6e-3
    assert (pattern.g_chi_L, pattern.g_chi_R, dict(pattern.g_q)) == (0.25, 1.0, {"u": 0.5, "b": -1.0})
    assert (pattern.case, pattern.m_chi.tolist(), pattern.neutrinos) == ("B", [1.0, 2.0], "mu")
    assert pattern.G == 1.0
    assert unit_model("A", 1, 10).pattern().g_q == dict(DOWN_TYPE)


@pytest.mark.parametrize("g_q", [{}, {"d": 0.0}])
def test_couplings_that_are_all_zero_stay_zero(g_q):
    none = Model("A", 1.0, 10.0, 0.0, 0.0, g_q)
    assert none.G == 0.0
    assert (none.pattern().g_chi_L, dict(none.pattern().g_q)) == (0.0, g_q)
