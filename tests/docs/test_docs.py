"""The README and the pages say what is so: their code runs, their commands parse, their links lead somewhere."""

import importlib
import os
import re
import shlex
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

import dlmodules
from dlmodules.errors import UserError
from dlmodules.rl.search.players import make_player
from dlmodules_cli import lists
from dlmodules_cli.books import BOOKS

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
# Pages that show a file of the root, to which the README links itself.
SHOWN = {
    DOCS / "benchmarks.md": "BENCHMARKS.md",
    DOCS / "changelog.md": "CHANGELOG.md",
    DOCS / "contributing.md": "CONTRIBUTING.md",
}
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *sorted(DOCS.rglob("*.md"))]
OWN_TEST = {DOCS / "bolts.md"}  # tests/dlmodules/test_compat_bolts.py runs its code
HEADINGS = [
    "What it is",
    "Picture",
    "Usage",
    "Arguments",
    "Logged metrics",
    "Implementation details",
    "Results",
    "How to subclass it",
]


def blocks(page: Path, language: str) -> list[tuple[int, str]]:
    """Return line number and text of the fenced blocks of a language."""
    text = page.read_text(encoding="utf-8")
    found = re.finditer(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [(text[: match.start()].count("\n") + 2, match[1]) for match in found]


def name(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def prose(page: Path) -> str:
    """Return the text of a page without its fenced blocks."""
    return re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)


SNIPPETS = [
    pytest.param(page, line, code, id=f"{name(page)}:{line}")
    for page in PAGES
    if page not in OWN_TEST
    for line, code in blocks(page, "python")
]


def command_words(line: str) -> list[str]:
    """Return the arguments of a command of this package in a line of shell; empty for another program's."""
    words = shlex.split(line, comments=True)
    while words and re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words.pop(0)
    if words[:2] == ["python", "train.py"]:
        return words[2:]
    return words[1:] if words[:1] == ["dlmodules"] else []


COMMANDS = [
    pytest.param(words, id=f"{name(page)}:{start + offset}")
    for page in PAGES
    for start, block in blocks(page, "bash")
    for offset, line in enumerate(block.splitlines())
    if (words := command_words(line))
]
# Classes that the text asks the reader to write.
READERS_MODULES = {"my_models": "import dlmodules\n\n\nclass MyGAN(dlmodules.DCGAN):\n    pass\n"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to be in, whose modules can be imported."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "disabled")
    return tmp_path


@pytest.mark.parametrize(("page", "line", "code"), SNIPPETS)
def test_code_runs(folder, page, line, code):
    # As a module with a name, so that its classes can be found again by a checkpoint.
    module = re.sub(r"\W", "_", f"snippet_{name(page)}_{line}")
    (folder / f"{module}.py").write_text(code, encoding="utf-8")
    importlib.invalidate_caches()
    torch.manual_seed(0)  # what an example learns does not hang on the tests before it
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        importlib.import_module(module)
    sys.modules.pop(module)


def test_there_are_examples():
    assert len(SNIPPETS) >= 13
    assert len(COMMANDS) >= 30


@pytest.mark.parametrize("words", COMMANDS)
def test_command_parses(folder, monkeypatch, capsys, words):
    from dlmodules_cli.main import _dispatch

    for module, code in READERS_MODULES.items():
        (folder / f"{module}.py").write_text(code, encoding="utf-8")
    importlib.invalidate_caches()
    monkeypatch.setenv("DLMODULES_DATA", str(folder))
    if words[0] == "systems":
        _dispatch(words)
        assert "MLPClassifier" in capsys.readouterr().out
    elif words[0] == "dashboard":
        pytest.importorskip(
            "wandb_workspaces", reason="wandb-workspaces is not installed: pip install -e '.[dashboards]'"
        )
        _dispatch(words)
        assert '"spec"' in capsys.readouterr().out
    elif words[0] == "play":
        from dlmodules_cli.options import parse

        chosen = parse("play", words[1:])
        assert chosen.watch is None or chosen.watch == "" or make_player(chosen.watch)
        assert make_player(chosen.opponent or "random")
    elif words[0] == "pipeline":
        from dlmodules_cli.pipeline.command import chosen_stages

        assert chosen_stages(words[1:])[0]
    elif words[0] in ("sample", "score", "translate", "export", "explore"):
        # Right, when all that is missing is the file.
        with pytest.raises(UserError, match="no checkpoint"):
            _dispatch(words)
    elif "--help" in words or any(word.endswith(".help") for word in words):
        with pytest.raises(SystemExit) as ended:
            _dispatch(words)
        assert ended.value.code in (0, None)
    else:
        with pytest.raises(SystemExit) as ended:
            _dispatch([*words, "--print_config"])
        captured = capsys.readouterr()
        assert ended.value.code in (0, None), captured.err
        assert "class_path" in captured.out


@pytest.mark.parametrize("command", ["python train.py fit --help", "python train.py fit --model.help VAE"])
def test_help_that_the_start_page_names(command, capsys):
    from dlmodules_cli.main import _dispatch

    assert f"`{command}`" in (DOCS / "index.md").read_text(encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        _dispatch(command.split()[2:])
    assert ended.value.code in (0, None)
    assert "usage" in capsys.readouterr().out.lower()


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page):
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(page))
    local = [target.partition("#")[0] for target in targets if not re.match(r"https?:|#", target)]
    missing = [target for target in local if not (page.parent / target).exists()]
    assert not missing


def test_readme_links_every_page():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    generated = set((DOCS / "benchmarks").glob("*.md"))  # BENCHMARKS.md links them
    pages = [page for page in PAGES[1:] if page not in generated]
    missing = [name(page) for page in pages if f"({SHOWN.get(page, name(page))})" not in text]
    assert not missing


@pytest.mark.parametrize("file", lists.LISTS)
def test_lists_of_systems_are_as_the_classes_and_configurations_are(file):
    text = (ROOT / file).read_text(encoding="utf-8")
    assert text == lists.updated(ROOT, file), "write them anew: python -m dlmodules_cli.lists"


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.key)
def test_the_books_are_named_where_a_reader_begins(book):
    for text in (dlmodules.__doc__, *((ROOT / file).read_text("utf-8") for file in ("README.md", "docs/index.md"))):
        words = " ".join(text.split())
        assert [fact for fact in (book.title, book.authors, book.edition, book.link) if fact not in words] == []


