//! Whether ssh trusts the server and could agree with it on algorithms.

use super::Facts;
use super::connection::Attempt;
use super::conversation::{Access, refusal_words};
use super::handshake::Established;
use super::kexinit::{self, Class, Disagreement, KexInit};
use super::known_hosts::{Judgement, preferred_algorithms};
use super::settings::{Authority, Settings};
use super::ssh_config::{Evaluation, FileRole, SettingSource};
use super::trust::KnownHosts;

/// The types of host key that ssh asks for by default, in its order, where no ssh can be asked (ssh_config(5)).
const HOST_KEY_ALGORITHMS: &[&str] = &[
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
];

/// The types of host key that ssh would ask for, in its order, as far as they are known.
pub fn host_key_preferences(settings: &Settings, own: Option<&Evaluation>, known: Option<&KnownHosts>) -> Option<Vec<String>> {
    let value = settings.value("hostkeyalgorithms").map_or_else(|| HOST_KEY_ALGORITHMS.join(","), String::from);
    let list: Vec<String> = value.split(',').map(String::from).collect();
    let complete = settings.authority == Authority::Ssh || !list.first().is_some_and(|l| l.starts_with(['+', '-', '^']));
    // HostKeyAlgorithms may edit the default list instead of replacing it.
    let edited = own.and_then(|own| own.value("hostkeyalgorithms")).is_some_and(|v| v.starts_with(['+', '-']));
    let fixed = settings.is_set("hostkeyalgorithms") && !edited;
    let wanted = match known {
        Some(known) if complete && !fixed => preferred_algorithms(&known.entries, &list),
        _ if complete => list,
        _ => return None,
    };
    // With types that our engine has not, it could not even hear what the server offers.
    wanted.iter().any(|name| HOST_KEY_ALGORITHMS.contains(&name.as_str())).then_some(wanted)
}

impl Facts {
    /// Whether ssh stops because it does not know the host key.
    pub(crate) fn host_key_stops_ssh(&self) -> bool {
        let Ok(peer) = self.peer() else { return false };
        match peer.judgement {
            Judgement::Trusted(_) => false,
            Judgement::Revoked(_) => true,
            Judgement::Changed(_) | Judgement::OtherTypesOnly(_) => !self.tolerates_changed_host_key(),
            Judgement::CertificateAuthorityOnly(_) | Judgement::Unknown => {
                !self.accepts_new_host_keys() && !self.person_can_confirm_host_key()
            }
        }
    }

    /// What ssh's own lists and the server's have not in common: outer `None` when ssh's lists are not known.
    pub(crate) fn ssh_disagreement(&self, theirs: &KexInit) -> Option<Option<Disagreement>> {
        let settings = self.settings().ok()?;
        let list = |keyword: &str| -> Option<Vec<String>> {
            let value = settings.value(keyword)?;
            let edited = settings.authority == Authority::OwnReading && value.starts_with(['+', '-', '^']);
            (!edited).then(|| value.split(',').map(String::from).collect())
        };
        let (ciphers, macs) = (list("ciphers")?, list("macs")?);
        let ours = KexInit {
            kex_algorithms: list("kexalgorithms")?,
            server_host_key_algorithms: list("hostkeyalgorithms")?,
            encryption_client_to_server: ciphers.clone(),
            encryption_server_to_client: ciphers,
            mac_client_to_server: macs.clone(),
            mac_server_to_client: macs,
            compression_client_to_server: theirs.compression_client_to_server.clone(),
            compression_server_to_client: theirs.compression_server_to_client.clone(),
        };
        Some(kexinit::disagreement(&ours, theirs))
    }

    /// The choice for which the server offers nothing but what OpenSSH leaves out by default and the user does not add; for
    /// where ssh's lists are not known.
    pub(crate) fn only_old(&self, agreed: &Established) -> Option<Disagreement> {
        let (theirs, settings) = (agreed.server_kexinit.as_ref()?, self.settings().ok()?);
        let offers = [(Class::HostKey, &theirs.server_host_key_algorithms), (Class::Cipher, &theirs.encryption_client_to_server)];
        offers.into_iter().find_map(|(class, offered)| {
            let (keyword, old) = class.off_by_default()?;
            let all = offered.iter().all(|name| old.contains(&name.as_str()));
            let set = settings.is_set(&keyword.to_ascii_lowercase());
            (all && !set).then(|| Disagreement { class, ours: vec!["its defaults".into()], theirs: offered.clone() })
        })
    }

    /// Whether the user's own file, not the system's, replaces the default list of `keyword`.
    pub(crate) fn user_pins_algorithms(&self, keyword: &str) -> bool {
        let Ok(reading) = self.reading() else { return false };
        let edited = reading.value(keyword).is_none_or(|v| v.starts_with(['+', '-', '^']));
        let position = reading.source(keyword).and_then(SettingSource::position);
        let system = position.and_then(|p| reading.file(&p.file)).is_none_or(|f| f.role == FileRole::System);
        !edited && position.is_some() && !system
    }

    /// A list of algorithms of the user's that has nothing in common with what the server offers: keyword, ours, theirs.
    pub(crate) fn restricting_algorithms(&self) -> Option<(&'static str, Vec<String>, Vec<String>)> {
        let theirs = self.server_kexinit()?;
        let settings = self.settings().ok()?;
        let candidates = [
            ("KexAlgorithms", "kexalgorithms", &theirs.kex_algorithms),
            ("HostKeyAlgorithms", "hostkeyalgorithms", &theirs.server_host_key_algorithms),
            ("Ciphers", "ciphers", &theirs.encryption_client_to_server),
            ("MACs", "macs", &theirs.mac_client_to_server),
        ];
        if let Some(known) = self.ssh_disagreement(theirs) {
            let disagreement = known?;
            let (name, keyword) = match disagreement.class {
                Class::Kex => ("KexAlgorithms", "kexalgorithms"),
                Class::HostKey => ("HostKeyAlgorithms", "hostkeyalgorithms"),
                Class::Cipher => ("Ciphers", "ciphers"),
                Class::Mac => ("MACs", "macs"),
                Class::Compression => return None,
            };
            return settings.is_set(keyword).then_some((name, disagreement.ours, disagreement.theirs));
        }
        // Without ssh's own defaults only a list that the user has written out can be judged.
        candidates.into_iter().take(3).find_map(|(name, keyword, offered)| {
            let value = settings.value(keyword).filter(|v| settings.is_set(keyword) && !v.starts_with(['+', '-', '^']))?;
            let ours: Vec<String> = value.split(',').map(String::from).collect();
            let common = ours.iter().any(|o| offered.contains(o));
            (!common).then(|| (name, ours, offered.clone()))
        })
    }

    /// The server's lists, whether or not the handshake succeeded.
    pub(crate) fn server_kexinit(&self) -> Option<&kexinit::KexInit> {
        let conversation = self.conversation().ok()?;
        match conversation.handshake.as_ref()? {
            Ok(peer) => peer.greeting.server_kexinit.as_ref(),
            Err(failure) => failure.server_kexinit.as_ref(),
        }
    }

    /// The attempts of the first connection.
    pub fn connection_attempts(&self) -> Option<&[Attempt]> {
        self.conversation().ok().map(|t| t.attempts.as_slice())
    }

    /// Whether the service, refusing the repository, names `host` in its words.
    pub(crate) fn refusal_names(&self, host: &str) -> bool {
        let Ok(conversation) = self.conversation() else { return false };
        let refusal = conversation.access.iter().find(|a| a.as_ssh_would).and_then(Access::refusal);
        refusal.is_some_and(|answer| refusal_words(answer).contains(host))
    }
}
