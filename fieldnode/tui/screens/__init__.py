"""One file a screen; each chooses its cores and words and asks the node."""
