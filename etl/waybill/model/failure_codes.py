"""Failure reasons of the codes of providers and of RFC 3463: data of the table in failure_rules.

Codes are compared in lower case; `*` at an end of a pattern matches any text. As feeds write `provider_code`:

| provider | provider_code |
|---|---|
| sendgrid | `type/classification` of a bounce |
| twilio | error code |
| ses | `bounceType/bounceSubType` |
| mailgun | `reason/code`: the event's reason and the code of its delivery status |
| sparkpost | bounce class |
| postmark | type of a bounce |
| aws_sms | event type, without the leading `TEXT_`, `MEDIA_`, `RCS_` or `VOICE_` or with it |

Only the first two have a feed; the others' codes wait here for theirs.

Sources: SendGrid's bounce classifications (Event Webhook reference); Twilio's error dictionary; contents of SES
events; Mailgun's events manual; SparkPost's bounce classification codes; Postmark's bounce API; event types of AWS End
User Messaging; RFC 3463 and the IANA registry of enhanced status codes.
"""

CODES: dict[str, dict[str, str]] = {
    "sendgrid": {
        "expired/*": "expired",
        "*/content": "content_rejected",
        "*/frequency or volume too high": "rate_limited",
    },
    "twilio": {
        code: reason
        for reason, codes in {
            "account_suspended": "30002 20005",
            "address_malformed": "21211 21217 30014 63024 13223 13224 13226",
            "address_not_found": "30005 63003",
            "authentication_failed": "20003",
            "carrier_congested": "30001 30017 21611",
            "carrier_filtered": "30007 30032 30033 30034",
            "expired": "30036 30012",
            "handset_unreachable": "30003 21214 32009",
            "invalid_request": "30011 30013 30015 30016 21606 21612 63016 13214 20404",
            "message_too_large": "30019 21617",
            "number_not_mobile": "21614 30006 21635",
            "policy_rejected": "30018 30024 30035 30450 21608",
            "price_limit": "30010",
            "prior_unsubscribe": "21610",
            "rate_limited": "30022 30023 30025 30026 30027 20429",
            "recipient_blocked": "30004 13225 21216",
            "region_not_permitted": "21408 13227 21215",
            "server_unavailable": "30020 30021 20500 20503",
            "timed_out": "30410",
        }.items()
        for code in codes.split()
    },
    "ses": {
        "permanent/noemail": "address_not_found",
        "permanent/suppressed": "prior_bounce",
        "permanent/onaccountsuppressionlist": "prior_bounce",
        "permanent/unsubscribedrecipient": "prior_unsubscribe",
        "transient/mailboxfull": "mailbox_full",
        "transient/messagetoolarge": "message_too_large",
        "transient/contentrejected": "content_rejected",
        "transient/attachmentrejected": "content_rejected",
    },
    "mailgun": {
        "suppress-bounce/*": "prior_bounce",
        "suppress-unsubscribe/*": "prior_unsubscribe",
        "suppress-complaint/*": "prior_spam_report",
        "old/*": "expired",
        "*/605": "prior_bounce",
        "*/607": "prior_spam_report",
        "*/498": "dns_failure",
        "*/499": "timed_out",
        "*/680": "connection_failed",
    },
    "sparkpost": {
        "10": "address_not_found",
        "21": "dns_failure",
        "22": "mailbox_full",
        "23": "message_too_large",
        "24": "timed_out",
        "25": "policy_rejected",
        "30": "address_not_found",
        "52": "content_rejected",
        "53": "content_rejected",
        "54": "relay_denied",
        "90": "prior_unsubscribe",
    },
    "postmark": {
        "bademailaddress": "address_malformed",
        "blocked": "ip_blocked",
        "dmarcpolicy": "authentication_failed",
        "dnserror": "dns_failure",
        "smtpapierror": "invalid_request",
        "spamcomplaint": "prior_spam_report",
        "spamnotification": "content_rejected",
        "templaterenderingfailed": "invalid_request",
        "unsubscribe": "prior_unsubscribe",
        "virusnotification": "content_rejected",
    },
    "aws_sms": {
        "*carrier_blocked": "carrier_filtered",
        "*protect_blocked": "region_not_permitted",
        "*blocked": "recipient_blocked",
        "*carrier_unreachable": "carrier_congested",
        "*unreachable": "handset_unreachable",
        "*invalid_message": "invalid_request",
        "*invalid": "address_malformed",
        "*spam": "content_rejected",
        "*ttl_expired": "expired",
        "*file_size_exceeded": "message_too_large",
        "*file_inaccessible": "invalid_request",
        "*file_type_unsupported": "invalid_request",
    },
}
"""Provider to code to reason; the first code of the provider that fits wins."""

