"""Opens reports in a real browser: nothing is missing, nothing is loaded, no error is shown.

usage: python3 Tests/Report/test_report.py CKPTCONV [PICTURES]

Screenshots and PDF files are kept in PICTURES, `.report` by default.
"""

import html.parser
import json
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "Browser"))

from chromium import Browser  # noqa: E402
from make_runs import HOSTILE, hostile_model, large_model, model, statistics  # noqa: E402

CKPTCONV = None
PICTURES = None

# Elements that HTML never closes.
VOID = {"meta", "input", "br"}


class Balance(html.parser.HTMLParser):
    """Sees whether every element that is opened is closed, and keeps the addresses."""

    def __init__(self):
        super().__init__()
        self.open = []
        self.addresses = []

    def handle_starttag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.addresses += [value for name, value in attributes if name in ("src", "href")]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> in {self.open}"
        self.open.pop()


class ReportTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        place = pathlib.Path(cls.folder.name)
        runs = {
            "small": ([10, 20, 30, 45, 60], model(4), True),
            "large": (list(range(1000, 301000, 1000)), large_model(), True),
            "hostile": ([1, 2, 3], hostile_model(), True),
            "bare": ([5, 10], model(2), False),
            "single": ([7], model(2), True)}
        log = place / "metrics.csv"
        log.write_text("step,loss\n" + "".join(f"{n},{4 - n / 40}\n" for n in range(1, 61)))
        cls.reports = {}
        for name, (steps, tensors, optimizer) in runs.items():
            kept = statistics(place / name, steps, tensors, optimizer)
            path = place / f"{name}.html"
            flags = ["--metrics", log] if name == "small" else []
            subprocess.run(
                [CKPTCONV, "stats", "--quiet", "--fail-on", "never", kept, "--html", path, *flags],
                check=True)
            cls.reports[name] = path
        cls.browser = Browser()

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.folder.cleanup()

    def opened(self, name, **options):
        page = self.browser.page(**options)
        self.addCleanup(page.close)
        return page.open(self.reports[name].as_uri())

    def test_pages_are_whole_at_every_size(self):
        for name in self.reports:
            for width in 1280, 800, 400:
                for dark in False, True:
                    for scripts in True, False:
                        with self.subTest(name=name, width=width, dark=dark, scripts=scripts):
                            self.look_at(name, width, dark, scripts)

    def look_at(self, name, width, dark, scripts):
        page = self.opened(name, width=width, dark=dark, scripts=scripts)
        self.assertEqual(page.complaints, [])
        asked = [url for url in page.requests if not url.startswith("data:")]
        self.assertEqual(asked, [self.reports[name].as_uri()])
        self.assertEqual(page.evaluate("document.documentElement.scrollWidth"), width)
        # Text that is wider than the element that should hold it; tables scroll.
        wide = page.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,p,dd,dt,li,summary,label')]"
            ".filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0)"
            ".map(e => e.textContent.slice(0, 60))")
        self.assertEqual(wide, [])
        if width != 400:
            PICTURES.mkdir(parents=True, exist_ok=True)
            words = [name, str(width), "dark" if dark else "light"] + ([] if scripts else ["plain"])
            page.picture(PICTURES / ("-".join(words) + ".png"))

    def test_every_tensor_and_checkpoint_has_a_row(self):
        for name, (tensors, steps) in {"small": (35, 5), "large": (387, 300)}.items():
            page = self.opened(name)
            self.assertEqual(
                page.evaluate("document.querySelectorAll('#tensors tbody tr').length"), tensors)
            self.assertEqual(
                page.evaluate("document.querySelectorAll('table')[1].tBodies[0].rows.length"), steps)

    def test_every_chart_has_its_lines(self):
        page = self.opened("small")
        data = page.evaluate("JSON.parse(document.getElementById('data').textContent)")
        self.assertGreaterEqual(len(data["charts"]), 6 + 4 * 4 + 2)
        for identity, chart in data["charts"].items():
            lines = page.evaluate(f"document.querySelectorAll('#{identity} .line').length")
            self.assertEqual(lines, len(chart["names"]), identity)
        for identity in data["maps"]:
            self.assertEqual(
                page.evaluate(f"document.querySelectorAll('#{identity} image').length"), 1)
        loaded = page.evaluate(
            "Promise.all([...document.querySelectorAll('image')].map(e => new Promise(done => {"
            " const i = new Image(); i.onload = () => done(i.naturalWidth);"
            " i.onerror = () => done(0); i.src = e.href.baseVal; })))")
        self.assertTrue(all(width > 0 for width in loaded), loaded)

    def test_the_cursor_shows_values(self):
        page = self.opened("small")
        expected = page.evaluate(
            "JSON.parse(document.getElementById('data').textContent).charts['c-gradient'].values[0]")
        box = page.evaluate(
            "(() => { const s = document.getElementById('c-gradient'); s.scrollIntoView();"
            " const b = s.getBoundingClientRect(); return [b.left, b.top, b.width, b.height]; })()")
        left, top, width, height = box
        for index, share in enumerate([0, 0.2, 0.4, 0.7, 1]):
            # The steps 10, 20, 30, 45 and 60 lie between the margins of the chart.
            page.point(left + width * (44 + share * (384 - 44 - 12)) / 384, top + height / 2)
            self.assertEqual(page.evaluate("new Promise(r => setTimeout(() => r("
                                           "document.getElementById('tip').style.visibility), 50))"),
                             "visible")
            cells = page.evaluate("document.querySelector('#tip td').textContent")
            self.assertAlmostEqual(float(cells) / expected[index], 1, places=2)
        page.point(1, 1)
        self.assertEqual(
            page.evaluate("document.getElementById('tip').style.visibility"), "hidden")

    def test_the_keyboard_moves_the_cursor(self):
        page = self.opened("small")
        for identity, rows in ("c-size", 4), ("c-rms-0", 4), ("m-rms-0", 1), ("m-similarity", 1):
            page.evaluate(f"document.getElementById('{identity}').focus()")
            page.press("Home")
            page.press("ArrowRight", 2)
            text = page.evaluate(
                "new Promise(r => setTimeout(() => r(document.querySelector('#tip b').textContent),"
                " 100))")
            self.assertEqual(text, "step 30", identity)
            self.assertGreaterEqual(
                page.evaluate("document.querySelectorAll('#tip tr').length"), rows, identity)

    def test_maps_show_the_values_of_tensors(self):
        page = self.opened("large")
        found = page.evaluate("""(async () => {
          const s = document.getElementById('m-rms-0');
          s.focus();
          for (const key of ['End', 'ArrowUp', 'ArrowUp'])
            s.dispatchEvent(new KeyboardEvent('keydown', {key}));
          await new Promise(r => setTimeout(r, 200));
          const tip = document.getElementById('tip');
          return [...tip.querySelectorAll('b, th, td')].map(e => e.textContent); })()""")
        step, block, value = found
        self.assertEqual((step, block), ("step 300000", "block 2"))
        row = page.evaluate(
            "[...document.querySelectorAll('#tensors tbody tr')].find(r =>"
            " r.cells[0].textContent.includes('blocks.2.att_proj')).cells[2].textContent")
        self.assertAlmostEqual(float(value) / float(row), 1, places=2)

    def test_tables_are_sorted_and_filtered(self):
        page = self.opened("small")
        column = "[...document.querySelectorAll('#tensors tbody tr')].map(r => +r.cells[2].textContent)"
        button = "document.querySelectorAll('#tensors thead button')[2].click()"
        page.evaluate(button)
        found = page.evaluate(column)
        self.assertEqual(found, sorted(found, reverse=True))
        page.evaluate(button)
        found = page.evaluate(column)
        self.assertEqual(found, sorted(found))
        shown = page.evaluate("""(() => {
          const find = document.getElementById('find');
          find.value = 'blocks.2 ff_out';
          find.dispatchEvent(new Event('input'));
          return [...document.querySelectorAll('#tensors tbody tr')]
            .filter(r => !r.hidden).map(r => r.cells[0].textContent); })()""")
        self.assertEqual([name.split(" (")[0] for name in shown],
                         ["transformer.blocks.2.ff_out.weight"])
        self.assertEqual(page.evaluate("document.getElementById('count').textContent"), "1 tensor")

    def test_tabs_and_colors_change(self):
        for scripts in True, False:
            page = self.opened("small", scripts=scripts)
            shown = ("['rms', 'update', 'gradient', 'kurtosis'].filter(t =>"
                     " getComputedStyle(document.getElementById('p-' + t)).display !== 'none')")
            self.assertEqual(page.evaluate(shown), ["rms"])
            box = page.evaluate(
                "(() => { const e = document.querySelector('label[for=t-kurtosis]');"
                " e.scrollIntoView(); const b = e.getBoundingClientRect();"
                " return [b.left + 5, b.top + 5]; })()")
            page.click(*box)
            self.assertEqual(page.evaluate(shown), ["kurtosis"])
        page = self.opened("small")
        before = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.evaluate("document.getElementById('theme').click()")
        self.assertNotEqual(page.evaluate("getComputedStyle(document.body).backgroundColor"), before)

    def test_text_has_contrast(self):
        script = """(() => {
          const light = c => { const [r, g, b] = c.match(/[\\d.]+/g).map(v => v / 255)
            .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
            return .2126 * r + .7152 * g + .0722 * b; };
          const ground = light(getComputedStyle(document.body).backgroundColor);
          return [...document.querySelectorAll('h1,h2,h3,p,dt,dd,th,td,.sev,.step,.muted,svg text')]
            .map(e => { const s = getComputedStyle(e);
              const c = light(e.closest('svg') ? s.fill : s.color);
              return [(Math.max(c, ground) + .05) / (Math.min(c, ground) + .05),
                e.className.baseVal ?? e.className, e.textContent.slice(0, 30)]; })
            .filter(e => e[0] < 4.5); })()"""
        for dark in False, True:
            self.assertEqual(self.opened("small", dark=dark).evaluate(script), [])

    def test_charts_have_names_for_readers_of_screens(self):
        page = self.opened("small")
        self.assertEqual(page.evaluate(
            "[...document.querySelectorAll('svg.chart')].filter(s => s.getAttribute('role') !== 'img'"
            " || !s.getAttribute('aria-label')).length"), 0)
        self.assertEqual(page.evaluate(
            "(() => { const ids = [...document.querySelectorAll('[id]')].map(e => e.id);"
            " return ids.length - new Set(ids).size; })()"), 0)
        self.assertEqual(page.evaluate(
            "[...document.querySelectorAll('a')].filter(a => a.hash.length < 2 ||"
            " !document.getElementById(a.hash.slice(1))).length"), 0)

    def test_hostile_names_are_text(self):
        page = self.opened("hostile")
        self.assertEqual(page.complaints, [])
        self.assertEqual(page.evaluate("document.querySelectorAll('script').length"), 2)
        self.assertEqual(page.evaluate("document.querySelectorAll('img').length"), 0)
        names = page.evaluate(
            "[...document.querySelectorAll('#tensors tbody code')].map(e => e.textContent)")
        self.assertEqual(len(names), len(HOSTILE))
        for name in HOSTILE[:4]:
            self.assertTrue(any(found.endswith(name) for found in names), name)
        page.evaluate("document.getElementById('c-rms-0').focus()")
        page.press("ArrowRight")
        self.assertEqual(page.complaints, [])

    def test_files_are_balanced_and_alone(self):
        for name, path in self.reports.items():
            text = path.read_text()
            parser = Balance()
            parser.feed(text)
            self.assertEqual(parser.open, [], name)
            for address in parser.addresses:
                self.assertRegex(address, r"^(#|data:image/png;base64,)", name)
            self.assertNotRegex(text.replace("http-equiv", ""), r"https?:", name)

    def test_the_large_report_is_small(self):
        self.assertLess(self.reports["large"].stat().st_size, 1_000_000)

    def test_print_has_all_tabs(self):
        for name in "small", "single":
            page = self.opened(name, scripts=False)
            page.call("Emulation.setEmulatedMedia", media="print")
            shown = page.evaluate(
                "[...document.querySelectorAll('.tab')].filter(t =>"
                " getComputedStyle(t).display !== 'none').length")
            self.assertEqual(shown, page.evaluate("document.querySelectorAll('.tab').length"))
            self.assertGreater(shown, 0)
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.pdf(PICTURES / f"{name}.pdf")
            self.assertGreater((PICTURES / f"{name}.pdf").stat().st_size, 20_000)


if __name__ == "__main__":
    CKPTCONV = pathlib.Path(sys.argv[1]).resolve()
    PICTURES = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ".report").resolve()
    unittest.main(argv=sys.argv[:1], verbosity=2)
