"""Where mail goes: routes from tables, questions over real sockets."""
