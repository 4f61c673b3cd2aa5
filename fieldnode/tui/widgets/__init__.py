"""From cores to lines; only `stage` knows Textual."""
