"""The campaign system, whose rows are decisions about messages. The legs of its rows are in feeds/legs.py."""

from waybill.model.provider import Provider

PROVIDER = Provider(message_ids=None)
