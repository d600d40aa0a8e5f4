"""All feeds, by slug. A new feed is a new file and a new line here."""

from waybill.feeds.base import Feed
from waybill.feeds.dispatch_log import DispatchLog
from waybill.feeds.sendgrid_events import SendgridEvents
from waybill.feeds.twilio_calls import TwilioCalls
from waybill.feeds.twilio_messages import TwilioMessages

FEEDS: dict[str, Feed] = {
    feed.slug: feed
    for feed in (
        DispatchLog(),
        SendgridEvents(),
        TwilioCalls(),
        TwilioMessages(),
    )
}
