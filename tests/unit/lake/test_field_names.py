"""What names hint at: the role of an id, the key of an entity, and how likely a time is that of the event.

The names are those of the records of other vendors of e-mail and text messages, and of Symplify's webhooks.
"""

import pytest

from lambdas.lake.profile.field_names import (
    WHAT,
    WHO,
    Role,
    TimeRank,
    best,
    is_own_id,
    key_rank,
    role,
    time_rank,
    words,
)
from lambdas.vocabulary import EXPORT_TYPES


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contactId", "contact id"),
        ("contact_id", "contact id"),
        ("ContactID", "contact id"),
        ("CONTACT_ID", "contact id"),
        ("contactid", "contact id"),
        ("subscriberid", "subscriber id"),
        ("carmaContactId", "carma contact id"),
        ("message.headers.message-id", "message headers message id"),
        ("_id", "id"),
        ("ID", "id"),
        ("marketoGUID", "marketo guid"),
        ("paid", "paid"),
        ("void", "void"),
        ("", ""),
        ("ö", ""),
    ],
)
def test_a_name_is_split_into_its_words_in_any_case_and_style(name: str, expected: str) -> None:
    assert " ".join(words(name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("contactId", Role.CONTACT),
        ("carmaContactId", Role.CONTACT),
        ("external_user_id", Role.CONTACT),
        ("subscriber.id", Role.CONTACT),
        ("SubscriberID", Role.CONTACT),
        ("leadId", Role.CONTACT),
        ("member_id", Role.CONTACT),
        ("user.ID", Role.CONTACT),
        ("recipientId", Role.RECIPIENT),
        ("Recipient", Role.RECIPIENT),
        ("email", Role.ADDRESS),
        ("msg.email", Role.ADDRESS),
        ("EmailAddress", Role.ADDRESS),
        ("email_id", Role.ADDRESS),
        ("msisdn", Role.ADDRESS),
        ("To", Role.ADDRESS),
        ("mail.destination", Role.ADDRESS),
        ("messageId", Role.MESSAGE),
        ("sg_message_id", Role.MESSAGE),
        ("MessageID", Role.MESSAGE),
        ("mail.messageId", Role.MESSAGE),
        ("dispatch_id", Role.MESSAGE),
        ("NewsletterID", Role.MESSAGE),
        ("mailingId", Role.MESSAGE),
        ("MessageSid", Role.MESSAGE),
        ("campaignId", Role.CAMPAIGN),
        ("emailCampaignId", Role.CAMPAIGN),
        ("marketing_campaign_id", Role.CAMPAIGN),
        ("camp_id", Role.CAMPAIGN),
        ("DeploymentId", Role.DELIVERY),
        ("ListID", Role.LIST),
        ("newsletter.newsletter_user_list_id", Role.LIST),
        ("subscription_group_id", Role.LIST),
        ("projectId", Role.PROJECT),
        ("linkTarget", Role.LINK),
        ("OriginalLink", Role.LINK),
        ("url", Role.LINK),
        ("link_id", Role.LINK),
        ("eventId", None),
        ("sg_event_id", None),
        ("id", None),
        ("marketing_campaign_name", None),
        ("sentBy.id", None),
        ("object.id", None),
        ("useragent", None),
        ("ip", None),
        ("ipAddress", None),
        ("ip_address", None),
        ("subject", None),
        ("timestamp", None),
        ("openTime", None),
        ("", None),
    ],
)
def test_a_name_hints_at_a_role(name: str, expected: Role | None) -> None:
    found = role(name)
    assert (found[0] if found else None) == expected


@pytest.mark.parametrize(
    ("fields", "who", "what"),
    [
        # Symplify's webhooks.
        (["eventId", "carmaContactId", "contactId", "campaignId", "messageId"], "contactId", "messageId"),
        (["email", "sg_event_id", "sg_message_id", "marketing_campaign_id"], "email", "sg_message_id"),
        (["id", "recipient", "campaigns"], "recipient", "campaigns"),
        (["Recipient", "MessageID", "ID"], "Recipient", "MessageID"),
        (["msg.email", "_id", "url"], "msg.email", None),
        (["id", "external_user_id", "campaign_id", "dispatch_id"], "external_user_id", "dispatch_id"),
        (["EmailAddress", "ListID", "URL"], "EmailAddress", "ListID"),
        (["SubscriberID", "SendQueueID", "NewsletterID"], "SubscriberID", "NewsletterID"),
        (["marketoGUID", "leadId", "campaignId"], "leadId", "campaignId"),
        (["id", "recipient", "sentBy.id", "emailCampaignId"], "recipient", "emailCampaignId"),
        (["subscriberid", "messageid", "campaignid", "linkid"], "subscriberid", "messageid"),
        (["sid", "to", "from"], "to", None),
        (["ActivityId", "ContactId", "DeploymentId", "CampaignId"], "ContactId", "CampaignId"),
        (["member_id", "camp_id", "email"], "member_id", "camp_id"),
        (["email", "contact.id", "contactName"], "contact.id", None),
        (["size", "name"], None, None),
    ],
)
def test_the_fields_that_say_who_and_what(fields: list[str], who: str | None, what: str | None) -> None:
    found = [best(fields, wanted) for wanted in (WHO, WHAT)]
    assert [one[0] if one else None for one in found] == [who, what]


