"""Puts the figures of the last `swift test -c release` into README.md.

    python3 Tests/ConformanceTests/update_readme.py
"""

import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]


def main():
    readme = ROOT / "README.md"
    table = (ROOT / ".build/conformance.md").read_text()
    text, count = re.subn(
        r"(<!-- conformance -->\n).*?(<!-- /conformance -->)",
        lambda match: match[1] + table + match[2], readme.read_text(), flags=re.DOTALL)
    if count != 1:
        raise SystemExit("README.md has no place for the table")
    readme.write_text(text)


if __name__ == "__main__":
    main()
