"""What tests read from a page of the playground, and type into it."""

from __future__ import annotations

import json


def steps(page):
    return page.run("playground.learner.steps")


def setting(page, name):
    return page.run(f"playground.learner.settings.{name}")


def state(page):
    """The state of the network, as lists."""
    return page.run(
        "Object.fromEntries(Object.entries(playground.learner.state)"
        ".map(([name, each]) => [name, Array.from(each)]))"
    )


def measured(page):
    page.wait("!playground.evaluator.running")
    return page.run("playground.runs.now.last")


def text(page, selector):
    return page.run(f"document.querySelector({json.dumps(selector)}).textContent")


def write(page, selector, number):
    """Type a number in place of what is there."""
    page.run(f"document.querySelector({json.dumps(selector)}).select()")
    page.click(selector)
    page.run("document.activeElement.select()")
    page.type(str(number))
    page.press("Enter")
