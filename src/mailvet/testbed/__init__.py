"""A small mail internet on loopback: a name server and scripted mail hosts, from one TOML world.

For tests, `bench/` and `mailvet demo`. Nothing here leaves the loopback interface.
"""
