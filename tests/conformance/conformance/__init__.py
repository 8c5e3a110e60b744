"""MariaDB's regression suite, directly and through the gateway."""
