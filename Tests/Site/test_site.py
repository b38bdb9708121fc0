"""The documentation site needs no other host, has no dead link, and works: `make test-site`.

CKPTCONV_SITE is the folder that `make site` made.
"""

import functools
import html.parser
import http.server
import os
import pathlib
import sys
import threading
import urllib.parse

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Browser"))

from chromium import Browser  # noqa: E402

SITE = pathlib.Path(os.environ["CKPTCONV_SITE"])
# DocC's pages are an application of its own, which makes its content in the browser.
PAGES = sorted(
    path.relative_to(SITE).as_posix()
    for path in SITE.rglob("*.html") if "reference" not in path.parts)

WORDS = ["skeleton", "bfloat16", "slurm"]


class References(html.parser.HTMLParser):
    """What a page has: the names that links can lead to, and its own links."""

    def __init__(self, path):
        super().__init__()
        self.names, self.links = set(), []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.names.add(value)
            elif name in ("href", "src") and value:
                self.links.append(value)


@functools.cache
def references(path):
    return References(path)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for link in references(SITE / page).links:
        parts = urllib.parse.urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = SITE / page
        if parts.path:
            target = target.parent / urllib.parse.unquote(parts.path)
        if page == "404.html":
            # It may be shown for an address at any depth.
            target = SITE / urllib.parse.unquote(parts.path).removeprefix("/")
        assert target.exists(), f"{page}: {link}"
        if parts.fragment and target.suffix == ".html" and "reference" not in target.parts:
            name = urllib.parse.unquote(parts.fragment)
            assert name in references(target.resolve()).names | {"__skip"}, f"{page}: {link}"


@pytest.fixture(scope="session")
def server():
    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Handler, directory=SITE)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="session")
def browser():
    browser = Browser()
    yield browser.page()
    browser.close()


def assert_at_peace(browser, address):
    assert browser.complaints == []
    elsewhere = [url for url in browser.requests if not url.startswith((address, "data:", "blob:"))]
    assert elsewhere == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_asks_no_other_host_and_complains_of_nothing(page, browser, server):
    browser.open(server + page)
    assert_at_peace(browser, server)
    assert browser.evaluate("document.querySelector('h1').textContent.length") > 0


@pytest.mark.parametrize("word", WORDS)
def test_the_search_finds(word, browser, server):
    browser.open(server + "index.html")
    browser.evaluate(f"""
        document.querySelector('[for=__search]').click();
        const field = document.querySelector('.md-search__input');
        field.focus();
        field.value = {word!r};
        field.dispatchEvent(new KeyboardEvent('keyup', {{bubbles: true}}));
        field.dispatchEvent(new Event('input', {{bubbles: true}}));
    """)
    found = browser.evaluate("""new Promise(done => {
        const look = () => {
            const results = document.querySelectorAll('.md-search-result__item').length;
            results ? done(results) : setTimeout(look, 50);
        };
        look();
    })""")
    assert found > 0
    assert_at_peace(browser, server)


@pytest.mark.parametrize("page", ["", "ckptformats/", "ckptconverter/", "ckptformats/dtype/"])
def test_the_reference_of_the_library(page, browser, server):
    browser.open(f"{server}reference/documentation/{page}")
    # Its content comes from a file of data.
    title = browser.evaluate("""new Promise(done => {
        const look = () => {
            const title = document.querySelector('h1');
            title ? done(title.textContent) : setTimeout(look, 50);
        };
        look();
    })""")
    assert title.strip() not in ("", "This page requires JavaScript.")
    assert_at_peace(browser, server)
