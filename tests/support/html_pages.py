"""What is in an HTML file."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "img", "br"}


@dataclass
class Page(HTMLParser):
    """A parsed file; a tag that is not closed in its order fails."""

    open: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    texts: dict[str, list[str]] = field(default_factory=dict)  # by tag
    attributes: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self):
        super().__init__()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)

    def values(self, name: str) -> list[str]:
        """Values of an attribute."""
        return [value for key, value in self.attributes if key == name]


def parse_page(text: str) -> Page:
    """The page, complete."""
    page = Page()
    page.feed(text)
    page.close()
    assert page.open == []
    return page


def assert_self_contained(page: Page) -> None:
    """Nothing is loaded from elsewhere, and nothing runs."""
    assert {"script", "link", "iframe"} & set(page.tags) == set()
    assert [source for source in page.values("src") if not source.startswith("data:image/png;base64,")] == []
    assert [link for link in page.values("href") if not link.startswith("#")] == []
    styles = "".join(page.texts["style"])
    assert ("url(" in styles, "@import" in styles) == (False, False)
