"""What a rule and the decisions keep of a data set, and its export."""
