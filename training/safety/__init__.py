"""Benign, jailbreak or harmful: generators and readers of the training texts."""
