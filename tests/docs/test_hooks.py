"""What MkDocs does besides, on pages made by hand."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

ROOT = Path(__file__).parents[2]
CONFIG = {"config_file_path": str(ROOT / "mkdocs.yml"), "docs_dir": str(ROOT / "docs")}


def load():
    spec = importlib.util.spec_from_file_location("docs_hooks", ROOT / "docs" / "hooks.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOKS = load()


def page(name):
    return SimpleNamespace(file=SimpleNamespace(src_uri=name), meta={})


def test_a_picture_that_stands_alone_has_its_caption_below():
    plain = '<p><img alt="Ten digits" src="a.png"></p>'
    assert HOOKS.on_page_content(plain) == (
        '<figure><img alt="Ten digits" src="a.png"><figcaption>Ten digits</figcaption></figure>'
    )
    link = '<a class="glightbox" href="a.png"><img alt="A" src="a.png"></a>'
    two = HOOKS.on_page_content(f"<p>{link}\n{link}</p>")
    assert two == 2 * f"<figure>{link}<figcaption>A</figcaption></figure>"
    inside = '<p>See <img alt="A" src="a.png"> here.</p>'
    assert HOOKS.on_page_content(inside) == inside


def test_a_shown_file_of_the_root_has_the_sites_links():
    shown = HOOKS.on_page_markdown('--8<-- "BENCHMARKS.md"\n', page=page("benchmarks.md"), config=CONFIG)
    assert "[DCGAN](benchmarks/gans.md)" in shown
    assert "](docs/" not in shown
    assert "](benchmarks/results.csv)" not in shown  # it is no part of the site
    assert HOOKS.on_page_markdown("[a](docs/b.md)", page=page("x.md"), config=CONFIG) == "[a](docs/b.md)"


def test_wide_pages_have_no_table_of_contents():
    for name, hidden in (("index.md", True), ("benchmarks/gans.md", True), ("systems/gan.md", False)):
        one = page(name)
        HOOKS.on_page_markdown("text", page=one, config=CONFIG)
        assert ("hide" in one.meta) == hidden
