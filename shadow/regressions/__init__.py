"""What got worse since the weeks before? Built from roll-ups, stored, told as text, Markdown, a page and JSON, on a schedule."""
