"""tc filters: RTM_GETTFILTER -> where they send packets, and the BPF programs among them.

struct tcmsg and TCA_* of include/uapi/linux/rtnetlink.h, actions of pkt_cls.h, mirred's of tc_act/tc_mirred.h. Whatever kind
a filter is, its actions are looked at; only the number of the attribute that they are in differs.
"""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING

from nswire.codec.netlink.framing import NLM_F_DUMP, attributes, messages, request, text, u32, values
from nswire.errors import MalformedReply
from nswire.model.tables import Filter, Qdisc, Redirect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.model.tables import Loses

RTM_NEWTFILTER, RTM_GETTFILTER = 44, 46
# Parents: what comes in and what goes out (qdiscs ingress and clsact), the link's root qdisc; and one that there is not, for
# which `ingress` gives its filters all the same, and clsact none (net/sched/sch_ingress.c: ingress_find, clsact_find).
INGRESS, EGRESS, ROOT, ANY = 0xFFFFFFF2, 0xFFFFFFF3, 0, 0xFFFF0001
TCA_KIND, TCA_OPTIONS, TCA_CHAIN = 1, 2, 11
ACTIONS = {
    "basic": 3,
    "bpf": 1,
    "cgroup": 2,
    "flow": 9,
    "flower": 3,
    "fw": 4,
    "matchall": 2,
    "route": 6,
    "u32": 7,
}
TCA_BPF_NAME, TCA_BPF_FLAGS, TCA_BPF_ID = 7, 8, 11
TCA_ACT_KIND, TCA_ACT_OPTIONS = 1, 2
TCA_MIRRED_PARMS = 2
TC_ACT_PIPE, TC_ACT_STOLEN = 3, 4
EGRESS_REDIR, EGRESS_MIRROR, INGRESS_REDIR, INGRESS_MIRROR = 1, 2, 3, 4

RTM_NEWQDISC, RTM_GETQDISC = 36, 38
TC_H_ROOT, CLSACT = 0xFFFFFFFF, 0xFFFFFFF1
TCA_NETEM_CORRUPT, TCA_NETEM_LOSS = 4, 5
ALL = 0xFFFFFFFF  # of the loss of netem: 100 %
# Qdiscs that by themselves lose nothing that finds room, and one that loses all. Any other one may: plug holds, hfsc, drr and qfq
# lose what no class takes, taprio and etf what comes at the wrong time.
QDISCS: dict[str, Loses] = {
    "blackhole": "all",
    **dict.fromkeys(
        (
            "noqueue pfifo bfifo pfifo_fast pfifo_head_drop fq fq_codel fq_pie codel pie sfq cake cake_mq dualpi2 red sfb gred choke hhf "
            "tbf htb prio ets cbq mq mqprio multiq skbprio cbs noop"
        ).split(),
        "nothing",
    ),
}

_netem = struct.Struct("=6I")  # struct tc_netem_qopt: latency, limit, loss, gap, duplicate, jitter
_tcmsg = struct.Struct("=BxxxiIII")
_mirred = struct.Struct("=5iiI")  # tc_gen, eaction, ifindex


def ask(ifindex: int, parent: int) -> bytes:
    """A request for the filters at one place of one link. Where there is no such place, the answer is empty."""
    return request(RTM_GETTFILTER, _tcmsg.pack(0, ifindex, 0, parent, 0), NLM_F_DUMP)


def decode(answer: bytes) -> tuple[Filter, ...]:
    """The filters in an answer, each once, in the order in which they are tried. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWTFILTER or end - start < _tcmsg.size:
            raise MalformedReply(f"a message of type {kind} among filters")
        said = values(answer, start + _tcmsg.size, end)
        options = said.get(TCA_OPTIONS, b"")
        if options:
            *_, info = _tcmsg.unpack_from(answer, start)
            found.append(
                _filter(text(said.get(TCA_KIND, b"")), options)._replace(
                    protocol=socket.ntohs(info & 0xFFFF),
                    chain=u32(said.get(TCA_CHAIN)) or 0,
                )
            )
    return tuple(found)


def ask_qdiscs() -> bytes:
    """A request for the qdiscs of all links."""
    return request(RTM_GETQDISC, _tcmsg.pack(0, 0, 0, 0, 0), NLM_F_DUMP)


def qdiscs(answer: bytes) -> tuple[Qdisc, ...]:
    """The qdiscs in an answer, but for `ingress` and `clsact`, which hold filters and no packets. NetlinkError, MalformedReply."""
    found = []
    for kind, start, end in messages(answer):
        if kind != RTM_NEWQDISC or end - start < _tcmsg.size:
            raise MalformedReply(f"a message of type {kind} among qdiscs")
        _, ifindex, _, parent, _ = _tcmsg.unpack_from(answer, start)
        said = values(answer, start + _tcmsg.size, end)
        if parent != CLSACT:
            name = text(said.get(TCA_KIND, b""))
            how, why = _loses(name, said.get(TCA_OPTIONS, b""))
            found.append(Qdisc(ifindex, name, parent == TC_H_ROOT, how, why))
    return tuple(found)


def _loses(kind: str, options: bytes) -> tuple[Loses, str]:
    """Whether a qdisc loses what is given to it, and by what: what decides is how it was set, not how full it is."""
    if kind in ("pfifo", "bfifo") and len(options) >= 4:
        return ("all", "limit 0") if not any(options[:4]) else ("nothing", "")
    if kind == "netem" and len(options) >= _netem.size:
        _, limit, loss, _, _, _ = _netem.unpack_from(options)
        inside = values(options[_netem.size :])
        if loss == ALL or not limit:
            return "all", "loss 100%" if limit else "limit 0"
        lossy = loss or TCA_NETEM_LOSS in inside or any(inside.get(TCA_NETEM_CORRUPT, b""))
        return ("some", "loss or corruption") if lossy else ("nothing", "")
    return QDISCS.get(kind, "some"), ""


def _filter(kind: str, options: bytes) -> Filter:
    inside = values(options)
    actions = list(_actions(inside.get(ACTIONS.get(kind, -1), b"")))
    return Filter(
        kind,
        tuple(one for one, _ in actions if one is not None),
        text(inside.get(TCA_BPF_NAME, b"")) if kind == "bpf" else "",
        (u32(inside.get(TCA_BPF_ID)) or 0) if kind == "bpf" else 0,
        plain=all(plain for _, plain in actions),
    )


def _actions(value: bytes) -> Iterator[tuple[Redirect | None, bool]]:
    """Where each action sends packets, if it does; and whether that is all that it does."""
    for _, at, stop in attributes(value, 0, len(value)):
        action = values(value[at:stop])
        parms = values(action.get(TCA_ACT_OPTIONS, b"")).get(TCA_MIRRED_PARMS, b"")
        if text(action.get(TCA_ACT_KIND, b"")) != "mirred" or len(parms) < _mirred.size:
            yield None, False
            continue
        _, _, onward, _, _, how, ifindex = _mirred.unpack_from(parms)
        copy = how in (EGRESS_MIRROR, INGRESS_MIRROR)
        target = Redirect(ifindex, copy, how in (INGRESS_REDIR, INGRESS_MIRROR)) if ifindex else None
        yield target, target is not None and onward == (TC_ACT_PIPE if copy else TC_ACT_STOLEN)
