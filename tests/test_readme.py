"""What the README shows runs as it stands, in the number of lines that it promises."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```", README, flags=re.S | re.M)


def test_your_own_model_is_measured_in_twenty_lines(capsys: pytest.CaptureFixture[str]) -> None:
    (snippet,) = SNIPPETS
    assert len([line for line in snippet.splitlines() if line.strip()]) <= 20
    exec(compile(snippet, "README.md", "exec"), {"__name__": "readme"})
    printed = capsys.readouterr().out
    error, floor = (float(found) for found in re.search(r"A: (\S+), noise floor (\S+),", printed).groups())
    assert error > 1e6 * floor > 0, "an untrained network is far from equivariant"
    fractions = [float(found) / 100 for found in re.findall(r": (-?[\d.]+)%", printed)]
    assert sum(fractions) == pytest.approx(1, abs=0.01), "sectors and remainder are the whole"


def test_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\((?!http)([^)#]+)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_notebooks_that_the_readme_names_exist() -> None:
    named = set(re.findall(r"\b(\d\d_[a-z_]+)\b", README))
    assert named
    assert [name for name in named if not (ROOT / "notebooks" / f"{name}.py").exists()] == []
