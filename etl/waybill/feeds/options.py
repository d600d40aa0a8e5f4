"""Options of an installation for its own records. Feeds read no environment: the settings pass the options."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

DISPATCH_ID, CAMPAIGN_ID, TEMPLATE_ID = "dispatch_id", "campaign_id", "template_id"


@dataclass(frozen=True)
class FeedOptions:
    """How feeds read what the installation's own systems wrote.

    :ivar dispatch_id_arguments: names of the custom arguments with the dispatch id; the first with an id wins
    :ivar campaign_id_arguments: the same for the campaign
    :ivar template_id_arguments: the same for the template
    :ivar dispatch_log_zone: zone of times without a zone in the dispatch log; None to reject such rows
    """

    dispatch_id_arguments: tuple[str, ...] = (DISPATCH_ID,)
    campaign_id_arguments: tuple[str, ...] = (CAMPAIGN_ID,)
    template_id_arguments: tuple[str, ...] = (TEMPLATE_ID,)
    dispatch_log_zone: ZoneInfo | None = None
