"""The version of the code that a report names."""

from src.runtime import code_version


def test_a_folder_outside_a_repository_has_no_version(tmp_path, monkeypatch):
    monkeypatch.setattr(code_version, "ROOT", tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert code_version.code_version() == "unknown"
