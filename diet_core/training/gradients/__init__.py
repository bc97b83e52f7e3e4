"""Per-example gradient norms (GraNd beyond the classifier)."""