def test_the_order_of_fields_decides_only_between_equal_names() -> None:
    assert best(["contact", "contactId"], WHO) == ("contactId", Role.CONTACT)
    assert best(["myContactId", "contactId"], WHO) == ("contactId", Role.CONTACT)
    assert best(["inner.contactId", "contactId"], WHO) == ("contactId", Role.CONTACT)
    assert best(["userId", "memberId"], WHO) == ("userId", Role.CONTACT)


@pytest.mark.parametrize(
    ("export", "name", "expected"),
    [
        ("LISTS", "listId", 0),
        ("LISTS", "list_id", 0),
        ("LISTS", "ListID", 0),
        ("LISTS", "listid", 0),
        ("CAMPAIGNS", "campaignID", 0),
        ("PROJECTS", "projectGuid", 0),
        ("MESSAGES", "messageId", 0),
        ("LISTS", "id", 1),
        ("LISTS", "ID", 1),
        ("LISTS", "_key", 1),
        ("LISTS", "uuid", 1),
        ("LISTS", "projectId", 2),
        ("LISTS", "parentListId", 2),
        ("CAMPAIGNS", "dispatcher_id", 2),
        ("LISTS", "name", None),
        ("LISTS", "linkTarget", None),
        ("LISTS", "paid", None),
    ],
)
def test_the_key_of_an_entity_is_named_by_its_noun_before_a_bare_id_before_anothers(
    export: str, name: str, expected: int | None
) -> None:
    assert key_rank(name, EXPORT_TYPES[export]) == expected
    assert is_own_id(name) == (expected == 1)


@pytest.mark.parametrize(
    ("export", "names"),
    [
        ("OPENS", ["openTime", "opened_at", "openTimestamp", "open.timestamp", "message.openedAt", "readTimestamp"]),
        ("CLICKS", ["clickTimestamp", "click.date", "clickedOn"]),
        ("SENT", ["sentTimestamp", "date_sent", "DeliveredAt", "send_time", "delivery.sent", "SentDate"]),
        ("HARD_BOUNCES", ["BounceDate", "BouncedAt", "bounce.timestamp"]),
        ("SOFT_BOUNCES", ["bounceTime"]),
        ("OPTOUTS", ["unsubscribed_at", "optOutDate", "optoutTime", "unsubscribe.when"]),
        ("MESSAGES", ["sentTimestamp", "sent"]),
    ],
)
def test_times_that_are_named_by_the_exports_own_verb_rank_first(export: str, names: list[str]) -> None:
    assert {name: time_rank(name, EXPORT_TYPES[export]) for name in names} == dict.fromkeys(names, TimeRank.OWN_VERB)


@pytest.mark.parametrize(
    ("rank", "names"),
    [
        (TimeRank.GENERAL, ["timestamp", "Timestamp", "time", "date", "when", "ts", "tstamp", "date_time", "event_ts"]),
        (TimeRank.GENERAL, ["eventTime", "event.time", "activityDate", "timestamp.$date", "occurredAt", "UTC"]),
        (TimeRank.UNNAMED, ["ReceivedAt", "fired_at", "sdate", "RawDlrDoneDate", "mail.timestamp", "scts"]),
        (TimeRank.UNNAMED, ["openedMail.timestamp", "startDate", "scheduled_for", "response"]),
        (TimeRank.CREATED, ["created", "createdAt", "created_at", "createdOn", "cdate", "creationTime"]),
        (TimeRank.OTHER_VERB, ["sentTimestamp", "send_at", "click.timestamp", "bounced", "sentBy.created"]),
        (TimeRank.OTHER_VERB, ["openedMail.sentTime", "open.sentAt", "deliveredAt"]),
        (
            TimeRank.UPDATED,
            ["updatedAt", "changedOn", "modified", "mdate", "lastOpened", "LAST_CHANGED", "sent.updated"],
        ),
    ],
)
def test_other_times_of_opens_rank_after_the_opens_own(rank: TimeRank, names: list[str]) -> None:
    assert {name: time_rank(name, EXPORT_TYPES["OPENS"]).name for name in names} == dict.fromkeys(names, rank.name)


@pytest.mark.parametrize(
    ("export", "time", "decoys"),
    [
        ("CLICKS", "timestamp", ["send_at"]),
        ("OPENS", "created", ["sentBy.created"]),
        ("OPENS", "open.timestamp", ["mail.timestamp", "mail.commonHeaders.date"]),
        ("HARD_BOUNCES", "bounce.timestamp", ["mail.timestamp", "mail.commonHeaders.date"]),
        ("SENT", "date_sent", ["date_created", "date_updated"]),
        ("HARD_BOUNCES", "tstamp", ["created_timestamp"]),
        ("OPTOUTS", "unsubscribed_at", ["subscribed_at", "updated_at"]),
        ("MESSAGES", "sentTimestamp", ["createdTimestamp", "readTimestamp"]),
    ],
)
def test_the_time_of_the_event_ranks_before_the_other_times_of_its_record(
    export: str, time: str, decoys: list[str]
) -> None:
    kind = EXPORT_TYPES[export]
    assert all(time_rank(time, kind) < time_rank(decoy, kind) for decoy in decoys)


def test_the_ranks_of_times_are_in_the_order_of_the_specification() -> None:
    assert [rank.name for rank in TimeRank] == [
        "OWN_VERB",
        "GENERAL",
        "UNNAMED",
        "CREATED",
        "OTHER_VERB",
        "UPDATED",
    ]
