"""How nodes talk: frames, sessions and the node; pure, given time and entropy."""
