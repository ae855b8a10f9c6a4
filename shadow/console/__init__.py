"""What does a person see at the control address? Server-rendered pages and the control API."""
