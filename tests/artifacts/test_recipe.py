import pytest

from symlab.artifacts import Recipe


def test_key_is_stable_and_order_free():
    a = Recipe("toy", {"n": 3, "widths": (1, 2)}, packages=("numpy", "torch"))
    b = Recipe("toy", {"widths": [1, 2], "n": 3}, packages=("torch", "numpy"))
    assert a.key == b.key
    assert len(a.key) == 64


@pytest.mark.parametrize(
    "other",
    [
        Recipe("toys", {"n": 3}),
        Recipe("toy", {"n": 4}),
        Recipe("toy", {"n": 3}, code=("symlab.artifacts",)),
        Recipe("toy", {"n": 3}, packages=("numpy",)),
        Recipe("toy", {"n": 3}, inputs=("0" * 64,)),
    ],
)
def test_every_field_changes_the_key(other):
    assert other.key != Recipe("toy", {"n": 3}).key


def test_a_package_version_changes_the_key(monkeypatch):
    before = Recipe("toy", {}, packages=("numpy",)).key
    monkeypatch.setattr("importlib.metadata.version", lambda name: "99.0")
    assert Recipe("toy", {}, packages=("numpy",)).key != before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "Two words"}, ValueError, "kind must be a word of lower-case letters.*'Two words'"),
        ({"parameters": {"x": float("nan")}}, ValueError, r"parameters\['x'\] must hold finite numbers.*use None"),
        ({"parameters": {"x": {1, 2}}}, TypeError, r"parameters\['x'\] must be a JSON value.*\{1, 2\}"),
        ({"code": "symlab.data"}, TypeError, "code must be a tuple of names.*add a comma"),
    ],
)
def test_bad_fields_are_refused_at_once(arguments, error, message):
    with pytest.raises(error, match=message):
        Recipe(**({"kind": "toy", "parameters": {}} | arguments))


def test_missing_package_is_named():
    with pytest.raises(ValueError, match="'no-such-package' is not installed"):
        _ = Recipe("toy", {}, packages=("no-such-package",)).key
