"""What engine_table.py makes of figures."""
import json

import pytest

import engine_table

ROW = {
    "foldserve": {"milliseconds": 0.05, "error": 2e-6},
    "onnxruntime": {"milliseconds": 0.1, "error": 1e-6, "version": "1"},
    "openvino": {"milliseconds": 0.08, "error": 5e-2, "version": "2"},
    "openvino-default": {"same": "openvino", "note": "f32"},
    "torch": {"milliseconds": 123.4, "error": 0.0},
    "ncnn": {"unsupported": "NotImplementedError: ncnn has no batch axis"},
}


def test_a_row_shows_the_best_and_the_lead_over_it():
    assert engine_table.line("mlp:8:1", ROW) == (
        "| mlp | 8 | 1 | **0.05** | 0.1 | 0.08 **wrong 0.05** | = fp32 | 123 | – | 1.60 | 2e-06 |")


def test_less_exact_engines_are_no_rivals():
    row = {**ROW, "openvino-default": {"milliseconds": 0.01, "error": 1e-2}}
    assert "**0.05**" in engine_table.line("mlp:8:1", row) and "| 0.01 |" in engine_table.line("mlp:8:1", row)


def test_cases_come_in_the_order_of_the_defaults():
    lines = engine_table.table({"lstm:1:1": ROW, "other:1:1": ROW, "mlp:1:1": ROW}).splitlines()
    assert [line.split(" ")[1] for line in lines[2:]] == ["mlp", "lstm", "other"]


def test_a_readme_with_another_table_is_found_and_mended(tmp_path, monkeypatch):
    table, readme = tmp_path / "table.md", tmp_path / "README.md"
    table.write_text("a\n<!-- engine-table -->\n| new |\n<!-- /engine-table -->\nb\n")
    readme.write_text("c\n<!-- engine-table -->\n| old |\n<!-- /engine-table -->\nd\n")
    monkeypatch.setattr(engine_table, "TABLE", table)
    monkeypatch.setattr(engine_table, "README", readme)
    with pytest.raises(SystemExit):
        engine_table.main(["--check"])
    engine_table.main(["--readme"])
    assert readme.read_text() == "c\n<!-- engine-table -->\n| new |\n<!-- /engine-table -->\nd\n"
    assert engine_table.main(["--check"]) == 0
    readme.write_text(json.dumps({}))
    with pytest.raises(SystemExit):
        engine_table.main(["--check"])