def test_every_id_begins_with_a_book_that_is_named():
    from dlmodules_cli.systems import systems

    begins = {book.partition(" ")[0] for system in systems() for book in system.books}
    assert begins == {book.key for book in BOOKS}


def test_every_configuration_is_of_a_listed_system():
    from dlmodules_cli.configs import all_configs
    from dlmodules_cli.systems import systems

    assert sum(len(system.configs) for system in systems()) == len(all_configs())


@pytest.mark.parametrize("page", SHOWN, ids=name)
def test_a_page_that_shows_a_file_of_the_root(page):
    assert page.read_text(encoding="utf-8") == f'--8<-- "{SHOWN[page]}"\n'


def test_the_start_page_lists_every_system():
    gallery = "benchmarks/snippets/gallery.md"
    assert f'--8<-- "{gallery}"\n' in (DOCS / "index.md").read_text(encoding="utf-8")
    text = (ROOT / gallery).read_text(encoding="utf-8")
    missing = [system for system in dlmodules.__all__ if f"[`{system}`](systems/{page_of(system).name})" not in text]
    assert not missing


def page_of(system: str) -> Path:
    return lists.page_of(system, ROOT)


@pytest.mark.parametrize("system", dlmodules.__all__)
def test_system_has_a_page_with_all_headings(system):
    text = page_of(system).read_text(encoding="utf-8")
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == HEADINGS
    assert text.startswith(f"# {system}\n")
    module = getattr(dlmodules, system).__module__
    assert f"::: {module}.{system}\n" in text
    usage = text.partition("## Usage")[2].partition("\n## ")[0]
    assert len(re.findall(r"^python train.py ", usage, re.MULTILINE)) >= 3


@pytest.mark.parametrize("system", dlmodules.__all__)
def test_page_names_every_configuration_and_book(system):
    from dlmodules_cli.systems import systems

    text = page_of(system).read_text(encoding="utf-8")
    found = next(known for known in systems() if known.name == system)
    assert [path for path in found.configs if path.with_suffix("").name not in text] == []
    assert [book for book in found.books if book not in text] == []


@pytest.mark.parametrize("system", dlmodules.__all__)
def test_page_explains_every_logged_metric(system):
    """What the class says that it logs stands in the page's table, without the stage where the table has none."""
    cls = getattr(dlmodules, system)
    text = page_of(system).read_text(encoding="utf-8").partition("## Logged metrics")[2].partition("\n## ")[0]
    said = "\n".join(base.__doc__ or "" for base in cls.__mro__ if base.__module__.startswith("dlmodules."))
    logged = set(re.findall(r"``((?:train|val|test)/\w+)``", said))
    unexplained = [m for m in logged if f"`{m}`" not in text and f"`{m.partition('/')[2]}`" not in text]
    assert not unexplained


def test_variables_that_the_pages_name_exist_in_the_code():
    packages = [*ROOT.glob("dlmodules*/**/*.py"), *ROOT.glob("datamodules/**/*.py"), *ROOT.glob("callbacks/**/*.py")]
    sources = [*packages, ROOT / "tests" / "no_skips.py"]
    code = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    named = {word for page in PAGES for word in re.findall(r"\bDLMODULES_[A-Z_]+\b", page.read_text("utf-8"))}
    assert named
    assert {word for word in named if word not in code} == set()


@pytest.mark.slow
def test_site_builds_without_a_warning(tmp_path):
    # CI has built it a minute before, by the same rules, and says where.
    site = Path(os.environ.get("DLMODULES_SITE") or tmp_path / "site")
    if "DLMODULES_SITE" not in os.environ:
        pytest.importorskip("mkdocs", reason="mkdocs is not installed: pip install -e '.[docs]'")
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(site)]
        built = subprocess.run(command, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
        assert built.returncode == 0, built.stdout + built.stderr
    arguments = (site / "systems" / "vae" / "index.html").read_text(encoding="utf-8")
    assert "weight of the KL term" in arguments  # the docstring, by way of mkdocstrings
