//! Public key files.

use std::path::Path;

use crate::machine::files;
use bbdoctor_checks::facts::public_key::PublicKey;

/// The first key in the file at `path`, as [`PublicKey::from_file_bytes`] finds it; `None` also when it cannot be read.
pub fn read(path: &Path) -> Option<PublicKey> {
    files::read(path).ok().and_then(|bytes| PublicKey::from_file_bytes(&bytes))
}

#[cfg(test)]
mod tests;
