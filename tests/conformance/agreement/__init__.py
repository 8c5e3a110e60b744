"""What `sallyport sql analyze` makes of the statements of the servers' regression suites, against the servers' own word."""
