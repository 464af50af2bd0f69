"""A run seen from inside its notebook: parameters in; figures, key numbers and a record out."""

import base64
import io
import math
import os
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from symlab.artifacts import Store
from symlab.runs import _record
from symlab.runs._errors import RunError
from symlab.runs._papermill import NOTEBOOK_VARIABLE
from symlab.runs._parameters import PRESETS, check_names, declared_parameters, resolve

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pydantic import BaseModel

FOLDER_VARIABLE = "SYMLAB_RUN_FOLDER"  # set by whoever runs the notebook for us
INJECTED = "# Parameters"  # how papermill begins the cell with the values it was given
NAME = re.compile(r"[a-z0-9][a-z0-9_]*")
SHORTEST_ALT = 21


class Run:
    """One execution of a notebook, with its parameters and its folder.

    Attributes:
        notebook: name of the notebook.
        parameters: settled parameters, one attribute each.
        folder: where `record.json` and `figures/` go.
        store: artifacts shared by all runs.
    """

    def __init__(self, notebook: str, parameters: "BaseModel", folder: Path, given: Iterable[str] = ()) -> None:
        self.notebook = notebook
        self.parameters = parameters
        self.folder = _record.make_folder(folder)
        self.store = Store()
        self._namespace: Mapping[str, Any] = {}
        self._started = time.monotonic()
        self._figures: dict[str, dict[str, Any]] = {}
        self._numbers: dict[str, dict[str, Any]] = {}
        self._head = {
            "notebook": notebook,
            "status": "running",
            "parameters": parameters.model_dump(),
            "given": sorted(given),
            "started": _record.now(),
            "device": str(getattr(parameters, "device", None) or "cpu"),
            "versions": _record.versions(),
            "commit": _record.commit(_record.project_root()),
        }
        _record.write_json(self.folder / _record.RECORD, self._head)

    @classmethod
    def start(cls, namespace: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]]) -> "Run":
        """Check and settle the parameters, and open a run folder; call it right after the parameters cell.

        Args:
            namespace: `globals()` of the notebook.
            presets: for "smoke", "book" and "full", the values of the parameters whose default is None.

        Returns:
            The run; `run.parameters.n` is the settled value of the parameter `n`.

        Raises:
            ParameterError: unknown name (also under plain papermill), wrong type, or unknown preset.
            RunError: no parameters cell, or no write permission.
        """
        missing = [name for name in PRESETS if name not in presets]
        if missing:
            raise RunError(f"presets must have the keys {', '.join(PRESETS)}; {missing[0]!r} is missing")
        notebook = _notebook_name(namespace)
        declared, injected = _parameter_sources(namespace)
        parameters = declared_parameters(declared)
        check_names(parameters, _assigned(injected), who=notebook)
        defaults = {parameter.name: parameter.default for parameter in parameters}
        given = {
            name: namespace[name]
            for name, default in defaults.items()
            if name in namespace and namespace[name] != default
        }
        settled = resolve(parameters, given, presets, who=notebook)
        named = os.environ.get(FOLDER_VARIABLE)
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%S-%f")
        run = cls(notebook, settled, Path(named) if named else _record.runs_root() / notebook / stamp, given)
        run._namespace = namespace
        return run

    def figure(self, fig: "Figure", name: str, *, caption: str, alt: str) -> None:
        """Show a figure and keep it as `figures/<name>.png`; the book numbers it and calls it `fig-<name>`.

        One figure for each cell. Prose refers to it with ``{numref}`fig-<name>` ``.

        Args:
            fig: matplotlib figure.
            name: unique through the book; begin with the chapter's number ("09_b_by_layer").
            caption: MyST text; may hold numbers and inline math.
            alt: what the figure shows, for those who cannot see it.

        Raises:
            RunError: bad or repeated name, empty caption, alt text too short, second figure in a cell.
        """
        self._announce(name, caption, alt, f"{name}.png")
        buffer = io.BytesIO()
        fig.savefig(buffer, format="png", metadata={"Software": None})
        (self.folder / "figures" / f"{name}.png").write_bytes(buffer.getvalue())
        self._close(fig)
        self._show({"image/png": base64.b64encode(buffer.getvalue()).decode(), "text/plain": alt}, name)

    def interactive(self, fig: Any, name: str, *, caption: str, alt: str) -> None:
        """Show a plotly figure and keep it as `figures/<name>.html`; all else as for `figure`."""
        self._announce(name, caption, alt, f"{name}.html")
        plot = fig.to_html(include_plotlyjs=False, full_html=False, div_id=f"plot-{name}", auto_play=False)
        label = alt.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        html = f'<div role="group" aria-label="{label}">{plot}</div>'
        (self.folder / "figures" / f"{name}.html").write_text(html, encoding="utf-8")
        self._show({"text/html": html, "text/plain": alt}, name)

    def key(
        self, name: str, value: float | int | str, *, unit: str = "", uncertainty: float | None = None, text: str = ""
    ) -> None:
        """Record a key number, which prose then shows as ``{glue:text}`name:.3f` ``.

        An uncertainty is shown by ``{glue:text}`name_uncertainty:.1g` ``. Pages made with the presets `book` and `full`
        need every number that the prose shows. A run with `smoke` need not come to all of these calls: its pages show
        `n/a` where a number was left out.

        Args:
            name: unique in the notebook; lower-case letters, digits and `_`.
            value: a number, also a tensor or array of one element; text for what has no number.
            unit: as printed ("eV/A^3"); empty for a pure number.
            uncertainty: in the same unit; one standard deviation unless `text` says otherwise. None if there is none,
                as over a single seed.
            text: what it is, for the status page.

        Raises:
            RunError: bad or repeated name.
            ValueError: NaN or infinite.
        """
        self._check_name("key", name, self._numbers)
        number = _plain(name, value)
        spread = None if uncertainty is None else _plain(f"{name}: uncertainty", uncertainty)
        self._numbers[name] = {"value": number, "unit": unit, "uncertainty": spread, "text": text}
        self._glue(name, number)
        if spread is not None:
            self._glue(f"{name}_uncertainty", spread)

    def finish(self) -> None:
        """Write `record.json`: parameters, versions, timings, peak memory, figures and key numbers."""
        record = self._head | {
            "status": "finished",
            "finished": _record.now(),
            "seconds": round(time.monotonic() - self._started, 2),
            **_record.peak_memory(),
            "machine": _record.machine(),
            "key_numbers": self._numbers,
            "figures": self._figures,
        }
        _record.write_json(self.folder / _record.RECORD, record)

    def _announce(self, name: str, caption: str, alt: str, file: str) -> None:
        self._check_name("figure", name, self._figures)
        if not caption.strip():
            raise RunError(f"figure {name!r}: caption must not be empty; say what is drawn and with which uncertainty")
        if len(alt.strip()) < SHORTEST_ALT:
            raise RunError(f"figure {name!r}: alt must say what the figure shows, got {alt!r}; write a sentence")
        cell = len(self._namespace.get("In", ()))
        taken = [other for other, entry in self._figures.items() if cell and entry["cell"] == cell]
        if taken:
            raise RunError(f"figure {name!r}: its cell already shows {taken[0]!r}; give each figure a cell of its own")
        self._figures[name] = {"file": f"figures/{file}", "caption": caption, "alt": alt, "cell": cell}

    def _check_name(self, kind: str, name: str, taken: Mapping[str, Any]) -> None:
        if not NAME.fullmatch(name):
            raise RunError(f"{kind} name must be lower-case letters, digits and '_', got {name!r}")
        if name in taken:
            raise RunError(f"{kind} {name!r} exists already in this run; choose another name")

    def _show(self, bundle: dict[str, str], name: str) -> None:
        entry = self._figures[name]
        _display(bundle, {"symlab": {"name": name, "caption": entry["caption"], "alt": entry["alt"]}})

    @staticmethod
    def _glue(name: str, value: Any) -> None:
        """Leave the value in the notebook, invisible, where the book's `glue` roles look for it."""
        prefix = "application/papermill.record/"
        _display({f"{prefix}text/plain": repr(value)}, {"scrapbook": {"name": name, "mime_prefix": prefix}})

    @staticmethod
    def _close(fig: "Figure") -> None:
        """Keep a figure that belongs to pyplot from being shown a second time at the end of the cell."""
        import sys

        if pyplot := sys.modules.get("matplotlib.pyplot"):
            pyplot.close(fig)


