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


def show(browser, page, width=1400, scheme="light", script=True, unfolded=True):
    """Loads `page`, a path, as a window of that width in CSS pixels shows it."""
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": not script})
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                            {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False})
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia",
                            {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
    browser.get(page.as_uri())
    if unfolded and script:
        browser.execute_script("document.querySelectorAll('details').forEach(one => { one.open = true; })")


def ask(browser, script, *arguments):
    return browser.execute_script(f"return {script}", *arguments)


def luminance(colour):
    """How bright a colour of the browser is, from 0 to 1, as WCAG 2 has it nearly."""
    red, green, blue = (int(part) / 255 for part in colour.strip("rgba()").split(",")[:3])
    return 0.2126 * red ** 2.2 + 0.7152 * green ** 2.2 + 0.0722 * blue ** 2.2
