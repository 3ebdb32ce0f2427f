"""The sections of a card, each a function from what is given to a section; none knows how it will be rendered."""
