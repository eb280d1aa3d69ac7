//! A SuperID of our own for demos, tests and app developers; it imports nothing else of ours.
