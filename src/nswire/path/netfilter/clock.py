"""When a packet is sent: as it is asked for, or as a recording was made (nft_meta.c: nft_meta_get_eval_time; xt_time.c).

nft prints times by the clock of its machine, and days by UTC; iptables both by UTC. A packet may be sent some time after the look.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nswire.model.tables import Moment
    from nswire.path.netfilter.compare import Known

DAY = 86400
EARLIER, LATER = 60, 600  # seconds, between the look and the packet
WEEK, THURSDAY = 7, 4  # which 1970-01-01 was; 0 is Sunday
ANYWHERE = 14 * 3600  # how far clocks are from UTC, at most


def processor(moment: Moment | None) -> Known:
    """The CPU that has the packet: any that the machine may have."""
    return None if moment is None or not moment.cpus else (0, moment.cpus - 1)


def known(moment: Moment | None, name: str) -> Known:
    """`time` (seconds, as if it were UTC), `hour` (seconds of the day), `day`; `utc time`, `utc hour`."""
    if moment is None:
        return None
    first, last = int(moment.time) - EARLIER, int(moment.time) + LATER
    if name in ("utc hour", "hour"):
        if name == "hour" and moment.zone is None:
            return 0, DAY - 1
        zone = 0 if name == "utc hour" else moment.zone or 0
        return _hours(first + zone, last + zone)
    if name == "day":  # the kernel's own zone (sys_tz) counts for it, too, which may be anything
        one, other = (at // DAY + THURSDAY for at in (first - ANYWHERE, last + ANYWHERE))
        return _days(one, other)
    if name == "time" and moment.zone is None:
        return first - ANYWHERE, last + ANYWHERE
    zone = moment.zone or 0 if name == "time" else 0
    return first + zone, last + zone


def _hours(first: int, last: int) -> Known:
    if first // DAY != last // DAY:
        return 0, DAY - 1
    return first % DAY, last % DAY


def _days(first: int, last: int) -> Known:
    one, other = first % WEEK, last % WEEK
    return (one, other) if one <= other else (0, WEEK - 1)
