"""What the review card shows of an example: neighbours, class probabilities, agreement of the seeds."""
