"""What a prediction depends on besides model and experiment: a value that is checked, compared and pickled."""

import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest

from cevnsloop import inputs
from cevnsloop.amplitudes.quarks import PUBLISHED, REDERIVED, loop_coefficients
from cevnsloop.amplitudes.theory import AMPLITUDES, OF_QUARKS, Theory
from cevnsloop.inputs import STANDARD
from cevnsloop.model import unit_model
from cevnsloop.nucleus import helm, nuclide

CS, IODINE = nuclide("Cs133"), nuclide("I127")
CHANGED = STANDARD.changed({"quark_masses.b": 4.7, "constants.G_F": 1.2e-5})


def test_the_default_theory_is_the_one_of_the_paper():
    theory = Theory()
    assert (theory.amplitude, theory.moments, theory.weak_angle) == (PUBLISHED, "mz_rounded", "msbar_mz")
    assert theory.inputs == STANDARD
    assert (
        [str(one) for one in AMPLITUDES.values()]
        == list(AMPLITUDES)
        == ["published", "rederived", "partonic", "coherent", "complete"]
    )
    assert list(OF_QUARKS) == ["published", "rederived"]
    assert str(theory) == "amplitude published, moments mz_rounded, weak_angle msbar_mz"


def test_a_theory_is_a_value():
    theory = Theory(REDERIVED, "cteq6l1_mz", "low_energy", CHANGED)
    same = Theory(PUBLISHED.flipped(*("nuclear_matching", "goldstone_box", "gluon_kernel", "interference")))
    same = replace(same, moments="cteq6l1_mz", weak_angle="low_energy", inputs=STANDARD.changed(dict(CHANGED.changes)))
    assert theory == same == pickle.loads(pickle.dumps(theory))
    assert hash(theory) == hash(same)
    others = [
        replace(theory, amplitude=PUBLISHED),
        replace(theory, moments="mz_rounded"),
        replace(theory, weak_angle="msbar_mz"),
        replace(theory, inputs=STANDARD),
    ]
    assert len({theory, same, *others}) == 5
    with pytest.raises(FrozenInstanceError):
        theory.moments = "mz_rounded"
    text = (
        "amplitude rederived, moments cteq6l1_mz, weak_angle low_energy, constants.G_F = 1.2e-05, quark_masses.b = 4.7"
    )
    assert str(theory) == text


@pytest.mark.parametrize("name", inputs.names("weak_angle"))
def test_the_weak_angle_is_that_of_the_inputs(name):
    assert Theory(weak_angle=name).sin2_theta_w == inputs.value(f"weak_angle.{name}")
    changed = Theory(weak_angle=name, inputs=STANDARD.changed({f"weak_angle.{name}": 0.24}))
    assert changed.sin2_theta_w == 0.24
    assert Theory(inputs=CHANGED).G_F == 1.2e-11
    assert inputs.value("constants.G_F") == Theory().G_F


class NoAmplitude:
    """It says nothing of Z exchange."""

    separable = False

    def flip_and_keep(self, E, T, model, nucleus, theory):
        return 0.0, 0.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weak_angle": "on_shell"}, "weak_angle must be one of msbar_mz, low_energy, got 'on_shell'"),
        ({"moments": "mstw"}, "moments must be one of mz_rounded, cteq6l1_mz, cteq6l1_1300MeV, got 'mstw'"),
        ({"amplitude": "published"}, r"amplitude must be such as quarks\.PUBLISHED, got 'published'"),
        ({"amplitude": None}, r"amplitude must be such as quarks\.PUBLISHED, got None"),
        ({"amplitude": NoAmplitude()}, r"amplitude must be such as quarks\.PUBLISHED, got <"),
        ({"inputs": {"quark_masses.b": 4.7}}, "inputs must be of the type Table, such as inputs.STANDARD, got {"),
    ],
)
def test_a_theory_refuses_what_it_does_not_know(changes, message):
    with pytest.raises(ValueError, match=message):
        Theory(**changes)


@pytest.mark.parametrize("amplitude", OF_QUARKS.values(), ids=str)
@pytest.mark.parametrize("case", ["A", "B"])
def test_quarks_offer_what_an_amplitude_must(amplitude, case):
    """Coefficients of each nucleus, and flip and keep made of them: flip = F (c1 / (M E) + c3 M E), keep = F c2."""
    theory = Theory(amplitude, "cteq6l1_mz", inputs=CHANGED)
    model = unit_model(case, np.array([[20.0], [60.0]]), 140.0)
    found = amplitude.coefficients([CS, IODINE], model, theory)
    E, T = np.array([15.0, 29.8, 50.0]), np.array([1e-3, 5e-3, 1e-2])
    for nucleus, c in zip((CS, IODINE), found, strict=True):
        expected = loop_coefficients(model, nucleus, amplitude, "cteq6l1_mz", CHANGED)
        for name in ("c1", "c2", "c3"):
            assert getattr(c, name).tolist() == getattr(expected, name).tolist()
        flip, keep = amplitude.flip_and_keep(E, T, model, nucleus, theory)
        F = helm(2 * nucleus.M * T, nucleus)
        assert flip == pytest.approx(F * (c.c1 / (nucleus.M * E) + c.c3 * nucleus.M * E), rel=1e-15, abs=0)
        assert keep == pytest.approx(F * c.c2, rel=1e-15, abs=0)
    assert amplitude.separable
    assert amplitude.meets_z == (amplitude is REDERIVED)
    assert PUBLISHED.flipped("interference").meets_z
