from __future__ import annotations

import json
import re
import shutil
import sys
from dataclasses import replace

import numpy as np
import pytest
from frameworks import needs
from pages import EVIL, SCORES, outcome

import distbench
from distbench import MissingDependencyError
from distbench.render.html import render_html
from distbench.results.diagrams import diagrams_of
from distbench.results.rows import rows_of
from distbench.results.run import RunResults

pytestmark = needs("jinja2", "matplotlib")


@pytest.fixture(scope="module")
def page():
    return render_html(outcome(), f"distbench {EVIL}")


class TestText:
    def test_one_file_with_one_script_and_nothing_from_outside(self, page):
        assert render_html(outcome(), f"distbench {EVIL}") == page, "it is the same each time"
        assert page.count("<script>") == 1
        tags = re.findall(r"<(?:link|img|iframe|object|embed|base|form)\b[^>]*", page)
        assert tags == ['<link rel="icon" href="data:,"']
        assert not re.search(r"\son\w+=\"(?!http)|javascript:|@import|url\((?!#)", page)
        assert "default-src 'none'" in page
        assert page.count("--distbench-retrain") == 1, "it says which rows are stored, and what fits them anew"
        assert page.count('<span class="flag">no place</span>') == 1
        assert "1 encoders" not in page

    def test_a_run_without_anything(self):
        page = render_html(RunResults(rows=[]))
        assert "Nothing was measured" in page
        assert 'id="environment"' not in page
        assert "<input" not in page

    def test_pictures_are_of_the_lowest_seed(self):
        two = [{**one, "seed": seed} for seed in (2, 1) for one in outcome().diagrams[:1]]
        rows = [replace(row, seed=seed) for row in outcome().rows if row.encoder == "second" for seed in (1, 2)]
        page = render_html(RunResults(rows=rows, diagrams=two))
        assert page.count("<figure>") == 3
        assert "pictures of seed 1" in page
        assert ">seed 2</th>" in page

    def test_a_page_of_a_thousand_checks_stays_small_and_shows_those_that_matter(self):
        known, (one, *_) = [row for row in outcome().rows if row.encoder == "second"], outcome().diagrams
        rows, diagrams = [], []
        for number in range(1000):
            verdict = {700: "broken", 800: "undecided"}.get(number, "met")
            about = {"encoder": f"encoder {number}", "dataset": "", "test": f"tests/test_many.py::test_it[{number}]"}
            rows += [replace(row, **about, verdict=row.verdict and verdict) for row in known]
            diagrams.append({**one, **about})
        page = render_html(RunResults(rows=rows, diagrams=diagrams))
        assert len(page.encode()) < 5_000_000
        details = {
            m[1]: m[2]
            for m in re.finditer(
                r'<details id="\w+" data-encoder="encoder (\d+)"(?: open)?>(.*?)</details>', page, re.S
            )
        }
        drawn = [number for number, text in details.items() if "<figure>" in text]
        assert 20 < len(drawn) < 100
        assert {"700", "800", "0"} <= set(drawn)
        small = re.findall(r'<a href="#\w+" data-encoder="encoder (\d+)"><svg', page)
        assert sorted([*drawn, *small], key=int) == list(map(str, range(1000)))

    def test_diagrams_of_another_size_or_place_are_not_shown(self):
        one = outcome().diagrams[0]
        for change in ({"code_size": 5}, {"k": 6}, {"M": 7}, {"in_sample": True}, {"dataset": "other"}):
            page = render_html(replace(outcome(), diagrams=[{**one, **change}]))
            assert "<figure>" not in page, change

    @pytest.mark.parametrize("package", ["jinja2", "matplotlib"])
    def test_without_what_it_needs(self, package, monkeypatch):
        monkeypatch.setitem(sys.modules, package, None)
        with pytest.raises(MissingDependencyError, match=rf'{package}.*pip install "distbench\[report\]"'):
            render_html(outcome())
        if package == "matplotlib":
            assert "shapes" in render_html(replace(outcome(), diagrams=[])), "only pictures need it"


