"""rtnetlink: framing, links, addresses, namespace ids, routes. Layouts from include/uapi/linux/*.h, native order."""
