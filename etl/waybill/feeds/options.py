"""What an installation says about its own records. Feeds read no environment: the settings give it to them."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

DISPATCH_ID, CAMPAIGN_ID, TEMPLATE_ID = "dispatch_id", "campaign_id", "template_id"


@dataclass(frozen=True)
class FeedOptions:
    """How the feeds of an installation read what its own systems wrote.

    :ivar dispatch_id_arguments: names of the custom arguments that hold the dispatch id; the first that is present wins
    :ivar campaign_id_arguments: the same for the campaign
    :ivar template_id_arguments: the same for the template
    :ivar dispatch_log_zone: of the dispatch log's times that name no zone; None: such a row is rejected
    """

    dispatch_id_arguments: tuple[str, ...] = (DISPATCH_ID,)
    campaign_id_arguments: tuple[str, ...] = (CAMPAIGN_ID,)
    template_id_arguments: tuple[str, ...] = (TEMPLATE_ID,)
    dispatch_log_zone: ZoneInfo | None = None
