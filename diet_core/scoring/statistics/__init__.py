"""Statistics of comparisons and audits: intervals, tests and the sentences that report them."""
