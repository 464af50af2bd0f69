"""The interactive figure: what it shows at each step, and that it needs nothing but itself."""

import json

import numpy as np
import pytest

from symlab import plots

pytest.importorskip("plotly")

STEPS = [0, 3, 10]
LAYERS = ["embedding", "head"]
SECTORS = [(0, 1), (0, -1), (1, 1), (1, -1)]
ERRORS = {"RMSE": [1.0, 0.5, 0.1], "A": [0.5, 0.4, 0.05]}


def spectra() -> np.ndarray:
    return np.random.default_rng(0).uniform(1e-3, 1, size=(3, 2, 4))


def test_every_step_has_a_frame_with_its_map_and_its_marks() -> None:
    values = spectra()
    figure = plots.training_slider(STEPS, values, SECTORS, LAYERS, ERRORS, ylabel="error", unit="eV")
    assert [frame.name for frame in figure.frames] == ["0", "3", "10"]
    assert [step.label for step in figure.layout.sliders[0].steps] == ["0", "3", "10"]
    for k, frame in enumerate(figure.frames):
        heat, *marks = frame.data
        assert list(heat.x) == ["0+", "1+", "0\N{MINUS SIGN}", "1\N{MINUS SIGN}"]
        np.testing.assert_allclose(heat.z, np.log10(values[k][:, [0, 2, 1, 3]]))
        np.testing.assert_allclose(heat.customdata, 100 * values[k][:, [0, 2, 1, 3]])
        assert [mark.y[0] for mark in marks] == [ERRORS["RMSE"][k], ERRORS["A"][k]]
    assert figure.layout.yaxis2.title.text == "error (eV)"
    assert list(figure.layout.xaxis2.categoryarray) == ["0", "3", "10"]


def test_it_opens_at_the_last_step_and_frames_touch_only_what_moves() -> None:
    figure = plots.training_slider(STEPS, spectra(), SECTORS, LAYERS, ERRORS, ylabel="error")
    assert figure.layout.sliders[0].active == 2
    assert figure.data[0].z == figure.frames[2].data[0].z
    assert [list(frame.traces) for frame in figure.frames] == 3 * [[0, 1, 2]]
    assert [trace.name for trace in figure.data if trace.name] == ["RMSE", "A"]


def test_numbers_are_written_as_lists_that_every_plotly_reads() -> None:
    figure = plots.training_slider(STEPS, spectra(), SECTORS, LAYERS, ERRORS, ylabel="error")
    assert "bdata" not in json.dumps(figure.to_plotly_json(), default=str)
    assert "bdata" not in figure.to_json()


def test_spectra_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"spectra must have shape .* = \(3, 2, 4\), got \(2, 2, 4\)"):
        plots.training_slider(STEPS, spectra()[:2], SECTORS, LAYERS, ERRORS, ylabel="error")
    with pytest.raises(ValueError, match="NaN or infinite"):
        plots.training_slider(STEPS, spectra() * np.nan, SECTORS, LAYERS, ERRORS, ylabel="error")
