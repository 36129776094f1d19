"""The report that lies in the repository, and the pages that take their figures from it."""

import re
import subprocess
import sys

import pytest

from benchmarks.record import RECORDS, ROOT, read_records
from benchmarks.report import OWN_FOLDERS, SNIPPETS, generated
from benchmarks.report.gallery import best_picture
from benchmarks.report.registry import public
from benchmarks.rows import FAMILY_OF
from benchmarks.rows import ROWS as ALL_ROWS


def test_every_generated_file_is_that_of_the_records():
    files = generated(read_records(RECORDS))
    stale = [name for name, text in files.items() if not (ROOT / name).is_file() or (ROOT / name).read_text() != text]
    assert not stale, "run python -m benchmarks.report"
    lying = {path.relative_to(ROOT).as_posix() for folder in OWN_FOLDERS for path in (ROOT / folder).rglob("*.*")}
    assert {name for name in lying if (ROOT / name).is_file()} - files.keys() == set()


def test_the_overview_is_short_and_has_every_system():
    text = (ROOT / "BENCHMARKS.md").read_text()
    assert len(text.splitlines()) <= 150
    assert [system.name for system in public() if f"| [{system.name}](docs/benchmarks/" not in text] == []


def test_the_registry_read_from_the_sources_is_that_of_the_command_line():
    from dlmodules_cli.systems import systems

    ours = [(system.family, system.name, system.configs) for system in public()]
    theirs = [
        (system.family, system.name, tuple(path.with_suffix("").as_posix() for path in system.configs))
        for system in systems()
    ]
    assert ours == theirs
    assert all(system.sentence and (ROOT / "docs" / "systems" / f"{system.page}.md").is_file() for system in public())


def test_the_rows_of_a_system_lie_with_its_family():
    family = {system.name: system.family for system in public()}
    scored = [row for row in ALL_ROWS.values() if row.figures and row.system in family]
    wrong = [row.name for row in scored if family[row.system] != FAMILY_OF[row.name]]
    assert not wrong


def test_the_report_needs_no_torch():
    code = "import sys; from benchmarks.report import generated; generated([]); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


@pytest.mark.parametrize("system", public(), ids=lambda system: system.name)
def test_the_results_of_a_page_are_its_snippet(system):
    """No number of ours is typed there."""
    text = (ROOT / "docs" / "systems" / f"{system.page}.md").read_text()
    results = text.partition("\n## Results\n")[2].partition("\n## ")[0]
    assert f'--8<-- "{SNIPPETS}/systems/{system.page}.md"\n' in results
    prose = results.partition("### Loss curves")[0]
    sentences = prose.replace("\n", " ").split(". ")
    assert [one for one in sentences if "ours" in one.lower().split() and any(sign.isdigit() for sign in one)] == []


def test_a_percentage_outside_a_snippet_is_somebody_elses():
    """One of ours comes from a record, by a snippet, or is a setting."""
    sources = re.compile(r"\b(books?|papers?|reports?|learning tests?|of the learning rate)\b", re.IGNORECASE)
    texts = {ROOT / "README.md": "", **dict.fromkeys((ROOT / "docs").glob("*.md"), "")}
    texts |= dict.fromkeys((ROOT / "docs" / "systems").glob("*.md"), "")
    for path in texts:
        prose = re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL)
        texts[path] = " ".join(line for line in prose.splitlines() if not line.startswith("|"))
    for path in (ROOT / "configs").rglob("*.yaml"):
        comments = re.findall(r"#(.*)|^(?!.*#)", path.read_text(), re.MULTILINE)
        texts[path] = " ".join(comment.strip() or "." for comment in comments)
    ours = [
        f"{path.relative_to(ROOT)}: {sentence}"
        for path, text in texts.items()
        for sentence in re.split(r"(?<=\.)\s+", text)
        if re.search(r"\d ?%", sentence) and not sources.search(sentence)
    ]
    assert not ours


def test_the_picture_of_a_card_is_the_first_that_is_no_loss_curve(tmp_path):
    file = tmp_path / "page.md"
    file.write_text("![a curve](../images/x/loss_curve.png)\n![digits](../images/x/samples.png)\n")
    assert best_picture(file) == ("digits", "images/x/samples.png")
    file.write_text("![a curve](../images/x/loss_curve.png)\n")
    assert best_picture(file) == ("a curve", "images/x/loss_curve.png")
    file.write_text("none\n")
    assert best_picture(file) is None
