"""The drill world: the product's own engine under a virtual clock and a network that fails."""
