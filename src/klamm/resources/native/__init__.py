"""The Kubernetes kinds that the operators read or write, as `resources.structure.Block`s.

Fields and their meaning are Kubernetes' own (API reference of 1.34). Only what the project touches or passes
through is here; an unknown field is ignored on reading. Import from the file that holds a kind (`native.pod`,
`native.service`, …): this package imports nothing, so that a process pays only for what it uses.
"""
