"""Topologies to be drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from drawings import build_everything

if TYPE_CHECKING:
    from nswire.model.topology import Topology


@pytest.fixture
def everything() -> Topology:
    return build_everything()
