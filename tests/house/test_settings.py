"""The table of docs/operating.md says what the settings are; `python -m tests.house.settings_table` writes it."""

from app.settings import PROJECT, Settings
from tests.house.settings_table import BEGIN, END, table


def test_every_setting_says_what_it_is_for() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_page_lists_the_settings() -> None:
    before, _, rest = (PROJECT / "docs" / "operating.md").read_text().partition(BEGIN)
    written, end, _ = rest.partition(END)
    assert before
    assert end
    assert written == table()
