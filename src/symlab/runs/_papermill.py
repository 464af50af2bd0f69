"""Teach papermill to read text notebooks: `papermill jupytext:notebooks/x.py out.ipynb -p name value`."""

import os
from pathlib import Path
from typing import Any, NoReturn

SCHEME = "jupytext:"
NOTEBOOK_VARIABLE = "SYMLAB_NOTEBOOK"  # tells the kernel which notebook it runs


def to_ipynb(path: Path) -> Any:
    """Convert a text notebook to an nbformat node; cell ids go by position, so that equal text gives equal nodes."""
    import jupytext

    node = jupytext.read(path)
    for number, cell in enumerate(node.cells):
        cell["id"] = f"cell-{number:03d}"
    node.metadata.setdefault("kernelspec", {"display_name": "Python 3", "language": "python", "name": "python3"})
    node.metadata.setdefault("language_info", {"name": "python"})
    return node


class JupytextHandler:
    """Papermill I/O handler for the scheme `jupytext:`; registered as an entry point, read-only."""

    def read(self, path: str) -> str:
        """Return the notebook behind `jupytext:<path>` as ipynb text."""
        import nbformat

        source = Path(path.removeprefix(SCHEME))
        text = nbformat.writes(to_ipynb(source))
        os.environ[NOTEBOOK_VARIABLE] = source.stem
        _teach_types()
        return text

    def listdir(self, path: str) -> list[str]:
        """List the text notebooks in a folder."""
        return [f"{SCHEME}{entry}" for entry in sorted(Path(path.removeprefix(SCHEME)).glob("*.py"))]

    def write(self, buf: str, path: str) -> NoReturn:
        """Refuse: the source is never overwritten."""
        raise OSError(f"{path} is a source and is not written; name an output without {SCHEME!r}, such as out.ipynb")

    def pretty_path(self, path: str) -> str:
        """Return the path as papermill shows it."""
        return path


handler = JupytextHandler()


def _teach_types() -> None:
    """Let papermill see parameters of every type we declare: its own reader stops at the `|` of `int | None`."""
    from papermill.models import Parameter
    from papermill.translators import PythonTranslator, papermill_translators

    from symlab.runs._parameters import declared_parameters

    class AnnotatedTranslator(PythonTranslator):
        """Read the parameters cell by its syntax tree."""

        @classmethod
        def inspect(cls, parameters_cell: Any) -> list[Parameter]:
            """List the declared parameters for `papermill --help-notebook`."""
            found = declared_parameters(parameters_cell["source"])
            return [Parameter(p.name, p.annotation, repr(p.default), p.help) for p in found]

    papermill_translators.register("python", AnnotatedTranslator)
