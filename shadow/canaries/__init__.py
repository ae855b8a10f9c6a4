"""Does a pinned model still behave as it did at first? Small prompts, asked on a schedule, held against its first answers."""