def _display(bundle: dict[str, str], metadata: dict[str, Any]) -> None:
    """Display in a notebook; in a plain script there is nowhere to show it."""
    from IPython.core.getipython import get_ipython
    from IPython.display import display

    if get_ipython() is not None:
        display(bundle, metadata=metadata, raw=True)


def _plain(name: str, value: Any) -> float | int | str:
    """Turn a tensor or array of one element into a number, and refuse what is not finite."""
    number = value.item() if hasattr(value, "item") else value
    if isinstance(number, bool) or not isinstance(number, int | float | str):
        raise TypeError(f"{name} must be a number or text, got {type(value).__name__}; convert it first")
    if isinstance(number, float) and not math.isfinite(number):
        raise ValueError(f"{name} must be finite, got {number}; find out why before recording it")
    return number


def _parameter_sources(namespace: Mapping[str, Any]) -> tuple[str, str]:
    """Find the code of the parameters cell and of the cell that papermill injected after it ("" if it did not)."""
    if "In" not in namespace and "__file__" in namespace:
        from symlab.runs._notebook import read_notebook

        return next(
            source for source in read_notebook(Path(namespace["__file__"])).code if _declares_preset(source)
        ), ""
    cells = list(namespace.get("In", ()))
    for number in reversed(range(len(cells))):
        if _declares_preset(cells[number]):
            injected = [cell for cell in cells[number + 1 :] if cell.startswith(INJECTED)]
            return cells[number], "\n".join(injected)
    raise RunError('no parameters cell has run: declare `preset: str = "book"` in a cell tagged "parameters", first')


def _declares_preset(source: str) -> bool:
    if not re.search(r"^preset\s*:", source, re.MULTILINE):
        return False
    try:
        return any(parameter.name == "preset" for parameter in declared_parameters(source))
    except SyntaxError:
        return False


def _assigned(source: str) -> list[str]:
    """Names that a cell of plain assignments sets."""
    return re.findall(r"^(\w+)\s*=", source, re.MULTILINE)


def _notebook_name(namespace: Mapping[str, Any]) -> str:
    """Name of the running notebook: from whoever started it, the file, or the front end."""
    named = os.environ.get(NOTEBOOK_VARIABLE)
    path = namespace.get("__file__") or namespace.get("__vsc_ipynb_file__") or os.environ.get("JPY_SESSION_NAME")
    return named or (Path(str(path)).stem if path else "notebook")
