"""A generated table that stands between two comments in a document of its own and in the README."""
import re


def marked(name, table):
    """`table`, whose last line is complete, between its comments."""
    return f"<!-- {name} -->\n{table}<!-- /{name} -->"


def between(name, path):
    """A document's text, and where its table is."""
    text = path.read_text()
    found = re.search(re.escape(f"<!-- {name} -->") + r"\n(.*?)" + re.escape(f"<!-- /{name} -->"), text, re.DOTALL)
    if not found:
        raise SystemExit(f"{path} has no place for the table")
    return text, found


def update(name, table, readme, script, is_check):
    """Puts the table of one document into the other; only compares them when `is_check`. Ends the process when they differ."""
    _, written = between(name, table)
    text, shown = between(name, readme)
    if not is_check:
        readme.write_text(text[:shown.start(1)] + written[1] + text[shown.end(1):])
    elif shown[1] != written[1]:
        raise SystemExit(f"README.md shows another table than {name}.md: run {script} --readme")
    return 0
