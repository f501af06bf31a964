"""Draws docs/nt-xent-cost.svg: seconds and memory of NT-Xent by the number of images.

    cargo bench --workspace --bench nt_xent > forms.jsonl
    python3 benches/peers/compare.py nt_xent --json rows.json
    python3 benches/peers/plot_nt_xent.py forms.jsonl rows.json docs/nt-xent-cost.svg
"""

import json
import math
import sys

COLOURS = {"tiled": "#c2571a", "vectorized": "#2f6db5", "lightly": "#7a828c", "google": "#2f8f5b"}
WIDTH, HEIGHT, TOP = 330, 250, 40


def main(forms, rows, out):
    series = {name: {} for name in COLOURS}
    for line in open(forms):
        form = json.loads(line)
        if form["form"] in series:
            series[form["form"]][form["n"]] = (form["seconds"], form["extra_mib"])
    for row in json.load(open(rows)):
        if row["peer_name"] in series:
            n = int(row["case"].split()[0].removeprefix("n="))
            seconds, mib = series[row["peer_name"]].get(n, (None, None))
            if row["unit"] == "s":
                seconds = row["peer"]
            else:
                mib = row["peer"]
            series[row["peer_name"]][n] = (seconds, mib)

    title = "Seconds and MiB of one forward and backward pass of NT-Xent by the number of images, both axes logarithmic"
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 860 340" font-family="sans-serif" font-size="12">',
        f'<title>{title}</title>\n<rect width="860" height="340" fill="#ffffff"/>',
        *panel(60, 0, "seconds", -4, 2, series),
        *panel(480, 1, "extra memory, MiB", 0, 4, series),
    ]
    for i, (name, colour) in enumerate(COLOURS.items()):
        x = 60 + 110 * i
        lines.append(f'<rect x="{x}" y="316" width="14" height="10" fill="{colour}"/><text x="{x + 20}" y="325">{name}</text>')
    lines.append('<text x="520" y="325" fill="#4a525c">images n, d = 128, two views</text></svg>')
    open(out, "w").write("\n".join(lines) + "\n")


def panel(left, figure, title, low, high, series):
    def x(n):
        return left + WIDTH * (math.log2(n) - 6) / 10

    def y(value):
        return TOP + HEIGHT - HEIGHT * (math.log10(value) - low) / (high - low)

    yield f'<text x="{left}" y="{TOP - 16}" font-weight="bold">{title}</text>'
    for exponent in range(low, high + 1):
        at = y(10**exponent)
        yield f'<line x1="{left}" x2="{left + WIDTH}" y1="{at:.1f}" y2="{at:.1f}" stroke="#e3e8ee"/>'
        yield f'<text x="{left - 8}" y="{at + 4:.1f}" text-anchor="end" fill="#4a525c">{10**exponent:g}</text>'
    for n in (64, 256, 1024, 4096, 16384, 65536):
        yield f'<text x="{x(n):.1f}" y="{TOP + HEIGHT + 18}" text-anchor="middle" fill="#4a525c">{n}</text>'
    for name, points in series.items():
        corners = [(x(n), y(value[figure])) for n, value in sorted(points.items())]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in corners)
        yield f'<polyline fill="none" stroke="{COLOURS[name]}" stroke-width="2" points="{path}"/>'
        for a, b in corners:
            yield f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3" fill="{COLOURS[name]}"/>'


if __name__ == "__main__":
    main(*sys.argv[1:])
