"""From the facts and the outcome of a scan to its topology: names, labels, and what stays unseen."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from errno import EACCES, EPERM, ESRCH
from itertools import chain
from typing import TYPE_CHECKING

from nswire.host.failures import GONE, refusal
from nswire.model import gaps, unresolved
from nswire.model.gaps import Subject, Unseen
from nswire.model.reasons import Reason
from nswire.model.topology import Topology
from nswire.model.values import Namespace, Taken
from nswire.version import __version__

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nswire.discover.inspector import ScanInspector
    from nswire.discover.scan_state import Scan
    from nswire.model.facts import Facts
    from nswire.model.gaps import Gap
    from nswire.model.values import Holder, NsKey

NAMED_IDS = 5  # ids or names written out in one gap
NAMED = ("/run/netns/", "/var/run/netns/")
LONGEST = 40  # characters of a path that is a label
CAPABILITIES = (
    "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE "
    "NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN "
    "SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE "
    "MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE"
).split()  # include/uapi/linux/capability.h, bit 0 first


HIDDEN_LINKS = Unseen("netns.links_by_nsid", "their links", gaps.ADMINISTER, hint="ask again")
NO_NSID = Reason("scan.no_read_by_nsid", "this kernel cannot read by nsid")
MANY_LINKS = Unseen("netns.links_refused", "their links", gaps.ENTER)
PEER = Unseen("link.other_end", "the other end")
HELD_UNSEEN = Unseen(
    "netns.held_by_unseen",
    "who holds it, its routes, its cookie",
    hint="it is held by what cannot be seen from here: an unreadable process, one outside this pid namespace, a descriptor on its way",
)
HELD_REFUSED = Unseen(
    "netns.held_by_refused",
    "who holds it, its routes, its cookie",
    hint="it may be one of those that were found and could not be entered",
)


def conclude(scan: Scan, duration: float, inspector: ScanInspector) -> Topology:
    """The topology of a finished scan."""
    facts = scan.facts
    namespaces = _namespaces(scan)
    return Topology(
        home=facts.home,
        namespaces=namespaces,
        links=facts.links,
        wires=scan.outcome.wires,
        lowers=scan.outcome.lowers,
        loose=scan.outcome.loose,
        gaps=tuple(_gaps(scan, namespaces)),
        taken=_taken(scan, duration),
        inspector=inspector,
    )


def _namespaces(scan: Scan) -> dict[NsKey, Namespace]:
    facts = scan.facts
    names = {key: _names(facts.holders.get(key, ())) for key in (*scan.ways, *facts.hidden)}
    uses = Counter(chain.from_iterable(names.values()))
    labels: dict[NsKey, str] = {}
    for key in scan.ways:
        labels[key] = f"net:[{key}]"
        for name in names[key]:
            if uses[name] == 1 and _may_be_a_label(name):
                labels[key] = name
                break
    labels[facts.home] = "host" if scan.about.initial else "self"
    for key, view in facts.hidden.items():
        labels[key] = f"nsid:{view.nsid}@{labels[view.through]}"
    present = (
        (key != facts.home, key in facts.hidden, label, key)
        for key, label in labels.items()
        if key in facts.links or facts.refused.get(key, ESRCH) not in GONE
    )
    return {
        key: Namespace(
            key=key,
            inode=key if key > 0 else None,
            cookie=facts.cookies.get(key),
            names=names[key],
            label=label,
            home=not away,
            hidden=hidden,
            readable=key in facts.links,
            holders=tuple(dict.fromkeys(facts.holders.get(key, ()))),
            seen_from=facts.hidden.get(key),
        )
        for away, hidden, label, key in sorted(present)
    }


def _may_be_a_label(name: str) -> bool:
    """Names are chosen by others: none may look like a label of ours (`host`, `net:[4026531840]`, `nsid:3@host`).

    A path of many characters is no label either: the inode is shorter.
    """
    return (
        name not in ("host", "self", ".") and ":" not in name and not (name[0] == "/" and len(name) > LONGEST)
    )


def _names(holders: list[Holder] | tuple[Holder, ...]) -> tuple[str, ...]:
    """What a namespace is called: as `ip netns` has it, else by the paths it is mounted at.

    A mount of another mount namespace goes by its whole path, after all of our own: who may mount there may call it
    what he likes, and must not be able to take a name away.
    """
    ranked = []
    for holder in holders:
        if holder.type in ("mount", "name"):
            short = _short(holder.path) if holder.own else holder.path
            ranked.append((not holder.own, short == holder.path, short))
    ranked.sort()
    return tuple(dict.fromkeys([name for _, _, name in ranked]))


def _short(path: str) -> str:
    directory, slash, name = path.rpartition("/")
    return name if directory + slash in NAMED and name else path


def _gaps(scan: Scan, namespaces: dict[NsKey, Namespace]) -> Iterator[Gap]:
    facts = scan.facts
    refused = Counter(errno for errno in facts.refused.values() if errno in (EPERM, EACCES))
    for errno, count in refused.items():
        yield MANY_LINKS(gaps.counted(count, "namespace", "namespaces"), *refusal(errno))
    unread: dict[tuple[NsKey, int], list[int]] = {}
    for view, errno in facts.unread_hidden.items():
        unread.setdefault((view.through, errno), []).append(view.nsid)
    for (through, errno), ids in unread.items():
        which = (
            f"nsid {', '.join(map(str, sorted(ids)[:NAMED_IDS]))}{', ...' if len(ids) > NAMED_IDS else ''}"
        )
        where = f"{len(ids)} namespace{'s' if len(ids) > 1 else ''} that {_label(namespaces, through)} calls {which}"
        about = Subject(
            where, (("count", len(ids)), ("netns", through), ("nsid", " ".join(map(str, sorted(ids)))))
        )
        yield HIDDEN_LINKS(about, *(refusal(errno) if errno > 0 else (NO_NSID(),)))
    yield from _holders_unknown(facts, namespaces)
    yield from _peers_unknown(scan, namespaces)


def _peers_unknown(scan: Scan, namespaces: dict[NsKey, Namespace]) -> Iterator[Gap]:
    by_state: dict[str, list[str]] = {}
    for end, loose in scan.outcome.loose.items():
        link = scan.facts.links[end.ns].get(end.ifindex)
        if link is not None and unresolved.of(loose.state).gap is not None:
            by_state.setdefault(loose.state, []).append(f"{_label(namespaces, end.ns)}/{link.ifname}")
    for state, names in by_state.items():
        more = f" and {len(names) - NAMED_IDS} more" if len(names) > NAMED_IDS else ""
        about = Subject(", ".join(names[:NAMED_IDS]) + more, (("count", len(names)), ("link", names[0])))
        reason = unresolved.of(state).gap
        if reason is not None:
            yield PEER(about, reason())


def _holders_unknown(facts: Facts, namespaces: dict[NsKey, Namespace]) -> Iterator[Gap]:
    row = HELD_REFUSED if facts.refused else HELD_UNSEEN
    for key in facts.hidden:
        about = Subject(namespaces[key].label, gaps.netns(facts, key).pairs)
        yield row(about, gaps.NO_WAY())


def _label(namespaces: dict[NsKey, Namespace], key: NsKey) -> str:
    return namespaces[key].label if key in namespaces else f"net:[{key}]"


def _taken(scan: Scan, duration: float) -> Taken:
    about = scan.about
    bits = int(about.capabilities, 16)
    return Taken(
        time=datetime.fromtimestamp(about.time, UTC).isoformat(timespec="milliseconds"),
        duration=round(duration, 6),
        version=__version__,
        kernel=about.kernel,
        hostname=about.hostname,
        capabilities=tuple(f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1),
        uid=about.uid,
        source=about.source,
    )
