"""One progress bar for all long work."""

from typing import Any

from tqdm import tqdm


def progress_bar(show: bool = True, **options: Any) -> "tqdm[Any]":
    """Make a bar that is silent if ``show`` is False or the variable TQDM_DISABLE is set, as for published pages.

    A plain ``tqdm(disable=False)`` would overrule the variable.

    Args:
        show: whether to show a bar at all.
        options: those of tqdm.
    """
    return tqdm(**options) if show else tqdm(**options, disable=True)
