"""Turn a finished run into a page: the prose as it is now, its numbers, the outputs of the run, numbered figures."""

from pathlib import Path
from typing import Any

from symlab.runs._errors import RunError
from symlab.runs._notebook import Notebook, read_notebook
from symlab.runs._papermill import to_ipynb
from symlab.runs._shown import check_shown, mark_left_out, names_in, recordable, shown_numbers

INJECTED = "injected-parameters"
PARAMETERS = "parameters"


def publish(source: Path, executed: Path, *, complete: bool = True) -> Any:
    """Merge a notebook's source with the outputs of its run.

    The text of a chapter may change without running it again. Each figure's name, caption and alt text move from the
    output to the metadata of its cell, where myst-nb looks for them. Papermill's metadata (paths, times) is left out,
    so that equal runs give equal pages.

    A number that text or caption shows and a complete run did not record is an error. A small run may have left it out;
    then the page shows `n/a` in its place, but only for a name that some `run.key` of the code can record.

    Args:
        source: `notebooks/<name>.py`.
        executed: `<name>.ipynb` of a run of the same code.
        complete: whether the run must have recorded every number that is shown.

    Returns:
        An nbformat node.

    Raises:
        RunError: the code differs, the cell of a figure shows something else too, or a number is missing; the message
            has the place and name of each.
    """
    import nbformat

    node = to_ipynb(source)
    run = nbformat.read(executed, as_version=4)
    ran = [cell for cell in run.cells if cell.cell_type == "code"]
    cells = []
    for cell in node.cells:
        cells.append(cell)
        if cell.cell_type != "code":
            continue
        mate = ran.pop(0) if ran else None
        if mate is None or mate.source.strip() != cell.source.strip():
            raise RunError(f"{executed} was not made from the code of {source.name}; run the notebook again")
        _take_outputs(cell, mate, source.name)
        if ran and INJECTED in ran[0].metadata.get("tags", ()):
            injected = ran.pop(0)
            cells.append(nbformat.v4.new_code_cell(injected.source, id="cell-injected"))
            _take_outputs(cells[-1], injected, source.name)
    node.cells = cells
    _settle_numbers(node, read_notebook(source), complete)
    return node


def _settle_numbers(node: Any, notebook: Notebook, complete: bool) -> None:
    """Refuse numbers that should be there and are not, and mark those that the run left out."""
    outputs = [output for cell in node.cells for output in cell.get("outputs", ())]
    recorded = {output.metadata.scrapbook.name for output in outputs if "scrapbook" in output.get("metadata", {})}
    figures = [figure for cell in node.cells if (figure := cell.metadata.get("mystnb", {}).get("figure"))]
    captions = [
        (f"{notebook.path.name}: caption of {one.name}", name) for one in figures for name in names_in(one.caption)
    ]
    check_shown([*shown_numbers(notebook), *captions], recordable(notebook), recorded, complete=complete)
    for cell in node.cells:
        if cell.cell_type == "markdown":
            cell.source = mark_left_out(cell.source, recorded)
    for one in figures:
        one.caption = mark_left_out(one.caption, recorded)


def _take_outputs(cell: Any, ran: Any, where: str) -> None:
    cell.outputs, cell.execution_count = ran.outputs, ran.execution_count
    shown = [out for out in cell.outputs if out.output_type in ("display_data", "execute_result")]
    shown = [out for out in shown if "scrapbook" not in out.metadata]
    for output in shown:
        figure = output.metadata.pop("symlab", None)
        if figure is None:
            continue
        if len(shown) > 1:
            raise RunError(
                f"{where}: the cell of figure {figure['name']!r} shows something else too; give it its own cell"
            )
        cell.metadata["mystnb"] = {
            "figure": {"name": f"fig-{figure['name']}", "caption": figure["caption"]},
            "image": {"alt": figure["alt"]},
        }
