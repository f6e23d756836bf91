"""Labelled sentences for the guardrails: private data, abuse, prompt injection, and innocent calls."""
