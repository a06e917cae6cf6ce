"""The HTML report of four checks of digits, as Chromium shows it; needs selenium, chromium and chromedriver."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from _style import target
from selenium import webdriver

TESTS = """
import pytest

@pytest.mark.distbench(dataset="digits", code_size=8)
@pytest.mark.parametrize("name", ["pca", "kernel_pca", "isomap", "random_projection"])
def test_close_stays_close(distbench, name):
    distbench.check(name, continuity=0.98)
"""
WIDTH, HEIGHT = 1180, 1560

options = webdriver.ChromeOptions()
options.binary_location = shutil.which("chromium") or ""
for argument in ("headless=new", "no-sandbox", "disable-gpu", f"window-size={WIDTH},{HEIGHT}", "hide-scrollbars"):
    options.add_argument(f"--{argument}")
with tempfile.TemporaryDirectory() as folder:
    page = Path(folder) / "report.html"
    (Path(folder) / "test_digits.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "--distbench", f"--distbench-report=html:{page}"]
    subprocess.run(command, check=False, cwd=folder, stdout=subprocess.DEVNULL)  # one limit is broken
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    size = {"width": WIDTH, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.get(page.as_uri())
    driver.save_screenshot(str(target(__file__)))
    driver.quit()
