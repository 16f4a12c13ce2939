"""A real browser for the tests of pages: Debian's Chromium without a window, driven by Selenium.

Where it is missing the tests are skipped, but never in CI (the variable CI is "true").
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
SWITCHES = (
    "headless=new", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking",
    "disable-component-update", "disable-sync", "disable-dev-shm-usage", "hide-scrollbars", "window-size=1400,1000",
)  # fmt: skip

WIDTHS = (390, 500, 760, 1400)  # of windows: phones, small and large, a tablet, a screen


@contextmanager
def chromium(profile: Path):
    """A running Chromium with a new profile in the folder `profile`; light, and all its console's lines kept."""
    if not (CHROMIUM and DRIVER):
        assert os.environ.get("CI") != "true", "Chromium is missing; .ci/run installs it"
        pytest.skip("no Chromium; README tells how to install it")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for switch in (*SWITCHES, f"user-data-dir={profile}"):
        options.add_argument(f"--{switch}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(DRIVER))
    try:
        prefer(driver, "light")
        yield driver
    finally:
        driver.quit()


def prefer(driver, scheme: str) -> None:
    """Tell pages that people like it dark or light."""
    feature = {"name": "prefers-color-scheme", "value": scheme}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})


def resize(driver, width: int) -> None:
    """Give the page a window so wide."""
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.execute_async_script("requestAnimationFrame(() => requestAnimationFrame(arguments[0]))")


def normal(driver) -> None:
    """Give it back its own window."""
    driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def beyond(driver) -> list[str]:
    """What reaches beyond the window, but for what scrolls by itself; the window too, if it scrolls sideways."""
    return driver.execute_script(
        """const out = [...document.querySelectorAll('body *')].filter(each => {
          const box = each.getBoundingClientRect();
          return box.width && (box.right > innerWidth + 1 || box.left < -1) && !each.closest('.scroll, .hidden');
        }).map(each => `${each.tagName}#${each.id}.${each.className}`);
        return document.documentElement.scrollWidth > innerWidth ? [...out, 'window'] : out"""
    )
