"""What does each section of the configuration say? One file a section; `shadow.settings` puts them together."""
