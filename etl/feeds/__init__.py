"""All feeds, by slug. A new feed is a new file and a new line here."""

from etl.feeds.base import Feed
from etl.feeds.dispatch_log import DispatchLog
from etl.feeds.sendgrid_events import SendgridEvents
from etl.feeds.twilio_calls import TwilioCalls
from etl.feeds.twilio_messages import TwilioMessages

FEEDS: dict[str, Feed] = {
    feed.slug: feed
    for feed in (
        DispatchLog(),
        SendgridEvents(),
        TwilioCalls(),
        TwilioMessages(),
    )
}
