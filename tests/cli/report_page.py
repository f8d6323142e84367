"""The page of `mcr report`: what it shows of a real update, and how it looks in a browser, wide and narrow.

The pictures are left in $MCR_SCREENSHOTS, if that is set, to be looked at.
"""

import html
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from harness.checks import Check
from update.context import BusyFleet

DESKTOP, PHONE = 1280, 390
BROWSER_SECONDS = 60

# A headless window is at least 500 pixels wide; a frame can be as narrow as a phone.
FRAME = """<!doctype html><link rel="icon" href="data:,"><body style="margin:0">
<script>addEventListener('message', event => Object.assign(document.body.dataset, event.data));</script>
<iframe src="{page}" style="border:0; width:{width}px; height:2400px"></iframe>"""

# Opens everything, and tells the frame what a person would stumble over.
PROBE = """<script>
for (const details of document.querySelectorAll('details')) details.open = true;
setTimeout(() => {
  const width = document.documentElement.clientWidth, problems = [], texts = [];
  const walker = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    if (!node.data.trim() || node.parentElement.closest('pre, title')) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) {
      if (box.width > 0) texts.push([node.data.trim().slice(0, 40), box]);
    }
  }
  for (const [text, box] of texts) {
    if (box.left < -.5 || box.right > width + .5) problems.push(`cut: ${text}`);
  }
  for (const [i, [text, a]] of texts.entries()) {
    for (const [other, b] of texts.slice(i + 1)) {
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
      const tall = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > 1 && tall > 4) problems.push(`overlap: ${text} / ${other}`);
    }
  }
  if (document.documentElement.scrollWidth > width) problems.push('the page scrolls sideways');
  parent.postMessage({width, texts: texts.length, problems: JSON.stringify(problems.slice(0, 5))}, '*');
}, 500);
</script>"""


def place(offset, size, type_name, **bits):
    return {"offset": offset, "size": size, "type": type_name, **bits}


# Every kind of change; the pair of versions that the update goes between has none.
TYPES = [
    {"name": "struct session_s", "difference": "size 40 became 56: field `limit` was added", "kind": "layout",
     "before": {"size": 40}, "after": {"size": 56}, "fields": [
         {"name": "pool", "before": place(0, 8, "struct pool_s *"), "after": place(0, 8, "struct pool_s *")},
         {"name": "limit", "before": None, "after": place(8, 16, "struct str_t")},
         {"name": "handler", "before": place(8, 8, "void (*)(struct session_s *, unsigned long)"),
          "after": place(24, 8, "void (*)(struct session_s *, unsigned long)")},
         {"name": "ready", "before": place(16, 4, "unsigned int", bit_offset=0, bit_size=1),
          "after": place(32, 4, "unsigned int", bit_offset=1, bit_size=1)},
         {"name": "a_field_with_a_remarkably_long_name", "before": place(24, 8, "unsigned long"),
          "after": place(40, 16, "char [16]")},
         {"name": "", "before": place(32, 8, "union number"), "after": None}]},
    {"name": "enum state", "difference": "`CLOSING` became 3", "kind": "enum", "before": {"size": 4},
     "after": {"size": 4}, "fields": [{"name": "CLOSING", "before": {"value": 2}, "after": {"value": 3}},
                                      {"name": "DRAINING", "before": None, "after": {"value": 2}}]},
]


def real_update(context, directory):
    """A report and what a client measured meanwhile."""
    with BusyFleet(context, wrk=False) as busy:
        time.sleep(1)
        result = context.update(busy.fleet, busy.fleet.install(context.new_binary))
        time.sleep(1)
        latencies, _ = busy.finish()
    latencies.write_csv(directory / "latency.csv")
    return result


def browse(page, width, picture=None):
    """The document as it ended up, and what the browser's console said."""
    output = [f"--screenshot={picture}"] if picture else ["--dump-dom"]
    done = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--enable-logging=stderr",
         "--virtual-time-budget=3000", f"--window-size={width},2400", *output, page.as_uri()],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=BROWSER_SECONDS)
    return done.stdout, [line for line in done.stderr.splitlines() if ":CONSOLE" in line]


def looks_good(page, width):
    probed = page.with_suffix(f".{width}.html")
    probed.write_text(page.read_text().replace("</body>", PROBE + "</body>"))
    frame = page.with_suffix(f".frame-{width}.html")
    frame.write_text(FRAME.format(page=probed.name, width=width))
    document, console = browse(frame, DESKTOP)
    yield Check(f"no console message at {width} pixels", not console, "; ".join(console[:2]))
    noted = {name: html.unescape(value) for name, value in re.findall(r'data-(width|texts|problems)="([^"]*)"', document)}
    yield Check(f"the page is drawn at {width} pixels", int(noted.get("width", 0)) == width and
                int(noted.get("texts", 0)) > 100, f"{noted.get('texts')} lines of text")
    yield Check(f"nothing overlaps or is cut at {width} pixels", noted.get("problems") == "[]",
                noted.get("problems", "not looked at"))


def render(context, directory, report, *options):
    (directory / "report.json").write_text(json.dumps(report))
    page = directory / "report.html"
    done = subprocess.run([context.mcr, "report", directory / "report.json", "-o", page, *options],
                          capture_output=True, text=True)
    return page, done


def run(context):
    directory = Path(tempfile.mkdtemp(prefix="mcr-report-", dir="/var/tmp"))
    try:
        yield from run_in(context, directory)
    finally:
        shutil.rmtree(directory)


def run_in(context, directory):
    result = real_update(context, directory)
    report = result.report
    yield Check("the update succeeds", result.status == 0, result.message)
    points = [point for process in report["processes"] for point in process["quiescent_points"]]
    yield Check("every thread has its quiescent point", len(points) == sum(p["threads"] for p in report["processes"]) and
                all(point["function"] and point["system_call"] for point in points), f"{len(points)} threads")
    pause_end = report["pause_began_ms"] + report["pause_ms_total"]
    last = report["stages"][-1]
    yield Check("the last stage ends with the pause", abs(last["began_ms"] + last["ms"] - pause_end) < 1,
                f"{last['began_ms'] + last['ms']:.1f} and {pause_end:.1f} ms")
    fates = {(process["pid"], region["fate"]) for process in report["memory"] for region in process["regions"]}
    yield Check("each process's memory has all four fates", len(fates) == 4 * len(report["processes"]) > 0,
                f"{len(fates)} in {len(report['processes'])} processes")

    page, done = render(context, directory, {**report, "types": TYPES}, "--latency", directory / "latency.csv")
    yield Check("the page is written", done.returncode == 0 and page.exists(), done.stderr.strip())
    _, done = render(context, directory, {})
    yield Check("what is no report is refused", done.returncode == 2 and "not a report" in done.stderr, done.stderr.strip())

    if shutil.which("chromium") is None:
        yield Check("the page in a browser", False, "chromium is not installed: apt-get install chromium", skipped=True)
        return
    for width in (DESKTOP, PHONE):
        yield from looks_good(page, width)
        if pictures := os.environ.get("MCR_SCREENSHOTS"):
            browse(page, width, Path(pictures) / f"report-{width}.png")
