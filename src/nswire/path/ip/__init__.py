"""The IP stack of a namespace: routes, neighbours, sockets, and what passes between them."""
