"""Machines that identify themselves by their user agent."""

import hashlib

import pytest

from waybill.model.machine_rules import LONGEST_USER_AGENT, RULES, RULES_VERSION, machine_rule

DIGEST_OF_VERSION = {1: "695baa242f14dd1c", 2: "999163c46e55a2ec"}
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/134.0 Safari/537.36"
PREFETCH = CHROME.replace("134.0", "42.0.2311.135") + " Edge/12.246 Mozilla/5.0"

MACHINES = {
    "mozilla_alone": ("Mozilla/5.0", " Mozilla/5.0 "),
    "google_image_prefetch": (PREFETCH,),
    "security_scanner": ("Barracuda Sentinel (EE)", f"{CHROME} SafeLinks", "Mimecast-URL-Protect/1.0"),
    "link_preview": ("facebookexternalhit/1.1", "WhatsApp/2.23.20.0", "Slackbot-LinkExpanding 1.0", "Twitterbot/1.0"),
    "headless_browser": (CHROME.replace("Chrome/", "HeadlessChrome/"),),
    "http_client": ("python-requests/2.32.3", "curl/8.5.0", "Go-http-client/1.1", "Java/17.0.2", "Wget/1.21.4"),
    "crawler": (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0)",
        "some-crawler",
        "Baiduspider",
    ),
}  # fmt: skip

PEOPLE = (
    CHROME,
    f"{CHROME} Edg/134.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.17328; ms-office; MSOffice 16)",
    "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko (via ggpht.com GoogleImageProxy)",
    "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    "okhttp/4.12.0",
    "Dart/3.2 (dart:io)",
    "",
    None,
)


@pytest.mark.parametrize(
    ("rule", "user_agent"), [(rule, written) for rule, all_ in MACHINES.items() for written in all_]
)
def test_a_machine_that_names_itself_gets_its_rule(rule: str, user_agent: str):
    assert machine_rule(user_agent) == rule


@pytest.mark.parametrize("user_agent", PEOPLE)
def test_mail_programs_of_people_get_no_rule(user_agent: str | None):
    assert machine_rule(user_agent) is None


def test_every_rule_has_examples_and_a_unique_name():
    names = [rule for rule, _ in RULES]
    assert len(names) > 5
    assert sorted(names) == sorted(MACHINES)


def test_only_the_beginning_of_a_user_agent_is_read():
    assert machine_rule("x " * LONGEST_USER_AGENT + "curl/8") is None


def test_a_changed_table_has_a_new_version():
    digest = hashlib.sha256(repr(RULES).encode()).hexdigest()[:16]
    assert DIGEST_OF_VERSION[RULES_VERSION] == digest, "raise RULES_VERSION, and put its digest here"
