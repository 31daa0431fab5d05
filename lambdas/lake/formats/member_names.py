"""Names of members by their looks: what a wrapper's bookkeeping is called, and what identifies a record as one.

No real export is public, so nothing here leans on the names that an export type is assumed to have.
"""

import re


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


COUNTS = _set(
    "total count n totalcount totalrecords totalresults totalitems totalelements totalhits totalrows recordcount "
    "recordscount numberofrecords numrecords numberofelements numelements rowcount itemcount resultcount returned "
    "odatacount"
)
"""How many records a wrapper says that it holds."""
PAGES = _set("pages totalpages pagecount numpages numberofpages lastpage")
NEXT = _set(
    "next nextpage nextlink nexturl nexturi nexthref nextcursor nexttoken nextpagetoken nextoffset continuation "
    "continuationtoken odatanextlink hasmore hasnext hasnextpage more moreavailable truncated istruncated partial "
    "incomplete"
)
"""With a value, they say that the file is not all."""
LAST = _set("last islast lastpagereached complete iscomplete")
"""With `false`, they say that the file is not all."""
META = _set("meta metadata paging pagination page pageinfo links responsemetadata cursors")
"""Objects of bookkeeping."""
ERRORS = _set("error errors fault faults exception exceptions errormessage errorcode errordescription errortext")
REMARKS = ERRORS | META | _set("warnings warning notices")
"""Arrays of objects that are no records."""
STATUS = _set("status state result outcome success succeeded ok statuscode httpstatus httpstatuscode responsecode")
SAYINGS = STATUS | _set("message msg code detail details reason")
"""What a document that is no record may have to say; titles and descriptions alone may be a record's."""
WORDS = (
    *("code", "errorcode", "faultcode", "type", "title", "error", "message", "errormessage", "msg", "errordescription"),
    *("faultstring", "detail", "details", "description", "reason", "text"),
)
"""Where the words of an error stand, in the order in which they read well."""

_BOOKKEEPING = (
    COUNTS
    | PAGES
    | NEXT
    | LAST
    | META
    | ERRORS
    | STATUS
    | _set(
        "message code msg detail details reason warnings warning notices limit offset cursor perpage pagesize "
        "pagenumber pageno pageindex number size first prev previous prevpage previouspage self href generatedat "
        "generated generatedon exportedat exporttype export period from to since until batchid requestid jobid "
        "traceid correlationid exportid schema version apiversion took duration elapsed query filter filters sort "
        "order locale timezone zone encoding format path instance odatacontext context"
    )
)
# Members of records and of wrappers alike.
_EITHER = _set(
    "timestamp time date datetime created createdat updatedat start end startdate enddate type kind title "
    "description customerid accountid tenantid clientid account customer tenant brand source"
)
_GENERIC = _set(
    "data records record results result items rows content contents values value list entries elements objects "
    "events payload response statistics stats export body documents docs hits"
)
_OF_A_RECORD = re.compile(
    r"(?:id|uuid|guid|name|e-?mail|recipient|address|time|timestamp|date)$|_at$|^date[_A-Z]|(?-i:[a-z0-9]At$)", re.I
)
_NO_WORD = re.compile(r"[^a-z0-9]")


def plain(name: str) -> str:
    """A name without its case and marks: `_nextPage` and `next-page` are one."""
    return _NO_WORD.sub("", name.lower())


def is_bookkeeping(name: str) -> bool:
    """Whether it is a wrapper's, beside its records."""
    return plain(name) in _BOOKKEEPING


def may_be_either(name: str) -> bool:
    """Whether wrappers and records have such a member."""
    return plain(name) in _EITHER


def is_generic(name: str) -> bool:
    """Whether an array of that name is a wrapper's records."""
    return plain(name) in _GENERIC


def is_of_a_record(name: str) -> bool:
    """Whether it names an id, a time, a name or an address."""
    return bool(_OF_A_RECORD.search(name))
