"""What `import diet_core` offers in a notebook."""
