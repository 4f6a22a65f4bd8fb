"""What iptables, ip6tables, ebtables and arptables print, and what each match and target of theirs means.

`words` is the grammar of their texts; the other files are tables. An extension that is in no table is an `Opaque`.
"""
