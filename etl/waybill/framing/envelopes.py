"""Envelopes that HTTP functions and queues put around the posted records of a provider.

Sources: Amazon API Gateway and Lambda function URLs (`body`, `isBase64Encoded`), SQS (`Records`, `body`), SNS
(`Type`, `Message`; in Lambda `Sns`), Kinesis and Firehose (`kinesis`, `data` in Base64), Google Pub/Sub push
(`message`, `data` in Base64), EventBridge (`detail`), CloudWatch Logs and log shippers (`logEvents`, `message` as a
text), read in 2026.
"""

import base64
import binascii
import re

import msgspec

from waybill.framing.posted_forms import PostedForm

LISTS = ("Records", "records", "events", "logEvents")
BODIES = ("body", "Body", "Message", "message", "data")
WRAPPERS = ("Sns", "kinesis", "message", "detail")
_IN_ORDER = (*LISTS, *WRAPPERS, *BODIES)
_NAMES = frozenset(_IN_ORDER)

_JSON_BEGINS = re.compile(rb"\s*(?:\xef\xbb\xbf)?\s*[{\[]")
_raw_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def content_of(raw: bytes, fields: dict[str, object], form: PostedForm | None = None) -> bytes | None:
    """Return the JSON text inside an envelope; None if the object is no envelope.

    :param raw: the object's bytes
    :param fields: the decoded object; also that of a form, which a receiver has parsed
    :param form: how the provider posts forms: a body may be one
    """
    if form is not None and form.json_field in fields:
        value = fields[form.json_field]
        return value.encode() if isinstance(value, str) else bytes(_raw_fields(raw)[form.json_field])
    if _NAMES.isdisjoint(fields):
        return None
    for name in _IN_ORDER:
        value = fields.get(name)
        if isinstance(value, list if name in LISTS else dict if name in WRAPPERS else dict | list):
            return bytes(_raw_fields(raw)[name])
        if isinstance(value, str) and name in BODIES:
            is_base64 = name == "data" or fields.get("isBase64Encoded") is True
            content = _from_base64(value) if is_base64 else value.encode()
            if _JSON_BEGINS.match(content):
                return content
            if form is not None and (inside := form.json_of(content)) is not None:
                return inside
    return None


def _from_base64(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
