import json

import numpy as np
import pytest
from safetensors.numpy import load_file

from symlab.data._chunk_files import join_chunks, write_chunk
from symlab.data._event_rows import EventPlan
from symlab.data.tracks._block import Settings

FAILED = {2: "too large", 5: "too small"}


def nothing(reason: str) -> LookupError:
    return LookupError(f"no point is left; the first is {reason}")


@pytest.fixture
def chunks(tmp_path):
    """Twelve points in chunks of three, two of which failed; ``value`` has as many entries as the point's number."""
    paths = [tmp_path / f"chunk_{number}.safetensors" for number in range(4)]
    for number, path in enumerate(paths):
        failed = {index: reason for index, reason in FAILED.items() if index // 3 == number}
        kept = [index for index in range(3 * number, 3 * number + 3) if index not in failed]
        arrays = {"index": np.array(kept), "value": np.repeat(kept, kept)}
        write_chunk(path, arrays, [{"square": index**2} for index in kept], failed)
    return paths


def joined(paths, family):
    folder = paths[0].parent
    plan = EventPlan(12, 3, Settings(), (1, 2))
    join_chunks(plan, paths, folder, lambda arrays: {"engine": {"arrays": sorted(arrays)}}, nothing, family)
    assert sorted(path.name for path in folder.iterdir()) == ["dataset.json", "dataset.safetensors"]
    return load_file(folder / "dataset.safetensors"), json.loads((folder / "dataset.json").read_text())


def test_joined_chunks_keep_the_order_of_their_points(chunks):
    arrays, notes = joined(chunks, 1)
    kept = [index for index in range(12) if index not in FAILED]
    assert arrays["index"].tolist() == kept
    assert arrays["value"].tolist() == np.repeat(kept, kept).tolist()
    assert list(notes) == ["plan", "engine", "columns", "splits", "failures"]
    assert notes["engine"] == {"arrays": ["index", "value"]}
    assert notes["columns"] == {"square": [index**2 for index in kept]}
    assert notes["failures"] == {"2": "too large", "5": "too small"}
    assert sorted(row for rows in notes["splits"].values() for row in rows) == list(range(10))


def test_families_stay_in_one_split(chunks):
    arrays, notes = joined(chunks, 3)
    homes = [{int(arrays["index"][row]) // 3 for row in rows} for rows in notes["splits"].values()]
    assert set.union(*homes) == set(range(4))
    assert sum(map(len, homes)) == 4


def test_without_families_all_points_are_for_the_test(chunks):
    assert joined(chunks, None)[1]["splits"] == {"test": list(range(10))}


def test_the_caller_says_what_it_means_that_no_point_is_left(tmp_path):
    path = tmp_path / "chunk_0.safetensors"
    write_chunk(path, {}, [], FAILED)
    with pytest.raises(LookupError, match=r"^no point is left; the first is too large$"):
        join_chunks(EventPlan(2, 0, Settings(), (1, 2)), [path], tmp_path, lambda _: {}, nothing)
    assert [path.name for path in tmp_path.iterdir()] == ["chunk_0.safetensors"]
