"""Opens reports in a browser, and checks that they show what they should and do nothing else.

    python3 tests/drive_report.py target/tmp/report-labelled.html

Needs Playwright (`pip install playwright`) and a Chromium at /usr/bin/chromium, or where CHROMIUM says.
"""

import json
import os
import pathlib
import sys

from playwright.sync_api import sync_playwright

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


class Watch:
    """What a page must not do: complain, use the network, open a dialog."""

    def __init__(self, page, address):
        self.found = []
        page.on("console", lambda m: m.type in ("error", "warning") and self.found.append(f"console: {m.text}"))
        page.on("pageerror", lambda error: self.found.append(f"script: {error}"))
        page.on("dialog", self.dialog)
        page.on("request", lambda r: self.request(r.url, address))

    def dialog(self, dialog):
        self.found.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def request(self, url, address):
        if url != address and not url.startswith("data:"):
            self.found.append(f"request: {url}")


def check_charts(page, charts):
    """Each curve has its points, all within the axes."""
    assert charts, "expected curves, found none"
    for chart in charts:
        left, right, top, bottom = chart["frame"]
        lines = page.locator(f"#chart-{chart['id']} polyline.line")
        assert lines.count() == len(chart["lines"]), chart["id"]
        found = 0
        for points in lines.evaluate_all("lines => lines.map(l => l.getAttribute('points'))"):
            for point in points.split():
                x, y = map(float, point.split(","))
                assert left - 0.1 <= x <= right + 0.1 and top - 0.1 <= y <= bottom + 0.1, (chart["id"], x, y)
                found += 1
        assert found == sum(len(line["points"]) for line in chart["lines"]) > 0, (chart["id"], found)
        assert page.locator(f"#chart-{chart['id']} text.tick").count() >= 5, chart["id"]


def check_hover_on_charts(page, charts):
    """A pointer in the middle of a chart shows a value that the chart holds."""
    for chart in charts:
        svg = page.locator(f"#chart-{chart['id']}")
        svg.scroll_into_view_if_needed()
        svg.hover()
        tip = page.locator("#tip")
        assert tip.is_visible(), chart["id"]
        text = tip.inner_text()
        assert chart["axis"] in text and all(line["name"] in text for line in chart["lines"]), (chart["id"], text)
        held = [point[1] for line in chart["lines"] for point in line["points"]]
        shown = [float(word) for word in text.replace("(", " ").split() if is_number(word)]
        # The page rounds to four digits, and a tie such as 275.25 upwards, which Python rounds to even.
        assert any(abs(a - b) <= 6e-4 * abs(a) for a in held for b in shown), (chart["id"], text)
        assert page.locator(f"#chart-{chart['id']} .cursor circle").count() > 0, chart["id"]


def is_number(word):
    try:
        float(word)
        return True
    except ValueError:
        return False


def transforms(page):
    marks = page.locator("#points > use")
    return marks.evaluate_all("marks => marks.map(m => m.getAttribute('transform'))")


