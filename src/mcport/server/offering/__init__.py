"""What a server offers: tools, resources, prompts and completions, how they are listed and found."""
