//! Every sentence that we say.
