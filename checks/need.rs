//! What has to be gathered for a check.

/// What is gathered only when a check needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// What git is here, by what it says of itself.
    Programs,
    /// ssh's configuration.
    Settings,
    /// The agents and the keys.
    Keys,
    /// The addresses of the host.
    Name,
    /// The conversation with the server.
    Server,
    /// git's own run.
    Git,
}
