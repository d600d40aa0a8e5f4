"""English words of mail servers about failures, each with one meaning: data of the table in feeds/failure_rules.

A row is (reason, an invented text as example, its phrases). Phrases are separated by ` / `.

| in a phrase | fits |
|---|---|
| `mailbox full` | these words, one after another; hyphens, colons, brackets between them do not matter |
| `user\\|mailbox unknown` | one of several words; `not_found` is two words in one place |
| `mailbox … blocked` | at most GAP characters between them |
| `suspend*` | any ending |

Texts are folded first (failure_phrases): lower case, no accents, no apostrophes, underscores are spaces, an address is
the word ADDRESS. Phrases in languages without spaces match anywhere.

If a text gives several hints, the order decides. Hints about the sender or the message come before hints about the
recipient, because a server that blocks a sender often adds a general sentence about the mailbox.
"""

WORDS: tuple[tuple[str, str, str], ...] = (
    # Gateways with their own suppression list.
    ("prior_bounce", "554 the recipient is on our suppression list",
     "suppression list / previously bounced|hard_bounced / bounced previously"),
    # The sender's own account at a mail service.
    ("account_suspended", "550 access denied, bad outbound sender",
     "bad outbound sender / sender|senders account is|was|has_been suspended|disabled|blocked / "
     "mail sending denied / outgoing mail suspension / "
     "your account|organization … suspended|not_allowed_to_send / sender account … disabled|suspended / "
     "sending … suspended / banned sender"),
    # Size.
    ("message_too_large", "552 message size exceeds fixed limit",
     "message|mail|email|size|body|attachment|file|it|content too large|big|long|heavy / "
     "message|mail|email exceeds|exceeded|exceeding … size|length|bytes|kb|mb / "
     "message|mail|maximum size … exceed* / size limit … exceed* / exceed* … size limit|limits / "
     "exceed* … maximum|max|allowed|inbound|incoming message size / class size limit / "
     "max|maximum message|mail size / message size / mail size / exceeds|exceeded … maximum size / "
     "size limit|exceeded / messagetoolarge / message length exceeds|too_long / length … exceeds … maximum / "
     "message exceeds|exceeded limit|maximum|the / recipsizelimit|sendsizelimit|sizelimit"),
    ("ip_blocked", "554 this IP has been temporarily blocked for spam",
     "this|your ip|ip_address has_been|is|was blocked|temporarily_blocked|blacklisted|banned"),
    # Clear words about the content.
    ("content_rejected", "554 this looks like spam",
     "looks|look like spam / is|as|considered|considers|being|identified|classified|detected spam|junk|ube / "
     "spam message|messages|content|detected|filter|filtered|filters|score|points|level|blocked|rejected|found|"
     "source_content|suspected|signature|probability / spam … score|detected|filter|content / "
     "antispam|anti_spam check|checks|filter|filters|policy|system|engine / suspicion of spam / "
     "mail score … over / message scoring / scored … spam / "
     "uri|url|urls|link|links … blocked|blacklist*|listed|blocklist* / "
     "blacklisted|blocked|banned|forbidden|bad|suspicious url|urls|uri|link|links / junk mail|email / "
     "bulk advertising / spamassassin / recurrent pattern / message filtered / filtered message / "
     "filtered by … scanning / spam from / surbl|uribl|ivmuri / spamming / dspam / spamprofiler / mass mailer / "
     "unwanted|undesired|undesirable mail|email|content / bayes|bayesian / razor|pyzor|dcc / spf spam / "
     "identified as bulk / spam … reject* / rejected as|for|by spam / content … spam / sc 004 / ou 002 / "
     "appears to be unsolicited / advertising|advertisement / spam pattern|contents / similar to spam / "
     "probable|probably spam / spam like|list / mcspamsignature / "
     "appears|appear|seems|likely|found to_be_spam|to_be_junk"),
    ("content_rejected", "552 blocked because its content presents a security issue",
     "its content presents / "
     "content … rejected|denied|blocked|not_accepted|refused|restricted|forbidden|prohibited|filter / "
     "reject* … content / content filter / "
     "illegal|forbidden|banned|prohibited|blocked|executable|unacceptable|dangerous attachment|attachments|file|"
     "files|content / "
     "attachment|attachments … not_allowed|not_accepted|forbidden|rejected|blocked|banned|prohibited|extension / "
     "executable files / nature of the content / messages containing images|attachments / mime complexity / "
     "filename extension / high probability of spam / spam probability / administrative prohibition body / "
     "html … not_accepted|rejected / charset … not_supported|rejected / content … security|blocklisted / "
     "quarantined this message / attachment rejected / content reject* / mail content denied / url filter / "
     "invalid|bad|forbidden encoding|boundary / due to content / content … unacceptable / attachment type / "
     "file|attachment type … not / double extension / 8bit|8_bit data|character*|content / archive … encrypted"),
    # The sender: authentication, addresses, networks.
    ("authentication_failed", "550 rejected by the DMARC policy of the sender",
     "dmarc|dkim|spf|arc|senderid / sender policy framework / required authentication level / "
     "sender|mail|email|message is unauthenticated / unauthenticated mail|email|message|messages|sender / "
     "message|mail|email … not_authenticated|without_authentication / "
     "didnt|not|doesnt pass authentication|spf|dkim / authenticate their email|mail / sender id / "
     "pass authentication checks / "
     "authentication|domain_authentication fail|failed|fails|failure … domain|message / domain authentication / "
     "purported responsible address / spoofed|spoof|spoofing / authentication information / not passed validation"),
    ("content_rejected", "554 the message holds a virus",
     "virus|viruses|malware|trojan|worm|phish|phishing|infected|malicious / virusdetected"),
    ("ip_blocked", "550 the address 198.51.100.24 has no PTR record",
     "ptr record|records|resource|check|entry / reverse dns|lookup|hostname|name|mapping|resolution / rdns / "
     "cannot find your hostname|reverse / find your reverse / "
     "cannot|can_not resolve your|client address|hostname|host|ip / client host … cannot_find|not_found / ptr / "
     "fcrdns / iprev / matches to nameserver query / dns … your|the ip … fail* / name verification on your ip / "
     "unresolvable relay host / mismatches client ip / generic hostname|ptr|rdns"),
    ("ip_blocked", "554 listed at zen.spamhaus.org",
     "spamhaus|spamhauss|barracudacentral|spamcop|spamrats|sorbs|senderscore|senderbase|uceprotect|invaluement|"
     "abuseat|psbl|cbl|pbl|sbl|xbl|rbl|rbls|dnsbl|dnsbls|dnsrbl|mailspike|njabl|junkemailfilter|ipcheck|manitu|"
     "hostkarma / barracuda reputation / s3140|s3150 / ts03|bl21|bl23 / rtr bl|bb|rd|ge / dyn t1 / rly b1|bl / "
     "csi blocked / bl000000|bl000001|bl000010 / aup bl|cxmj|cxcnct / esc|ironport … reputation / gu eib / "
     "ofr 101|102|103|104|105|109|510 / lpn004|lpn005|lpn006|lpn007 103|510 / block* … proofpoint / "
     "cloudmark … block*|reputation / sc 001|002|003 / ou 001 / dy 001|002 / rly bd|ir|sn / dyn t / "
     "blocked|rejected using / ip is in the / geoip|geographical|geolocation|geographic / dnswl / "
     "rejected due to listing / is listed by|at|on / found on|in one_or_more|dnsbl*"),
    ("domain_blocked", "550 the sender domain is blocked here",
     "domain … blocked|reputation|blacklist*|blocklist*|banned / "
     "sender domain|domains … rejected|listed|banned|block* / "
     "sender|senders|email|mail|from|your|address|your_email|mail_from address|addresses … blacklist*|blocklist*|"
     "black_listed|has_been_blocked|is_blocked|banned / "
     "sender|senders|user is|was|has_been|are blocked|blacklisted|rejected|banned|denied|spammer|refused / "
     "sender blocked|rejected|denied|refused / reputation of the sending domain / manually blocked sender* / "
     "blocked sender|senders / envelope blocked / senderfilterconfig / badmailfrom / not accept mail from / "
     "dont accept mail from / refuse* … mail|email|mails from … domain / is|in|on my badmailfrom / "
     "helo name … bad|spam / dead domain / mail from … denied|rejected|refused|blocked"),
    ("ip_blocked", "550 the IP 198.51.100.24 has a poor reputation",
     "ip|ips|ip_address|address|host|server|network|mta|client … block_list|blocklist*|blacklist*|black_list*|"
     "blocked_using|banned|abusive|deny_list / "
     "banned|blocked|blacklisted|bad … ip|ip_address|host|network|server / "
     "ip|ips|ip_address … blocked|reputation|rejected|denied|refused|suspicious|not_accepted|not_allowed|"
     "not_authorized|is_listed|are_listed|listed_in|listed_at|listed_as|invalid / "
     "client host … blocked|abus*|not_mail_exchanger|may_not / abus detecte / reputation / "
     "blacklist*|blocklist* / block|black|blocked|deny list / listed at|in|by|on … list|lists / "
     "dynamic ip|address|host|pool|ips / "
     "dynamic|residential|dialup|dial_up … address|addresses|ip|ips|hosts|connection|connections / host network / "
     "not allowed to connect|send_mail|send_email|send_from / no|not access from mail server / "
     "connections not accepted from / traffic not accepted from / "
     "not accepting connections|mail|messages from … ip|your / esmtp not accepting connections / "
     "not accepting connections / unusual rate of unsolicited|mail / service refused you|your / block* … abuse / "
     "blocked for|due_to spam|abuse|spamming / blocked by sbc / bounce attack|attacks / sending spam / "
     "server is|was|has_been blocked / refused mail service / suspicious activity|traffic / "
     "access denied bad … ip / blocked … your ip / known spam* / spam source|sources|sender / "
     "requires confirmation / too many bad commands / "
     "too many|excessive invalid|unknown|bad recipients|users|addresses|commands|rcpt / dictionary attack / "
     "directory harvest / extreme bad / permanently deferred / refused to talk to me / no smtp service / "
     "ip … whitelist* / your|this ip … block*|reject*|denied / your|this|the ip is|was|has_been|not / "
     "connect|connection denied|rejected|from_unknown / spam complaints / go away / "
     "your host|server|network|mta|mailserver|mail_server … block*|listed|reputation|banned|denied|not_allowed / "
     "badly configured / poor|bad|low reputation / abusive|abuse … ip|host|server|network / too many complaints"),
    ("ip_blocked", "501 HELO argument is invalid",
     "helo|ehlo … invalid|rejected|denied|not_allowed|malformed|bad|syntax|required|match / "
     "bad|invalid|empty|forged helo|ehlo"),
    ("mailbox_full", "552 too many messages in your mailbox",
     "too many messages in|on the|your|their|his server|mailbox|inbox / too much mail data / "
     "mailbox … too many messages"),
    ("policy_rejected", "530 must issue a STARTTLS command first",
     "starttls|tls|ssl|sslv3|encryption|encrypted|certificate|ciphers … required|requires|require|must|"
     "not_support*|fail*|needed|first|error|expired|invalid|not_available|mandatory / "
     "require* … tls|starttls|encryption|encrypted|ciphers|ssl|certificate / must issue … starttls / "
     "not support tls|starttls|ssl / certificate … trust*|verif*|fail* / dane / tls handshake|negotiation"),
    ("recipient_blocked", "550 the sender was not authenticated for this group",
     "not authenticated for / sender|senders not|was_not authenticated"),
    ("policy_rejected", "535 authentication credentials invalid",
     "smtp authentication|auth / authentication required|is_required|failed|failure|credentials / "
     "authentication credentials / client … not_authenticated / cannot authenticate / "
     "must|need|please authenticate|log_in|login / fail* to authenticate / credentials / "
     "not authorized to send|perform / not logged in / auth failed / submitter fail* / you dont authenticate / "
     "authentification invalide|requise / user|you … not_authorized|unauthorized / "
     "too many login|unauthenticated / login attempts / password / login failed|required|denied / "
     "authentication … required|failed|fail|failure|invalid|unsuccessful|rejected / "
     "unauthenticated|unauthorized … commands|user|relay / must … authenticat* / authenticate / smtp|esmtp auth / "
     "cannot decode / log in / authorization failed|required|denied / sasl"),
    # Too many messages at once.
    ("rate_limited", "421 too many connections",
     "rate limit|limited|limits|limiting|exceeded / ratelimit* / "
     "too many messages|connections|emails|mails|recipients|sessions|concurrent|smtp|con|simultaneous|requests|"
     "mail|envelopes|rcpts|transactions|deliveries|letters|hourly|errors / throttl* / "
     "sending|send|connecting|slow too fast|quickly|down / try again slower / "
     "mail too quickly|fast|often|frequently / at a rate that / unexpected volume / "
     "excessive|unusual|high rate|volume / volume … unusual|exceed* / "
     "max|maximum|number|excess|excessive|exceed* … messages|connections|recipients|sessions|rate per|exceeded|"
     "reached|allowed|in_one / "
     "max|maximum|the|hourly|daily|connection|concurrent|message|messages|recipient|recipients|sending|session|"
     "thread|posts … limit|threshold|rate exceed*|reached|hit / "
     "exceed*|reached … daily|hourly|per_hour|per_day|sending|outbound|rate|allowable|connection|connections|"
     "recipient limit|quota|limits|number|threshold|connections|messages / "
     "exceed*|reached … limit|maximum|max|number … connections|messages|recipients|sessions / "
     "limit exceeded for / relay limit / daily limit|sending / frequency limit|limited / "
     "per connection reached|limit / tss04|tss05|tss09|tss07 / tss* / rl000001|rl000010 / ofr 004 / con b1 / "
     "hvu b1 / submission quota / recipient rate / messages per session|connection|hour|day|minute / "
     "too frequent* / exceeded … threshold / slow down / slowdown / "
     "sending|daily|hourly|submission|smtp|relay|recipient quota|limit exceed*|reached|for / tenant … exceeded / "
     "thread limit / rate that prevents / load too|is|limit high|too_high|exceeded / exceed* … rate / "
     "exceeded … number|limit … messages|emails|connections / try again in|after … minutes|seconds … limit* / "
     "temporarily rate limited / sending rate / sending|message|mail|messages limit / too much traffic / "
     "rate exceed* / resources restricted / excess of / exceed* … per day|hour|minute|session|connection"),
    # The session of the gateway.
    ("relay_denied", "554 relay access denied",
     "relay|relaying|relays|relayed … denied|not_permitted|not_allowed|prohibited|refused|forbidden|disallowed|"
     "rejected|disabled|prohibition / "
     "unable|not|no|dont|wont|insecure|cannot|open|unauthorized|prohibit* relay|relaying|to_relay|mail_relay|"
     "be_relayed / relay prohibition / allowed rcpthosts|rcpthost / not a|the gateway for / "
     "relay … authentic*|authoriz* / not local host / relaying mail|email to / not a relay / mail relay / "
     "we do not relay / third party relay / dont|do_not relay / does not relay / not|isnt … handle mail for / "
     "authenticate … before relay* / relay access|host|from|to|error / attributed relay / "
     "email address is not verified / domain isnt in my list / not permitted|allowed to relay|send_to / "
     "doesnt|does_not accept mail|email for / isnt|not a local domain|destination / not … local domain / "
     "non local|localdomain / relaying / no relay / relay … not / not hosted|handled here / "
     "dont accept mail for / we do not accept|handle mail|email for / outgoing|outbound relay"),
    # The mailbox exists and accepts nothing.
    ("mailbox_full", "552 mailbox is full",
     "is|currently|almost|be full / quota exceed*|reached|violation|overflow / over|exceed* … quota|storage / "
     "mailbox|inbox|box|folder|storage|maildrop|mailfolder full / full mailbox|inbox|box / "
     "mailbox|user … is|too full / 552|552_5.2.2 full / over|overdrawn|above|beyond quota / overquota / "
     "overquoted / quota|quotas|mailquota … exceed*|violation|limit|reached / "
     "exceed*|reached|over|out_of … quota|quotas / quotaexceeded* / "
     "exceed* … storage|mailbox_size|disk_space|disc_space|allocation|allowed_size|mailbox_limit|space_limit / "
     "out of|in storage|space|diskspace / storage|mailbox limit|quota|size_limit|size … exceed*|reached|limit / "
     "storage allocation / account storage / no space left / mailbox exceed* / not sufficient disk|space / "
     "insufficient storage|mailbox|user|quota / not|no enough space|storage|room|quota / "
     "exceed* … receiving limits / no room / mailbox has exceed* / recipient … storage / "
     "domain|account|user|mailbox size limit / maximum|max mailbox|storage|allowed_mailbox size|limit|quota / "
     "mailbox|storage|account … over|exceed* … limit|size|quota|allocation / over … allowed mailbox / "
     "storage limit / size of mailbox / mailbox … size / disk usage / maildir … overquota|quota / mail … space / "
     "not have enough|sufficient space|storage / mailbox too|is large|big"),
    ("recipient_blocked", "550 mail refused due to preferences: blocked by the recipient",
     "blocked|rejected|refused|denied by … recipient|recipients|addressee|the_user / "
     "recipient|recipients preference* / refuse* … your mail|email|message|messages / only accept* … from|mail / "
     "user reject / restricted sms / accepting mail|messages|email only from / "
     "not accepting mail|messages|email with|from_this|from_you / recipient id refuse / whitelist|allowlist / "
     "allowed senders / not pre approved / not accept* … your|this mail|email from / rejected by recipients / "
     "recipient … spam_report|opted_out|unsubscribed / personal block* list / non member / members only / "
     "closed mailing list / not a member / not allowed to post / not authorized for group / "
     "permission to send|post / authorized senders|sender / not authenticated for / "
     "empfanger … abgelehnt|verweigert / 受信拒否 / "
     "rejected|blocked|refused|denied by this|the|that user|recipient|person / "
     "recipient … refuse*|declin*|block* … mail|email|message|messages|you|your / "
     "recipient doesnt|does_not accept|want / do not wish|want to receive / blocked you|your_address|your_email / "
     "not in … allowed|approved|safe / sender isnt|is_not … member|allowed|authorized / challenge|captcha / "
     "only … authorized|approved|members|internal … send|senders|post / "
     "not allowed|permitted|authorized to send|post … group|list|recipient|user|address / "
     "delivery … restricted|restriction / resolver rst notauthorized|authrequired|restrict* / approval required"),
    ("address_inactive", "550 this account is disabled",
     "account|user|mailbox|address|recipient|mailaddress|recipients|email|domain|inbox … disabled|deactivated|"
     "suspended|inactive|frozen|locked|terminated|closed|deleted|archived|discontinued|cancelled|canceled|"
     "retired|dormant|expired|not_active|not_activated|temporarily_inactive|no_longer_active|is_limited|removed|"
     "blocked|restricted|on_hold / "
     "disabled|inactive|deactivated|suspended|frozen|locked|archived|expired|deleted|closed|abandoned|terminated|"
     "blocked account|user|mailbox|address|recipient|inbox / "
     "no longer active|valid|available|in_use|accepts|accept|used|with|employed|works|work|here|exists|exist|at / "
     "currently|temporary|temporarily suspended|locked|inactive|disabled / inactivity / "
     "mailbox unavailable or access denied / temporarily unavailable user / suspend the service / has left / "
     "left the company|organi* / has moved|been_moved|changed_address / moved to|address / user is terminated / "
     "not active / mail receiving disabled / suspend* / locked email / account limited / "
     "has been disabled|deactivated|suspended|closed|deleted / unprovisioned / "
     "archived|closed|inactive|disabled email|e_mail|account|user|recipient|mailbox|address / "
     "no longer with|at|works|an / retired|deceased / moved to … new / out of|not_in service / "
     "discontinued|decommissioned / has been|was terminated|removed|disabled|retired|closed / "
     "temporarily|temporary locked|blocked|disabled|closed / not been activated|used|accessed / "
     "expired|inactive|dormant account|user"),
    # The domain.
    ("invalid_request", "553 sender address rejected: domain not found",
     "sender address rejected|domain / "
     "sender|senders|from|return|returned|mail_from domain|address … not_exist|does_not_exist|doesnt_exist|"
     "not_found|invalid|must_exist|must_resolve|not_resolve|malformed|unresolvable|empty|not_valid|cannot_be|"
     "fully_qualified|mx / "
     "invalid|bad|unresolvable|unverified|unknown sender|sender_address|from|return_path|envelope_sender|"
     "rfc_5321 / sender … verif*|invalid / domain of|in … sender / from domain is / valid from / "
     "mail from … not_owned|must_be|illegal|malformed / badsendermx / fully qualified email|address / "
     "unresolvable … domain / verify sender / backscatter / sender is|was not / different address or alias / "
     "sender … not_exist|unknown|malformed|valid / mail from … domain / header from / from header / "
     "envelope|mail from|sender … invalid|denied|refused|illegal / mail from … invalid|not_valid|not_exist / "
     "sender … no|without mx|domain / sender|from address … rejected|refused|denied|verif*|invalid|bad|not / "
     "unable|could_not|cannot|failed to verify|validate … sender / verify|callout|callback … sender|failed / "
     "sender verify|verification|callout|callback / dead … domain / owned by user / "
     "your … address … not_exist|invalid|verif* / mx … sender / sender|from … must"),
    # The address does not exist.
    ("address_malformed", "553 malformed address",
     "malformed|ill_formed|syntactically_invalid|badly_formatted|illegal address|recipient|recipients|"
     "mailbox_name|alias / bad address syntax / address syntax / "
     "invalid address|recipient|mailbox syntax|format|name_syntax / "
     "address|recipient … malformed|illegal|badly_formed|syntax / mailbox name not allowed|is_not / "
     "not a valid email / not email addresses / 不正なアドレス / アドレス…形式 / not a|an valid rfc / not a|an rfc / "
     "not rfc … address / fully qualified recipient / "
     "address|recipient … syntax|format|illegal_character|invalid_character* / "
     "illegal|invalid character* … address|recipient / domain literal|part|missing"),
    ("dns_failure", "450 host not found, try again", "host|domain|name not_found try again"),
    ("domain_not_found", "550 unknown host",
     "domain|host|host_name|domainname|domain_name name_not_found|not_found|does_not_exist|doesnt_exist|"
     "not_exist|unknown|not_known|is_invalid|not_exists|not_reachable|no_longer_exists|not_valid|nonexistent|"
     "non_existent|isnt_known|mentioned_in_email_address_is_unknown|must_exist|couldnt_be_found / "
     "unknown|no_such|invalid|nonexistent|bad|illegal|not_a_valid|unrouteable|unroutable|undefined domain|host|"
     "domainname|destination_system|destination_domain|destination_host|hostname|domain_name|mail_domain / "
     "nxdomain / unrouteable|unroutable|unrout able address / host address lookups failed / "
     "name or service not known / no such domain / bad host / domain must exist / nullmx / null mx / "
     "does not accept mail|email / host unreachable / dns domain … not_exist / "
     "destination … does_not_exist|unknown_host / "
     "unresolvable|unresolved|invalid destination|domain|host|hostname / "
     "cannot|could_not|unable|cant find|locate|resolve|lookup … domain|host|hostname|destination / no such host / "
     "unroutable|unrouteable / non existent domain|host / doesnt|does_not accept any|email|mail|messages / "
     "destination|recipient domain … reject*|not_accept|no_mail / doesnt receive mail / "
     "domain … expired|parked|dead / smtpsend dns nonexistentdomain / domain syntax"),
    ("address_not_found", "550 user unknown",
     "user|users|mailbox|recipient|recipients|address|account|inbox|person|userid|alias|mail_box|local_part|"
     "customer|subscriber|addressee|name|member … unknown|not_found|does_not_exist|doesnt_exist|not_exist|"
     "invalid|not_exists|not_known|not_listed|not_a_known|isnt_known|isnt_a|not_valid|not_present|"
     "not_our_customer|not_registered|no_such|not_recogni*|not_here|nonexistent|non_existent|couldnt_be_found|"
     "could_not_be_found|cannot_be_found|not_local|wasnt_found|unrecognized|not_defined|undeliverable|not_in_my|"
     "is_not_a|isnt_in_my|not_a_valid|verification_failed|undefined|was_not_found|lookup_failed|not_associated|"
     "not_configured|ambiguous / "
     "user|mailbox|recipient|recipients|address not unknown|found|exist|known|available_on|ok|present|local|"
     "accepted|listed|valid / "
     "unknown|no_such|invalid|nonexistent|non_existent|not_a_valid|bad|no|not_a_known|illegal|unrecognized|"
     "incorrect|wrong|undefined|nosuch|unverified|undeliverable local_user|user|users|mailbox|recipient|"
     "recipients|address|account|person|userid|alias|mail_box|mailboxes|local_part|e_mail|email|email_address|"
     "final_delivery|addressee|destination_address|customer|rcpt|inbox|login|username|employee|subscriber / "
     "not|doesnt|hasnt|no … account|mailbox|user|address here|by_that_name|with_that_name|at_this|with_this / "
     "doesnt|does_not|dont|do_not have a|an|any|the|such … account|mailbox|user / no one at|by|with / "
     "nobody here|by|with / recipientnotfound / resolver adr / userunknown / unknownuser / no mailbox / "
     "ADDRESS … not_found|unknown|not_exist|does_not_exist|no_such|not_known|doesnt_exist|invalid|is_not_a|"
     "not_listed / unknown|invalid ADDRESS / badrecipient* / badrcptto / bad recipient / "
     "bad destination mailbox / address found … no / rcpt … not_exist|dont_exist|doesnt_exist|t_exist / "
     "validrcptto / not listed in … directory / in my badrecipientto / "
     "address couldnt|could_not|cannot be found / address not present / envelope recipient … denied / "
     "destination server rejected recipient* / mailbox|user|recipient|address does|do not / dd this user / "
     "cant accept user / not accept* … recipient* / gateway user / ofr 416 / mailbox is not allowed / "
     "delivery … no_account / relay to … unknown / is not … known user|valid_user / "
     "no such address|recipient|mailbox|user|person / "
     "couldnt|could_not|cannot|cant|unable|not find|locate|lookup|look_up|verify|validate … user|recipient|"
     "recipients|mailbox|address|account|person / unknown in virtual|local|relay / "
     "not … deliverable|a_local_address|local_user / no valid recipient|recipients / not appear to exist / "
     "no longer a valid|our / dont|doesnt handle mail|email … user|address / unable to chdir / "
     "has no mailbox|account / not provisioned / does|do|did not|n match any / chkuser / "
     "user … does_not_have|doesnt_have / recipient verif*|verify|lookup / not exist|existing here|on|in|at / "
     "undeliverable|nondeliverable|invalid|nonexisting|nonexistent address|recipient|recipients / "
     "address … undeliverable|not_deliverable|failed / recipient … undeliverable|not_accepted|doesnt_exist / "
     "dosnt exist / no user|recipient|address|mailbox|account / "
     "mailbox|user|recipient|account|address isnt|wasnt|is_not|was_not|has_not|does_not|cannot|not|arent|hasnt|"
     "can_not / there is no|not such|one|account|user|mailbox|recipient|person / "
     "unknown user|account|name|recipient|address|mailbox|to_us / misspelled / "
     "is not … recipient|valid|registered / check for typos / user … rejected unknown / "
     "address is|was unknown|wrong|incorrect / recipient … does_not|doesnt|cannot exist|receive"),
    ("domain_not_found", "550 the host mail.example.net is not known",
     "domain|host|domainname … not_found|does_not_exist|doesnt_exist|not_exist|unknown|not_known|is_invalid|"
     "couldnt_be_found|could_not_be_found|no_longer_exists|not_valid"),
    ("policy_rejected", "554 not accepted for policy reasons",
     "for policy reasons / local policy / policy violation / rejected by destination domain / "
     "policy restrictions / administrative prohibition / violat* … policy"),
    # The connection to the server.
    ("server_unavailable", "452 insufficient disk space",
     "insufficient disk|system|resources|system_storage|system_resources|memory|space|queue / "
     "system full|storage / low on|out_of disk|memory|resources / disk full|quota / queue file write error"),
    ("expired", "gave up: retry limit reached",
     "retry|retries time|limit|timeout|count|exceeded / 72 hours / "
     "delivery time|timed|period|deadline|attempts … expired|exceeded|end*|out|continue|limit / "
     "message|queue|mail … expired / in the queue|spool too|for / queue lifetime|time|expired / "
     "failing for a long time / not delivered within / delivered for|in more_than|days|hours / "
     "could not be delivered … days|hours / numerous attempts / been delayed / delivery delayed / frozen on / "
     "has been frozen / frozen / will be retried / delay reason / expired / find a gateway for / too old / "
     "gave|giving up / attempts will continue / been unable to deliver … days|hours / "
     "unable|could_not|not deliver|delivered … days|hours|time / lifetime / "
     "delivery … expired|timeout|timed_out / attempts … exceed*|fail*|maximum|reached / "
     "not|could_not|cannot deliver* … after|within|for … days|hours|attempts / gave up|giving_up / "
     "too many attempts|retries|deferrals / being|been|will_be returned|delayed|queued / not yet been|delivered / "
     "still undelivered|trying / delayed|postponed / keep trying / will retry / after … attempts"),
    ("dns_failure", "550 the mx lookup of this domain failed",
     "dns|name_server|nameserver|name_service / "
     "mx|mx_record|mx_records … not_found|lookup|record|records|info|fail* / name resolution / "
     "host lookup|name_lookup / no relevant answers / loops back / best preference mx / "
     "unable to resolve|look_up|lookup / no mx|mxs|a_record / not resolve* / lookup fail* / "
     "malformed … name server / servfail / no valid mx|hosts / address family mismatch / cname / "
     "mx … invalid|error|point*|localhost|loop / nameserver|name_server|resolver / "
     "cannot|could_not|unable|couldnt|failed resolve|find … mx|exchange*|address / a record / malformed … reply / "
     "smtpsend dns / no data record"),
    ("timed_out", "connection timed out",
     "timed|time out / timeout|timedout|timeouts / zeituberschreitung / delai … depass*|expire / "
     "tiempo … agotado / タイムアウト / 超时"),
    ("connection_failed", "connection refused",
     "connection refused|reset|failed|lost|closed|dropped|error|aborted|terminated|broken|died|attempt / "
     "not|unable|fail*|wasnt_able connect|to_connect|establish|to_establish / broken pipe / no route to / "
     "host not|is_not|is reachable|unreachable / network is|error unreachable / unreachable|unreachable_host / "
     "all|unable … routes|route / requests to connect / initial connection / lost connection / "
     "could not|couldnt|cannot connect|be_contacted|contact|reach / connect to|failed|error|refused / "
     "no connection|route|answer|response|greeting / network … unreachable|error|problem|down / "
     "not responding|reachable|respond|answer / "
     "conversation|session … failed|timed|lost|aborted|closed|terminated / "
     "econnre*|etimedout|ehostunreach|enetunreach|enotfound / "
     "remote host|server … closed|gone|unexpectedly|disconnected|lost / unexpected* … disconnect*|close* / "
     "bad|invalid greeting"),
    ("server_unavailable", "554 mail loop: too many hops",
     "too many|much|maximum hops|hop|received / hop|hops count|exceeded / exceeded … hops|hop / "
     "mail|message|routing|forwarding|email loop / loop detected|found / was found in the mail exchanger / "
     "mail loop|looping / received headers|header"),
    # The message or the session violates a standard.
    ("invalid_request", "554 the message is not RFC 5322 compliant",
     "rfc5322|rfc2822|rfc5321 / "
     "missing|invalid|duplicate*|multiple|malformed|bad|no header|headers|message_id|from_header|date_header|"
     "subject_header|mime|addresses_in / rfc … compli*|violat*|conform*|required|specif* / "
     "protocol error|violation / syntax error|errors|in / bare lf|cr|linefeed|newline / stray linefeed* / "
     "bad sequence / command not|unrecognized|unknown|parameter|rejected / "
     "unrecognized|unknown|unimplemented command|parameter / improper use / improper|lone|8 bit … header|data / "
     "not implemented / cannot decode / mime headers / header is too / headers size / header size / headers too / "
     "no data before greeting / smtp authenticated relay / line too long / out of sequence / pipelining / "
     "no recipients|valid_recipients specified / mime … error|invalid|malformed|bad|violat* / "
     "too long|many header|line|lines / header … too|invalid|malformed|missing|illegal|duplicate*|not_allowed / "
     "valid command|sequence / bad command|syntax|argument|parameter / error in parameters / "
     "wrong syntax|command / from … multiple|header / lines|line … too_long|exceed* / bad sequence|message / "
     "non|not … compliant|compliance / optional|unexpected|invalid argument|parameter / starttls may not / "
     "message id … invalid|missing|duplicate* / unexpected command"),
)  # fmt: skip
"""Used after codes with one meaning, before all status codes."""
