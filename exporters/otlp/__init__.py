"""Traces, metrics and findings for any OpenTelemetry backend, built from the journal behind stored marks."""
