"""A Kubernetes-compatible API server: storage, rules, and HTTP over TLS.

From the outside in: `server` (sockets, TLS) → `web` (routes, content types) → `registry` (the rules of create, update,
patch and delete, shared by HTTP and by `objects.Objects`) → `storage` (SQLite, versions, watch window).
`schema` is the one view of a type that pruning, merging, apply and explain use, whether it is native or a CRD's.
"""
