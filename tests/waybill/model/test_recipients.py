"""The one spelling of a recipient, its mailbox provider and its country."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from waybill.model.errors import RejectRecord
from waybill.model.recipients import country_of, is_address, mailbox_provider_of, normalise_address


@pytest.mark.parametrize(
    ("channel", "written", "normalised"),
    [
        ("email", " Ana@Inbox.Example\n", "ana@inbox.example"),
        ("email", '"a b"@x.example', '"a b"@x.example'),
        ("email", "a@b@c.example", "a@b@c.example"),
        ("sms", "+1 (202) 555-0123", "+12025550123"),
        ("sms", "12025550123", "+12025550123"),
        ("ivr", "+1.202/555.0123", "+12025550123"),
        ("sms", "whatsapp:+49 151 23456789", "+4915123456789"),
        ("sms", "WhatsApp:+12025550123", "+12025550123"),
        ("ivr", " sip:Bo@PBX.example ", "sip:bo@pbx.example"),
        ("ivr", "client:Alice2", "client:alice2"),
        ("sms", "messenger:1234567", "messenger:1234567"),
        ("sms", "+", "+"),
        ("email", '"Ana" <Ana@inbox.example>', "ana@inbox.example"),
        ("email", "Ana Example <mailto:ana@inbox.example>", "ana@inbox.example"),
        ("email", "mailto:Ana@inbox.example", "ana@inbox.example"),
        ("email", "\u200bana@inbox.example\ufeff", "ana@inbox.example"),
        ("email", "ana@bücher.example", "ana@xn--bcher-kva.example"),
        ("email", "ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example"),
        ("email", "ana@\uff22ÜCHER\u3002example", "ana@xn--bcher-kva.example"),
        ("email", "ana@straße.example", "ana@xn--strae-oqa.example"),
        ("email", "ana@\uff41..example", "ana@\uff41..example"),
        ("sms", "+44 (0)20 7946 0018", "+442079460018"),
        ("sms", "+44(0)2079460018", "+442079460018"),
        ("sms", "0044 20 7946 0018", "+442079460018"),
        ("sms", "00 44 20 7946 0018", "+442079460018"),
        ("sms", "tel:+44-20-7946-0018", "+442079460018"),
        ("sms", "+49 (0) 30 901820", "+4930901820"),
        ("sms", "+39 (0)6 698 1", "+39066981"),
        ("sms", "+39 06 698 1", "+39066981"),
        ("sms", "+\uff11 \uff12\uff10\uff12\u2011\uff15\uff15\uff15\u20110123", "+12025550123"),
        ("sms", "\u202a+1 202 555 0123\u202c", "+12025550123"),
    ],
)
def test_a_recipient_has_one_spelling(channel: str, written: str, normalised: str):
    assert normalise_address(channel, written) == normalised
    assert normalise_address(channel, normalised) == normalised


@pytest.mark.parametrize("written", ["ana", "@", "ana@", "@inbox.example", "ana.inbox.example", "n/a"])
def test_a_malformed_email_address_is_kept(written: str):
    assert normalise_address("email", f" {written.upper()}") == written
    assert not is_address(written) and is_address("ana@inbox.example")
    assert mailbox_provider_of(written) == mailbox_provider_of("gmail.com") == "other"


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("", "missing"),
        (" ", "missing"),
        ("ana@inbox.example,bo@inbox.example", "two addresses"),
        ("ana@inbox.example; bo@inbox.example", "two addresses"),
        ("ana@inbox.example bo@inbox.example", "two addresses"),
    ],
)
def test_empty_and_double_addresses_are_rejected(written: str, reason: str):
    with pytest.raises(RejectRecord, match=f"^recipient: {reason}$"):
        normalise_address("email", written)


@pytest.mark.parametrize(("channel", "written"), [("email", "a\0@b"), ("ivr", "sip:\0")])
def test_an_address_with_a_nul_is_rejected(channel: str, written: str):
    with pytest.raises(RejectRecord, match="NUL"):
        normalise_address(channel, written)


@given(st.sampled_from(["email", "sms", "ivr"]), st.text())
def test_normalising_again_changes_nothing(channel: str, written: str):
    try:
        normalised = normalise_address(channel, written)
    except RejectRecord:
        return
    assert normalise_address(channel, normalised) in (normalised, normalised.lower())


@pytest.mark.parametrize(
    ("domain", "mailbox_provider"),
    [
        ("gmail.com", "gmail"),
        ("googlemail.com", "gmail"),
        ("yahoo.com", "yahoo"),
        ("yahoo.co.uk", "yahoo"),
        ("ymail.com", "yahoo"),
        ("aol.com", "yahoo"),
        ("outlook.de", "microsoft"),
        ("hotmail.com.br", "microsoft"),
        ("live.nl", "microsoft"),
        ("msn.com", "microsoft"),
        ("icloud.com", "apple"),
        ("me.com", "apple"),
        ("mac.com", "apple"),
        ("mail.yahoo.com", "other"),
        ("notgmail.com", "other"),
        ("gmail.com.example", "other"),
        ("yahoo.corp.example", "other"),
        ("yahoo", "other"),
        ("me.co.uk", "other"),
        ("", "other"),
    ],
)
def test_mailbox_providers_follow_from_whole_domains(domain: str, mailbox_provider: str):
    assert mailbox_provider_of(f"ana@{domain}") == mailbox_provider


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+12025550123", "US"),
        ("+14165550123", "CA"),
        ("+442079460123", "GB"),
        ("+447781100123", "GG"),
        ("+77011234567", "KZ"),
        ("+491512345678", "DE"),
        ("+15550100001", None),
        ("+8001234567", None),
        ("+88213300000", None),
        ("+999123456", None),
        ("+", None),
        ("client:alice", None),
    ],
)
def test_a_number_has_the_country_of_its_digits(number: str, country: str | None):
    assert country_of(number) == country


@given(st.text())
def test_every_text_has_a_mailbox_provider_and_maybe_a_country(text: str):
    assert mailbox_provider_of(text) in ("gmail", "yahoo", "microsoft", "apple", "other")
    country = country_of("+" + text)
    assert country is None or len(country) == 2
