//! Does the server present a key that Bitbucket publishes?

use crate::check::{Check, Findings, Meta};
use crate::check_id::CheckId;
use crate::facts::Facts;
use crate::facts::conversation::Trust;
use crate::finding::{Code, Finding, Subject};
use crate::need::Need;
use crate::privacy::Private;
use crate::remedy::Remedy;
use crate::unavailable::Unavailable;
use crate::{bitbucket, text};

/// This check.
#[derive(Debug)]
pub(crate) struct FingerprintMatchesRemote;

const META: Meta = Meta {
    id: CheckId::FingerprintMatchesRemote,
    title: "The server's key is the right one",
    needs: &[Need::Server],
    page: include_str!("fingerprint_matches_remote.md"),
};

impl Check for FingerprintMatchesRemote {
    fn meta(&self) -> &'static Meta {
        &META
    }

    fn run(&self, facts: &Facts) -> Result<Findings, Unavailable> {
        let peer = facts.peer()?;
        let key = peer.host_key.text();
        let host = || Private::host(&peer.name);
        let mut found = Findings::new(match peer.trust {
            Trust::Published => text!("the server's key is one that Bitbucket publishes ({})", &key),
            Trust::Configured => text!("the server's key is one that config.toml names ({})", &key),
            Trust::Known | Trust::Contradicts | Trust::Nobody => text!("the server presents {}", &key),
        });
        match peer.trust {
            Trust::Published | Trust::Configured => {}
            Trust::Contradicts => found.push(
                Finding::blocking(
                    Code::HostKeyUnpublished,
                    text!("What answers as {} presents a key that Bitbucket does not publish; nothing more was sent to it.", host()),
                )
                .subject(Subject::new("host", host()))
                .evidence("presented", key)
                .evidence("compared with", text!("the keys published on {}", bitbucket::VERIFIED_ON))
                .evidence("software", Private::quoted(&peer.identification))
                .remedy(Remedy::ask(
                    "other-network",
                    text!(
                        "Do not accept the key. Somebody may sit between you and the service (a proxy, a captive portal, a wrong address): \
                         compare with {} from another network, and ask your network's administrators.",
                        bitbucket::HOST_KEYS_PAGE
                    ),
                )),
            ),
            Trust::Known | Trust::Nobody => found.push(
                Finding::info(Code::HostKeyUnverifiable, text!("bbdoctor does not know which host key {} should have.", host()))
                    .subject(Subject::new("host", host()))
                    .evidence("presented", key)
                    .remedy(Remedy::ask(
                        "verify",
                        "Ask its administrators for the fingerprint, and put the key into config.toml under [hosts.\"NAME\"] host_keys.",
                    )),
            ),
        }
        Ok(found)
    }
}
