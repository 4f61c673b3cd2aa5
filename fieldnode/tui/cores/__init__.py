"""What decides at the keyboard: keys in, state and dirty lines out, with no Textual and no wait."""
