"""MailerSend: message ids. MailerSend has no failure codes, only texts.

Source: the header X-Message-Id of the answer to the send call, as django-anymail 15 reads it
(anymail/backends/mailersend.py).
"""

from waybill.model.provider import MessageIds, Provider

PROVIDER = Provider(message_ids=MessageIds(str.strip, leg_has_recipient=True))
