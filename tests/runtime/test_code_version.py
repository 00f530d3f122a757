"""The version of the code that a report names."""

import re
import subprocess

import pytest

from src.runtime import code_version


@pytest.fixture
def repository(tmp_path):
    """A repository with one commit."""
    identity = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    for words in (("init", "-q"), (*identity, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", "-C", tmp_path, *words], check=True)
    return tmp_path


def test_a_repository_has_its_commit(repository, monkeypatch):
    monkeypatch.setattr(code_version, "ROOT", repository)
    assert re.fullmatch("[0-9a-f]{12}", code_version.code_version())


def test_a_folder_inside_another_repository_has_no_version(repository, monkeypatch):
    inside = repository / "project"
    inside.mkdir()
    monkeypatch.setattr(code_version, "ROOT", inside)
    assert code_version.code_version() == "unknown"
