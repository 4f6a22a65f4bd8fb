"""What nswire raises is one tree, documented in one place; what is for control flow alone is listed, and never leaves it."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import nswire
from nswire import errors
from nswire.errors import NswireError

CONTROL_FLOW = {
    "nswire.check.expect.values.Unjudged": "becomes an outcome with the status error",
    "nswire.cli.errors.Failure": "click tells it on stderr",
    "nswire.lab.private.ChildError": "of the lab, which needs the standard library alone",
    "nswire.lab.private.PrivateHostError": "of the lab, which needs the standard library alone",
    "nswire.model.tables.NotKnown": "ends a walk as unknown",
    "nswire.path.netfilter.assign.Break": "ends a rule",
    "nswire.path.netfilter.rules.Unsure": "ends a rule that cannot be decided",
    "nswire.path.values.Ended": "ends a walk with its arrival",
    "nswire.sources.source.Unanswered": "becomes a gap of the scan",
    "nswire.web.api.Refused": "becomes an error document",
    "nswire.web.worker_client.Ended": "becomes HTTP status 503",
    "nswire.web.ipc.Broken": "ends a connection between the front and the worker",
    "nswire.web.ipc.TooLong": "becomes an error document",
}


def exceptions() -> set[type[Exception]]:
    """All that nswire defines and others of its modules may raise: those with an underscore stay in theirs."""
    found = set()
    for info in pkgutil.walk_packages(nswire.__path__, "nswire."):
        if info.name.rpartition(".")[2] in ("__main__", "holder_main"):
            continue
        for value in vars(importlib.import_module(info.name)).values():
            if (
                isinstance(value, type)
                and issubclass(value, Exception)
                and value.__module__.startswith("nswire.")
            ):
                found.add(value)
    return {one for one in found if not one.__name__.startswith("_")}


def test_every_error_is_in_the_tree_or_never_leaves() -> None:
    """A new one is a row of the docstring, or of the table above with what becomes of it."""
    outside = {
        f"{one.__module__}.{one.__qualname__}" for one in exceptions() if not issubclass(one, NswireError)
    }
    assert outside == CONTROL_FLOW.keys()
    inside = {one for one in exceptions() if issubclass(one, NswireError)}
    assert {one.__module__ for one in inside} == {"nswire.errors"}
    assert all(one.__name__ in (errors.__doc__ or "") for one in inside)
    assert {one.__name__ for one in inside} <= set(nswire.__all__)


def test_a_name_that_none_or_several_links_have(everything: nswire.Topology) -> None:
    """The two are told apart by their class, and what fits can be taken from the error."""
    with pytest.raises(nswire.LinkNotFound, match="no link is called missing") as missing:
        everything.link("missing")
    assert missing.value.name == "missing"
    with pytest.raises(nswire.AmbiguousLink, match="links are called eth0") as several:
        everything.link("eth0")
    assert len(several.value.candidates) > 1
    assert {link.ifname for link in several.value.candidates} == {"eth0"}
    for error in (missing.value, several.value):
        assert isinstance(error, LookupError)
