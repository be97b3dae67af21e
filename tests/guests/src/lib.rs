//! Components of the tests' own, one an example: replacements for Lithe's components, which show
//! that each can be swapped alone, and attackers, which show what a component cannot do.
