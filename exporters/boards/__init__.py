"""A Grafana dashboard and a Honeycomb board for what `exporters.otlp` sends."""
