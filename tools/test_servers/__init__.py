"""The real servers that tests run against, started without containers. The program is tools/services; docs/decisions/0043 says why."""
