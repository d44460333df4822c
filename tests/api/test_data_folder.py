from pathlib import Path

import pytest

from tests.environment import settings_of

pytestmark = pytest.mark.database_free


@pytest.mark.parametrize("name", ["with space", "half#", "what?", "50%41", "é"])
def test_the_database_lies_in_the_data_folder_whatever_its_name_is(name: str, tmp_path: Path) -> None:
    settings = settings_of(tmp_path / name)

    assert settings["DATABASES"]["default"]["NAME"] == str(tmp_path / name / "folio.sqlite3")
