"""The queueing discipline of a link: what goes out passes it, and some lose what they get however little that is.

net/core/dev.c (__dev_queue_xmit), net/sched/sch_blackhole.c, sch_netem.c, sch_fifo.c, sch_plug.c.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nswire.model.reasons import Reason

if TYPE_CHECKING:
    from nswire.model.reasons import Cause
    from nswire.model.topology import Link
    from nswire.path.context import PathContext

LOSES_ALL = Reason("qdisc.loses_all", "the qdisc {qdisc} of {link} drops everything", "QDISC_DROP")
LOSES_SOME = Reason("qdisc.loses_some", "the qdisc {qdisc} of {link} may drop it", unknown=True)


def loses(ctx: PathContext, link: Link) -> tuple[str, Cause] | None:
    """`dropped` or `unknown`, and why; None if what goes out by the link passes its queues, as far as they have room. NotKnown."""
    found = ctx.lookups.qdiscs(link.end)
    root = next((one for one in found if one.root), None)
    if root is None:
        return None
    if root.loses == "all":
        return "dropped", LOSES_ALL(qdisc=_told(root.kind, root.why), link=link.ifname)
    # the qdiscs of classes: which of them a packet gets to is not known
    classes = [one for one in found if not one.root]
    if classes and all(one.loses == "all" for one in classes) and root.kind in ("mq", "mqprio"):
        return "dropped", LOSES_ALL(qdisc=_told(classes[0].kind, classes[0].why), link=link.ifname)
    losing = next((one for one in found if one.loses != "nothing"), None)
    if losing is None:
        return None
    return "unknown", LOSES_SOME(qdisc=_told(losing.kind, losing.why), link=link.ifname)


def _told(kind: str, why: str) -> str:
    return f"{kind} {why}".strip()