@pytest.fixture(scope="module")
def browser():
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    paths = shutil.which("chromium"), shutil.which("chromedriver")
    if not all(paths):
        pytest.skip("no chromium and chromedriver (Debian: apt-get install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = paths[0]
    for argument in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "window-size=1280,900"):
        options.add_argument(f"--{argument}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(paths[1]))
    yield driver
    driver.quit()


@pytest.fixture
def opened(browser, page, tmp_path):
    def opened(text=page, width=1280, scheme="light"):
        path = tmp_path / "report.html"
        path.write_text(text, encoding="utf-8")
        metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        browser.get_log("browser"), browser.get_log("performance")
        browser.get(path.as_uri())
        return browser

    return opened


def find(driver, css):
    return driver.find_elements("css selector", css)


def appeared(driver, css):
    """The elements, as soon as there are any: what a link opens is open only some time after the click."""
    wait = pytest.importorskip("selenium.webdriver.support.wait").WebDriverWait(driver, 20)
    return wait.until(lambda driver: find(driver, css))


def names(driver, table="#t0"):
    script = "return [...document.querySelectorAll(arguments[0])].map(e => e.dataset.value)"
    return driver.execute_script(script, f"{table} .leaderboard tbody:first-of-type tr > th")


def head(driver, label, table="#t0"):
    return next(e for e in find(driver, f"{table} th") if e.text.split("\n")[0].strip(" ↑↓▾▴") == label)


class TestInTheBrowser:
    def test_no_errors_and_no_requests(self, opened):
        driver = opened()
        for details in find(driver, "details > summary"):
            details.click()
        assert driver.get_log("browser") == []
        events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
        urls = {e["params"]["request"]["url"] for e in events if e["method"] == "Network.requestWillBeSent"}
        assert [url for url in urls if not url.startswith(("file:", "data:"))] == []
        assert len([url for url in urls if url.startswith("file:")]) == 1

    def test_names_stay_text(self, opened):
        driver = opened()
        assert driver.execute_script("return window.evil") is None
        assert len(find(driver, "script")) == 1
        assert find(driver, "img") == []
        assert driver.title == f"distbench {EVIL}"
        text = driver.execute_script("return document.body.textContent")
        words = ("before", "continuity of", "Statement", "evidence", "broken", "failed:")
        assert [word for word in words if f"{word} {EVIL}" not in text] == []
        assert f"test_mine.py::test_1[{EVIL}" in text
        assert text.count(EVIL) > 10

    def test_tables_sort_by_click(self, opened):
        driver = opened()
        assert names(driver) == ["third", "second", "first"]
        find(driver, "#t0 button.columns")[0].click()
        assert head(driver, "continuity").get_attribute("aria-sort") == "descending"
        fit = head(driver, "fit s")
        fit.find_element("tag name", "button").click()
        assert names(driver) == ["first", "second", "third"]
        assert fit.get_attribute("aria-sort") == "ascending"
        assert len(find(driver, "#t0 th[aria-sort]")) == 1
        fit.find_element("tag name", "button").click()
        assert names(driver) == ["third", "second", "first"]
        head(driver, "encoder").find_element("tag name", "button").click()
        assert names(driver) == sorted(SCORES)
        assert "no place" in find(driver, "#t0 .leaderboard tbody:last-of-type tr")[-1].text

    def test_tables_sort_by_key(self, opened):
        driver = opened()
        button = head(driver, "stress").find_element("tag name", "button")
        driver.execute_script("arguments[0].focus()", button)
        button.send_keys("\ue007")  # Enter
        ordered = driver.execute_script(
            "const c = arguments[0].closest('th').cellIndex;"
            "const rows = [...document.querySelectorAll('#t0 .leaderboard tbody:first-of-type tr')];"
            "return rows.map(row => Number(row.cells[c].dataset.value))",
            button,
        )
        assert ordered == sorted(ordered)
        assert len(set(ordered)) == 3
        assert driver.switch_to.active_element == button
        button.send_keys(" ")
        assert head(driver, "stress").get_attribute("aria-sort") == "descending"

    def test_numbers_sort_as_numbers_and_what_is_missing_last(self, opened):
        base = next(row for row in outcome().rows if row.metric == "continuity")
        values = {"a": 10.0, "b": 9.0, "c": float("inf"), "d": 1e-5}
        rows = [replace(base, encoder=name, leave_one_out=None, interaction=None) for name in [*values, "e"]]
        worst = {"metric": "distortion", "direction": "down", "low": None}
        extra = [replace(row, **worst, value=values[row.encoder]) for row in rows if row.encoder in values]
        driver = opened(render_html(RunResults(rows=[*rows, *extra])))
        button = head(driver, "distortion").find_element("tag name", "button")
        button.click()
        assert names(driver) == ["d", "b", "a", "c", "e"]
        button.click()
        assert names(driver) == ["c", "a", "b", "d", "e"]

    def test_pictures_are_there_but_for_stored_rows(self, opened):
        driver = opened()
        links = {e.text: e for e in find(driver, "#t0 .leaderboard tbody th a")}
        links["second"].click()
        second = f"#{links['second'].get_attribute('href').partition('#')[2]}[open]"
        shown = appeared(driver, f"{second} figure > svg")
        assert len(shown) == 3
        for svg in shown:
            box = driver.execute_script("const b = arguments[0].getBBox(); return [b.width, b.height]", svg)
            assert min(box) > 150
            assert min(svg.size.values()) > 150
        image = find(driver, f"{second} figure image")[0]
        href = image.get_attribute("href") or image.get_attribute("xlink:href")
        size = driver.execute_async_script(
            "const i = new Image(), done = arguments[1]; i.onload = () => done([i.naturalWidth, i.naturalHeight]);"
            "i.onerror = () => done(null); i.src = arguments[0]",
            href,
        )
        assert size
        assert min(size) >= 64
        assert min(image.size.values()) > 150
        assert "--distbench-retrain" not in find(driver, second)[0].text
        first = links["first"].get_attribute("href").partition("#")[2]
        links["first"].click()
        stored = appeared(driver, f"#{first}[open]")[0]
        assert "--distbench-retrain fits the encoder again" in stored.text
        assert stored.find_elements("css selector", "figure") == []

    def test_limits_that_are_broken_are_marked(self, opened):
        driver = opened()
        marked = find(driver, "#t0 .leaderboard td.broken")
        wanted = {(row.encoder, row.metric) for row in outcome().rows if row.verdict == "broken" and row.dataset}
        assert len(marked) == len(wanted) > 0
        assert all(cell.text.startswith("!") for cell in marked)
        titles = {cell.get_attribute("title").split(";")[0] for cell in marked}
        assert titles <= {"limit at least 0.9: broken", "limit at most 0.2: broken"}
        chip = next(e.text for e in find(driver, ".chips .broken") if "limit" in e.text)
        assert chip == f"{len(wanted)} limit{'s' * (len(wanted) > 1)} broken"

    def test_broken_limits_come_first_and_unfolded_with_value_limit_and_advice(self, opened):
        driver = opened()
        sections = [section.get_attribute("id") for section in find(driver, "section.card")]
        assert sections.index("limits") < sections.index("t0")
        broken = {row.encoder for row in outcome().rows if row.verdict == "broken" and row.dataset}
        shown = {e.get_attribute("data-encoder"): e for e in find(driver, "#limits details[open]")}
        assert set(shown) == broken
        text = shown["second"].text
        score = next(row for row in outcome().rows if (row.encoder, row.metric) == ("second", "stress"))
        assert f"stress = {score.value:.4f}" in text
        assert f"95 % interval {score.low:.4f} to {score.high:.4f}, limit ≤ 0.2: broken" in text
        assert f"next: try {EVIL}" in text
        captions = [e.text for e in find(driver, f"#{shown['second'].get_attribute('id')} .pairs caption")]
        assert captions == ["Near in input, torn apart in the codes", "Far in input, brought near in the codes"]

    def test_pairs_of_images_have_both_images(self, opened):
        rng = np.random.default_rng(0)
        X = rng.uniform(size=(40, 5, 4, 3))
        report = distbench.evaluate(lambda x: x.reshape(len(x), -1)[:, :2], X, k=3, name="images")
        about = {"test": "t.py::test_images"}
        run = RunResults(rows_of(report, limits={"stress": 0.01}, **about), diagrams=[diagrams_of(report, **about)])
        driver = opened(render_html(run))
        sizes = driver.execute_script(
            "return [...document.querySelectorAll('.pairs img')].map(e => [e.naturalWidth, e.naturalHeight])"
        )
        assert sizes == [[4, 5]] * 20
        assert driver.get_log("browser") == []

    @pytest.mark.parametrize("width", [1280, 1920])
    def test_the_columns_that_matter_fit_and_a_button_shows_the_others(self, opened, width):
        driver = opened(width=width)
        shown = [e.text.split("\n")[0].strip(" ↑↓▾▴") for e in find(driver, "#t0 th[scope=col]") if e.is_displayed()]
        assert shown == ["#", "encoder", "continuity", "95 % interval", "stress", "scaled stress"]
        script = (
            "return [...document.querySelectorAll('#t0 > .scroll')].filter(e => e.scrollWidth > e.clientWidth).length"
        )
        assert driver.execute_script(script) == 0
        button = find(driver, "#t0 button.columns")[0]
        button.click()
        assert len([e for e in find(driver, "#t0 th[scope=col]") if e.is_displayed()]) > 10
        assert (button.text, button.get_attribute("aria-pressed")) == ("fewer columns", "true")

    def test_checks_on_points_of_their_own_are_one_list(self, opened):
        driver = opened()
        rows = find(driver, "#checks .leaderboard tbody tr")
        assert [row.find_element("css selector", "td").text for row in rows] == ["met", "met"]
        assert [find(row, ".small")[0].text for row in rows] == [f"test_mine.py::test_{n}[{EVIL}]" for n in range(2)]
        assert len(find(driver, "section.board")) == 2

    def test_changes_have_their_states(self, opened):
        driver = opened()
        states = [e.text for e in find(driver, "#changes tbody .chip")]
        changed = [change for change in outcome().comparison.changes if change.is_change]
        assert len(states) == len(changed) > 0
        assert set(states) <= {"better", "unclear"}  # stress was larger before
        assert f"{len(outcome().comparison.changes) - len(changed)} unchanged" in find(driver, "#changes")[0].text

    def test_filter(self, opened):
        driver = opened()
        find(driver, "input[type=search]")[0].send_keys("SECOND")
        assert [e.text for e in find(driver, "#t0 .leaderboard tbody th > a") if e.is_displayed()] == ["second"]
        assert [e.get_attribute("data-encoder") for e in find(driver, "details") if e.is_displayed()] == ["second"]

    @pytest.mark.parametrize("width", [390, 800, 1280])
    def test_the_page_itself_never_scrolls_sideways(self, opened, width):
        driver = opened(width=width)
        driver.execute_script("for (const d of document.querySelectorAll('details')) d.open = true")
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width

    def test_head_and_names_stay_in_sight(self, opened):
        driver = opened(width=390)
        box = find(driver, "#t0 .scroll")[0]
        driver.execute_script("arguments[0].scrollLeft = 400", box)
        name = find(driver, "#t0 .leaderboard tbody th > a")[0]
        left = driver.execute_script("return arguments[0].getBoundingClientRect().left", name)
        assert 0 <= left < 60

    def test_dark_is_dark_and_can_be_read(self, opened):
        lightness = {}
        for scheme in ("light", "dark"):
            driver = opened(scheme=scheme)
            properties = {".board": "backgroundColor", "h1": "color", "figure text": "fill"}
            script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]"
            colors = [driver.execute_script(script, *item) for item in properties.items()]
            lightness[scheme] = [sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in colors]
        (light_card, light_ink, light_label), (card, ink, label) = lightness["light"], lightness["dark"]
        assert light_card > 240
        assert card < 40
        assert light_card - light_ink > 150
        assert ink - card > 150
        assert light_card - light_label > 100
        assert label - card > 100
