//! How far the way to the server leads.

use crate::evidence::Evidence;
use crate::evidence::resolve::ResolveError;
use crate::evidence::road::proxy_of;
use crate::evidence::transport::ConnectOutcome;

impl Evidence {
    /// The name does not resolve.
    pub(crate) fn name_fails(&self) -> bool {
        matches!(self.resolution(), Ok(Err(_)))
    }

    /// There is no connection.
    pub(crate) fn road_fails(&self) -> bool {
        self.conversation().is_ok_and(|talk| talk.road.is_some())
    }

    /// There is a connection, and no handshake.
    pub(crate) fn handshake_fails(&self) -> bool {
        self.conversation().is_ok_and(|talk| matches!(talk.handshake, Some(Err(_))))
    }

    /// The setting that puts a proxy on the way, as the manual writes it.
    pub(crate) fn proxy_setting(&self) -> Option<&'static str> {
        proxy_of(self.settings().ok()?).map(|(setting, _)| setting)
    }

    /// BindAddress or BindInterface cannot be used.
    pub(crate) fn cannot_bind(&self) -> bool {
        self.conversation()
            .is_ok_and(|t| t.road.as_ref().is_some_and(|r| r.attempts().iter().any(|a| a.outcome == ConnectOutcome::CannotBind)))
    }

    /// The name has addresses, but none of the family that AddressFamily asks for.
    pub(crate) fn resolves_only_in_other_family(&self) -> bool {
        matches!(self.resolution(), Ok(Err(ResolveError::NoAddressOfFamily { .. })))
    }
}
