"""`mailvet` on the command line: the service, its client, and one hand tool a mechanism."""
