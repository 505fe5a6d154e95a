# SPDX-License-Identifier: MIT
"""A browser for tests of pages: Chromium without a window, driven by Selenium; both are optional."""
import shutil

import pytest


def started(tmp_path_factory, *flags):
    """A driver whose messages of the console can be read. Skips the test, naming the package, where one is missing."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="no Selenium: apt-get install python3-selenium")
    chromium, driver = (shutil.which(name) for name in ("chromium", "chromedriver"))
    if not (chromium and driver):
        pytest.skip("no Chromium: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync",
                 f"--user-data-dir={tmp_path_factory.mktemp('chromium')}", *flags):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return webdriver.Chrome(service=webdriver.chrome.service.Service(executable_path=driver), options=options)
