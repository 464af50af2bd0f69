import os
import subprocess
import sys

import pytest

SHOW = "from symlab.progress import progress_bar; bar = progress_bar({show}, total=2); bar.update(); bar.close()"


@pytest.mark.parametrize(("show", "variable", "seen"), [(True, "", True), (True, "1", False), (False, "", False)])
def test_a_bar_is_seen_unless_it_is_switched_off(show: bool, variable: str, seen: bool) -> None:
    environment = {**os.environ, "TQDM_DISABLE": variable}
    command = [sys.executable, "-c", SHOW.format(show=show)]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stderr
    assert bool(said) == seen, said
