"""What load.py makes of figures."""
import pytest

import load

ROW = {"foldserve": [4208.4, 7.381], "mlserver": None, "fastapi": [804.2, 11.24]}


def test_a_row_shows_the_best_and_who_did_not_answer():
    assert load.line("digits_cnn:json:4", ROW) == (
        "| digits_cnn | json | 4 | **4208** | **7.38** | – | – | 804 | 11.2 |")


def test_throughput_and_latency_have_bests_of_their_own():
    row = {"foldserve": [7.5, 900.0], "mlserver": [5.0, 1234.5], "fastapi": [5.0, 800.0]}
    assert load.line("m:json:4", row) == "| m | json | 4 | **7.5** | 900 | 5 | 1234 | 5 | **800** |"


def test_cases_come_in_the_order_of_the_defaults():
    lines = load.table({"digits_cnn:json:1": ROW, "other:json:1": ROW, "mobilenetv2:binary:64": ROW}).splitlines()
    assert [line.split(" ")[1] for line in lines[2:]] == ["mobilenetv2", "digits_cnn", "other"]


def test_a_readme_with_another_table_is_found_and_mended(tmp_path, monkeypatch):
    table, readme = tmp_path / "table.md", tmp_path / "README.md"
    table.write_text("a\n<!-- load-table -->\n| new |\n<!-- /load-table -->\nb\n")
    readme.write_text("c\n<!-- load-table -->\n| old |\n<!-- /load-table -->\nd\n")
    monkeypatch.setattr(load, "TABLE", table)
    monkeypatch.setattr(load, "README", readme)
    with pytest.raises(SystemExit):
        load.main(["--check"])
    load.main(["--readme"])
    assert readme.read_text() == "c\n<!-- load-table -->\n| new |\n<!-- /load-table -->\nd\n"
    load.main(["--check"])
