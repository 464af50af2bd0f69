import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from symlab.artifacts import ArtifactError, Recipe, Store, default_root

RECIPE = Recipe("toy", {"n": 3})


def write(folder: Path) -> None:
    (folder / "deep").mkdir()
    (folder / "deep" / "data.bin").write_bytes(bytes(range(256)))
    (folder / "info.json").write_text("{}")


def never(folder: Path) -> None:
    raise AssertionError("made twice")


def test_made_once_and_found_again(tmp_path):
    store = Store(tmp_path)
    assert not store.has(RECIPE)
    folder = store.get_or_make(RECIPE, write)
    assert store.has(RECIPE)
    assert folder == store.path(RECIPE)
    assert Store(tmp_path).get_or_make(RECIPE, never) == folder
    assert (folder / "deep" / "data.bin").read_bytes() == bytes(range(256))
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["recipe"]["parameters"] == {"n": 3}
    assert set(manifest["files"]) == {"deep/data.bin", "info.json"}


def test_a_failed_make_is_resumed_with_what_it_wrote(tmp_path):
    def fail(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise RuntimeError("power cut")

    def finish(folder: Path) -> None:
        assert (folder / "half").read_text() == "half"
        (folder / "half").rename(folder / "whole")

    store = Store(tmp_path)
    with pytest.raises(RuntimeError, match="power cut"):
        store.get_or_make(RECIPE, fail)
    assert not store.has(RECIPE)
    folder = store.get_or_make(RECIPE, finish)
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "whole"]
    assert not folder.with_name(f"{RECIPE.key}.part").exists()


@pytest.mark.parametrize("warm", [True, False], ids=["same process", "new process"])
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "deep/data.bin").write_bytes(bytes(256)), r"deep/data\.bin does not match its sha256"),
        (lambda f: (f / "deep/data.bin").write_bytes(b""), r"deep/data\.bin has 0 bytes instead of 256"),
        (lambda f: (f / "info.json").unlink(), r"info\.json is missing"),
        (lambda f: (f / "manifest.json").unlink(), r"manifest\.json is missing"),
        (lambda f: (f / "manifest.json").write_text("{"), r"manifest\.json cannot be read"),
    ],
)
def test_a_corrupt_artifact_names_the_file_and_the_remedy(tmp_path, damage, message, warm):
    store = Store(tmp_path)
    folder = store.get_or_make(RECIPE, write)
    damage(folder)
    with pytest.raises(ArtifactError, match=rf"corrupt artifact: .*{message}.*; delete the folder .* and run again"):
        (store if warm else Store(tmp_path)).get_or_make(RECIPE, never)


def test_a_root_that_cannot_be_written_is_refused_before_any_work(tmp_path):
    (tmp_path / "root").write_text("a file where the folder should be")
    with pytest.raises(ArtifactError, match=r"cannot write artifacts below .*root.*SYMLAB_ARTIFACTS"):
        Store(tmp_path / "root").get_or_make(RECIPE, never)


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_root_is_refused_but_can_be_read(tmp_path):
    store = Store(tmp_path)
    folder = store.get_or_make(RECIPE, write)
    tmp_path.chmod(0o500)
    try:
        assert Store(tmp_path).get_or_make(RECIPE, never) == folder
        with pytest.raises(ArtifactError, match="make that folder writable"):
            store.get_or_make(Recipe("other", {}), never)
    finally:
        tmp_path.chmod(0o700)


def test_an_empty_result_is_refused(tmp_path):
    with pytest.raises(ArtifactError, match="'toy' wrote no file"):
        Store(tmp_path).get_or_make(RECIPE, lambda folder: None)


SCRIPT = textwrap.dedent(
    """
    import os, signal, sys, time
    from pathlib import Path
    from symlab.artifacts import Recipe, Store

    def make(folder):
        with (folder / "log").open("a") as log:
            log.write(f"{os.getpid()}\\n")
        if "die" in sys.argv:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.5)

    Store(Path(sys.argv[1])).get_or_make(Recipe("toy", {"n": 3}), make)
    """
)


def test_two_processes_make_it_once(tmp_path):
    processes = [subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path)]) for _ in range(2)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0]
    folder = Store(tmp_path).get_or_make(RECIPE, never)
    assert len((folder / "log").read_text().splitlines()) == 1


def test_a_killed_process_frees_the_lock_and_leaves_its_files(tmp_path):
    killed = subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path), "die"], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not Store(tmp_path).has(RECIPE)
    subprocess.run([sys.executable, "-c", SCRIPT, str(tmp_path)], check=True, timeout=60)
    folder = Store(tmp_path).get_or_make(RECIPE, never)
    assert len((folder / "log").read_text().splitlines()) == 2


def test_default_root(tmp_path, monkeypatch):
    monkeypatch.delenv("SYMLAB_ARTIFACTS", raising=False)
    assert default_root().name == "artifacts"
    monkeypatch.setenv("SYMLAB_ARTIFACTS", str(tmp_path / "elsewhere"))
    assert default_root() == tmp_path / "elsewhere"
    assert Store().root == tmp_path / "elsewhere"