def check_map(page, map_data):
    """All images are on the map, the pointer shows each one's name, and the switch moves them."""
    points = map_data["points"]
    page.locator("#points").scroll_into_view_if_needed()
    before = transforms(page)
    assert len(before) == len(points) > 0, (len(before), len(points))
    assert before == ["translate({:g} {:g})".format(*point["tsne"]) for point in points]
    for point in points:
        assert all(0 <= c <= 640 for c in point["tsne"] + point["pca"]), point
    for index in range(0, len(points), max(1, len(points) // 10)):
        check_point(page, map_data, index, "tsne")
    if page.locator("#projection").count():
        page.locator("#projection input[value=pca]").check(force=True)
        after = transforms(page)
        assert after == ["translate({:g} {:g})".format(*point["pca"]) for point in points]
        assert sum(a != b for a, b in zip(before, after)) > len(points) / 2, "expected the switch to move points"
        page.wait_for_timeout(900)
        check_point(page, map_data, 0, "pca")
        assert page.locator("[data-projection=pca]").is_visible()
        assert not page.locator("[data-projection=tsne]").is_visible()
        page.locator("#projection input[value=tsne]").check(force=True)


def check_point(page, map_data, index, projection):
    """The pointer on a point shows its thumbnail, class and name, or those of another point at the same place."""
    x, y = map_data["points"][index][projection]
    place = page.evaluate(
        "([x, y]) => { const svg = document.getElementById('points');"
        " const p = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM()); return [p.x, p.y]; }",
        [x, y],
    )
    page.mouse.move(1, 1)
    page.mouse.move(*place)
    tip = page.locator("#tip")
    assert tip.is_visible(), index
    near = [p for p in map_data["points"] if abs(p[projection][0] - x) < 1 and abs(p[projection][1] - y) < 1]
    paragraphs = tip.locator("p").evaluate_all("ps => ps.map(p => p.textContent)")
    classes = map_data["classes"]
    expected = [([] if p["class"] is None else [classes[p["class"]]]) + [p["name"]] for p in near]
    assert paragraphs in expected, (paragraphs, expected)
    shown = next(i for i, p in enumerate(map_data["points"]) if p["name"] == paragraphs[-1])
    difference = page.evaluate(THUMBNAIL_DIFFERENCE, [shown, map_data["columns"], map_data["tile"]])
    assert difference == 0, f"expected the thumbnail of point {shown}, found one that differs by {difference}"


# The largest difference of a value between the thumbnail that is shown and the one cut out of the sheet.
THUMBNAIL_DIFFERENCE = """([index, columns, tile]) => {
    const shown = document.querySelector("#tip canvas");
    const cut = document.createElement("canvas");
    cut.width = cut.height = shown.width;
    const sheet = document.getElementById("thumbnails");
    const [x, y] = [(index % columns) * tile, Math.floor(index / columns) * tile];
    cut.getContext("2d").drawImage(sheet, x, y, tile, tile, 0, 0, cut.width, cut.height);
    const pixels = (canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const expected = pixels(cut);
    return pixels(shown).reduce((most, value, at) => Math.max(most, Math.abs(value - expected[at])), 0);
}"""


def check_legend(page, map_data):
    """A chosen class stands out, and all classes do when it is no longer chosen."""
    legend = page.locator("#legend button")
    assert legend.count() == len(map_data["classes"])
    if not legend.count():
        return
    for index, name in enumerate(map_data["classes"]):
        assert legend.nth(index).text_content().strip() == name.strip(), name
    legend.first.click()
    chosen = page.locator("#points > use.chosen").count()
    assert chosen == sum(point["class"] == 0 for point in map_data["points"]), chosen
    assert page.locator("#points.some").count() == 1
    legend.first.click()
    assert page.locator("#points.some").count() == 0


def check_pictures(page, labelled):
    """Every picture can be decoded and says what it is."""
    pictures = page.locator("img:not(#thumbnails)")
    states = pictures.evaluate_all("ps => ps.map(p => [p.complete, p.naturalWidth, p.alt])")
    assert len(states) > 20 and all(done and width > 0 and alt for done, width, alt in states), states[:3]
    width = page.locator("#thumbnails").evaluate("sheet => sheet.naturalWidth")
    assert width > 0, "expected a sheet of thumbnails, found none"
    if labelled:
        verdicts = page.locator("#neighbours td .verdict").count()
        assert verdicts == page.locator("#neighbours td").count() > 0, verdicts
        assert page.locator("#matrix tbody tr").count() == page.locator("#matrix thead th").count() > 1


def check_hostile_names(page, map_data):
    """Names of files and classes are on the page as text."""
    text = page.locator("body").text_content()
    for name in map_data["classes"]:
        assert name in text, name
    for tag in ("iframe", "object", "embed", "base", "form"):
        assert page.locator(tag).count() == 0, tag
    assert page.locator("script").count() == 2
    handlers = page.evaluate(
        "[...document.querySelectorAll('*')].flatMap(e => [...e.attributes]).filter(a => a.name.startsWith('on')).length"
    )
    assert handlers == 0, handlers


def check_layout(page, width):
    """Only what scrolls by itself is wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= width, f"expected a page of {width} pixels, found {wide}"


def drive(browser, path):
    address = path.resolve().as_uri()
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watch = Watch(page, address)
    page.goto(address)
    data = json.loads(page.locator("#data").text_content())
    check_charts(page, data["charts"])
    check_hover_on_charts(page, data["charts"])
    check_map(page, data["map"])
    check_legend(page, data["map"])
    check_pictures(page, labelled=bool(data["map"]["classes"]) and page.locator("#matrix").count() > 0)
    check_hostile_names(page, data["map"])
    check_layout(page, 1280)
    page.set_viewport_size({"width": 390, "height": 844})
    check_layout(page, 390)
    assert not watch.found, watch.found
    page.close()

    # Without JavaScript everything is there but what the pointer shows.
    page = browser.new_page(java_script_enabled=False)
    page.goto(address)
    assert page.locator("#points > use").count() == len(data["map"]["points"])
    assert page.locator("svg.chart polyline").count() > 0 and not page.locator("#projection").is_visible()
    page.close()
    print(f"{path}: {len(data['charts'])} charts, {len(data['map']['points'])} points, no request and no complaint")


def main(paths):
    with sync_playwright() as playwright:
        executable = os.environ.get("CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        for path in paths:
            drive(browser, path)
        browser.close()


if __name__ == "__main__":
    main([pathlib.Path(path) for path in sys.argv[1:]])
