"""Shows people's Markdown as HTML that can do no harm: no HTML of theirs, no pictures, no address but of the web."""

import re

from django.utils.safestring import SafeString
from markdown_it import MarkdownIt

_ADDRESS = re.compile(r"(https?:|mailto:|/|#)", re.IGNORECASE)
MAX_NESTING = 20


def html(text: str) -> SafeString:
    """Headings begin at the third level, since they stand within a page's panel."""
    return SafeString(_renderer().render(text))  # the renderer escapes everything that people wrote


def _renderer() -> MarkdownIt:
    made = MarkdownIt("commonmark", {"html": False, "maxNesting": MAX_NESTING}).enable(["table", "strikethrough"])
    made.disable(["image", "html_block", "html_inline"])
    made.validateLink = lambda url: _ADDRESS.match(url) is not None and not url.startswith("//")  # type: ignore[method-assign]
    made.core.ruler.push("in_a_panel", _lower_headings)
    return made


def _lower_headings(state: object) -> None:
    for token in state.tokens:  # type: ignore[attr-defined]
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noreferrer noopener nofollow")
