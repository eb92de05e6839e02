//! What the product does: use cases that await ports.
