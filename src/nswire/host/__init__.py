"""The only room that touches the machine: `Live` asks this one, `Recorded` replays a recording."""
