"""The engines that are started for real: one file an engine, one row here."""

from . import docker, podman, rootless
from .truth import Row

ROWS: tuple[Row, ...] = (docker.ROW, podman.ROW, rootless.ROW)
