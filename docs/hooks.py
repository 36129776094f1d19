"""What MkDocs does besides: captions below the pictures, and links of the files of the root that pages show."""

import re
from pathlib import Path
from typing import Any

SHOWN = re.compile(r'^--8<-- "([\w.-]+\.md)"\s*$')
PICTURE = re.compile(r"(?:<a class=\"glightbox\"[^>]*>)?<img [^>]*>(?:</a>)?")
PICTURES = re.compile(rf"<p>\s*((?:{PICTURE.pattern}\s*)+)</p>")
WIDE = ("index.md", "benchmarks.md", "benchmarks/", "gans-compared.md")
CAPTION = re.compile(r'alt="([^"]*)"')


def on_page_markdown(markdown: str, page: Any, config: Any, **_: Any) -> str:
    """Show a file of the root with its links as they are from ``docs``; one that leads out of it becomes plain text.

    The gallery and wide tables get the place of the page's table of contents.
    """
    if page.file.src_uri.startswith(WIDE):
        page.meta.setdefault("hide", ["toc"])
    shown = SHOWN.match(markdown)
    if not shown:
        return markdown
    text = (Path(config["config_file_path"]).parent / shown[1]).read_text(encoding="utf-8")
    text = text.replace("](docs/", "](")
    return re.sub(r"\[([^\]]+)\]\(((?!https?:|#)[^)\s]+)\)", lambda link: _kept(link, config), text)


def _kept(link: re.Match[str], config: Any) -> str:
    """Return a link that leads to a page, or else its text."""
    file = Path(config["docs_dir"]) / link[2].partition("#")[0]
    return link[0] if file.is_file() else link[1]


def on_page_content(html: str, **_: Any) -> str:
    """Give each picture that stands alone a caption: its alternative text."""
    return PICTURES.sub(lambda found: "".join(_figure(picture) for picture in PICTURE.findall(found[1])), html)


def _figure(picture: str) -> str:
    caption = CAPTION.search(picture)
    below = f"<figcaption>{caption[1]}</figcaption>" if caption and caption[1] else ""
    return f"<figure>{picture}{below}</figure>"
