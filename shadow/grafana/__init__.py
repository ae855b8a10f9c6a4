"""What do people see in Grafana? Dashboards as code, their queries, and how they get into a running Grafana."""
