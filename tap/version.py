"""The version, where the hot path can read it without a third of a second of package metadata."""

VERSION = "0.1.0"
