//! A remote's URL: what is known of it without the world.

pub use crate::facts::git_url::*;
