"""The status page of the book: a table of runs, and the key numbers of each, written in MyST."""

from collections.abc import Iterable, Mapping
from typing import Any

UNBROKEN_SPACE, UNBROKEN_HYPHEN = "\N{NO-BREAK SPACE}", "\N{NON-BREAKING HYPHEN}"


def status_page(records: Iterable[Mapping[str, Any]]) -> str:
    """Render run records as MyST text for the status page.

    Args:
        records: one mapping for each run, as `record.json` holds it: `notebook`, `parameters` (with `preset` and
            `seed`), `seconds`, `peak_memory_mb`, `finished`, `versions`, `key_numbers`, and if known `machine` and
            `commit`. What a record lacks is shown as a dash.

    Returns:
        Text with one table of runs, one table of key numbers for each run, and the versions they share.
    """
    ordered = sorted(records, key=lambda record: str(record.get("notebook", "")))
    if not ordered:
        return "No run has finished yet. `make book` makes the first.\n"
    parts = [
        _runs_table(ordered),
        _machines(ordered),
        "## Key numbers",
        *map(_numbers_table, ordered),
        "## Versions",
        _versions(ordered),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _table(header: tuple[str, ...], align: str, rows: Iterable[tuple[str, ...]], title: str, name: str) -> str:
    """Write a captioned pipe table; `align` holds l or r for each column."""
    rule = tuple({"l": ":---", "r": "---:"}[side] for side in align)
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in (header, rule, *rows)]
    return "\n".join([f":::{{table}} {title}", f":name: {name}", "", *lines, ":::"])


def _link(notebook: str) -> str:
    return f"[{notebook}](notebooks/{notebook})"


def _runs_table(records: list[Mapping[str, Any]]) -> str:
    """Write one row for each run: preset, seed, wall time, peak memory, date."""
    rows = (
        (
            _link(str(record["notebook"])),
            _code(record.get("parameters", {}).get("preset")),
            _code(record.get("parameters", {}).get("seed")),
            _quantity(record.get("seconds"), ".1f"),
            _quantity(record.get("peak_memory_mb"), ".0f"),
            str(record.get("finished", ""))[:10].replace("-", UNBROKEN_HYPHEN) or "-",
        )
        for record in records
    )
    header = ("notebook", "preset", "seed", "time / s", "peak memory / MB", "finished")
    title = "Runs behind these pages. Time is wall time of one process; data and trained weights that an earlier run "
    return _table(header, "llrrrl", rows, title + "had already made are reused.", "tab-status-runs")


def _machines(records: list[Mapping[str, Any]]) -> str:
    """Say on what the runs ran, and from which commit."""
    found = [record.get("machine") or {} for record in records]
    machines = dict.fromkeys(
        f"{one.get('system', 'unknown system')}, {one['cpus']} CPUs" + (f", {one['gpu']}" if one.get("gpu") else "")
        for one in found
        if one.get("cpus")
    )
    commits = dict.fromkeys(f"`{record['commit']}`" for record in records if record.get("commit"))
    said = [f"{label}: {'; '.join(names)}." for label, names in (("Machine", machines), ("Commit", commits)) if names]
    return " ".join(said)


def _numbers_table(record: Mapping[str, Any]) -> str:
    """Write the key numbers of one run, or nothing if it has none."""
    numbers = record.get("key_numbers", {})
    if not numbers:
        return ""
    notebook = str(record["notebook"])
    rows = (
        (_code(name), _value(entry), entry.get("unit") or "", entry.get("text") or "")
        for name, entry in numbers.items()
    )
    title = f"Key numbers of {notebook}."
    return _table(("name", "value", "unit", "meaning"), "lrll", rows, title, f"tab-status-{notebook}")


def _versions(records: list[Mapping[str, Any]]) -> str:
    """Write the versions, once where all runs agree and apart where they differ."""
    found: dict[str, dict[str, list[str]]] = {}
    for record in records:
        for package, version in record.get("versions", {}).items():
            found.setdefault(package, {}).setdefault(str(version), []).append(str(record["notebook"]))
    if not found:
        return "No versions were recorded."
    rows = (
        (package, ", ".join(v if len(seen) == 1 else f"{v} ({', '.join(who)})" for v, who in seen.items()))
        for package, seen in sorted(found.items())
    )
    return _table(("package", "version"), "ll", rows, "Versions that the runs recorded.", "tab-status-versions")


def _code(value: Any) -> str:
    return "-" if value is None else f"`{value}`"


def _quantity(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)


def _value(entry: Mapping[str, Any]) -> str:
    """Write a key number with its uncertainty."""
    value, uncertainty = entry.get("value"), entry.get("uncertainty")
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        return str(value)
    text = format(value, ".4g")
    if "e" in text and uncertainty is None:
        mantissa, _, exponent = text.partition("e")
        return f"${mantissa} \\times 10^{{{int(exponent)}}}$"
    return text if uncertainty is None else f"{text}{UNBROKEN_SPACE}±{UNBROKEN_SPACE}{uncertainty:.2g}"