STATUSES: dict[str, str] = {
    # Exchange Online uses it for unknown recipients.
    "5.4.1 access denied": "address_not_found",
    "x.1.1": "address_not_found",
    "x.1.2": "domain_not_found",
    "x.1.3": "address_malformed",
    "x.1.4": "address_malformed",
    "x.1.6": "address_inactive",
    "x.1.7": "invalid_request",
    "x.1.8": "invalid_request",
    "x.1.10": "domain_not_found",
    "x.2.1": "address_inactive",
    "x.2.2": "mailbox_full",
    "x.2.3": "message_too_large",
    "x.3.1": "server_unavailable",
    "x.3.2": "server_unavailable",
    "x.3.4": "message_too_large",
    "x.4.1": "connection_failed",
    "x.4.2": "connection_failed",
    "x.4.3": "dns_failure",
    "x.4.4": "dns_failure",
    "x.4.5": "server_unavailable",
    "x.4.6": "server_unavailable",
    "x.4.7": "expired",
    "x.5.3": "rate_limited",
    "x.6.1": "content_rejected",
    "x.6.3": "content_rejected",
    "x.7.8": "authentication_failed",
    "x.7.9": "authentication_failed",
    "x.7.13": "address_inactive",
    "x.7.16": "message_too_large",
    "x.7.17": "address_inactive",
    "x.7.18": "domain_not_found",
    "x.7.20": "authentication_failed",
    "x.7.21": "authentication_failed",
    "x.7.22": "authentication_failed",
    "x.7.23": "authentication_failed",
    "x.7.24": "authentication_failed",
    "x.7.25": "ip_blocked",
    "x.7.26": "authentication_failed",
    "x.7.27": "authentication_failed",
    "x.7.28": "rate_limited",
    "x.7.29": "authentication_failed",
    "x.7.30": "authentication_failed",
    "x.7.32": "authentication_failed",
    "x.7.40": "authentication_failed",
    # Codes of Exchange Online.
    "x.1.90": "rate_limited",
    "x.2.121": "rate_limited",
    "x.2.122": "rate_limited",
    "x.4.300": "expired",
    "x.4.310": "domain_not_found",
    "x.4.312": "dns_failure",
    "x.4.316": "connection_failed",
    "x.7.57": "policy_rejected",
    "x.7.64": "relay_denied",
    "x.7.124": "recipient_blocked",
    "x.7.133": "recipient_blocked",
    "x.7.134": "recipient_blocked",
    "x.7.193": "recipient_blocked",
    "x.7.501": "account_suspended",
    "x.7.502": "account_suspended",
    "x.7.503": "account_suspended",
    "x.7.508": "rate_limited",
    "x.7.509": "authentication_failed",
    "x.7.511": "ip_blocked",
    "x.7.513": "ip_blocked",
    "x.7.515": "authentication_failed",
    "x.7.650": "ip_blocked",
    "x.7.652": "rate_limited",
    "x.7.705": "rate_limited",
    "x.7.708": "ip_blocked",
    "x.7.750": "account_suspended",
    "x.7.850": "rate_limited",
}
"""Enhanced status code to reason. `x` is any class; the text must contain the words after the code. Codes with little
meaning (x.0.0, x.7.1) are left out on purpose: the text says more."""
