"""Logits, findings and a policy in; a decision out."""
