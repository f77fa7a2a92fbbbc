//! Whether ssh trusts the server and could agree with it on algorithms.

use crate::evidence::conversation::{Access, refusal_words};
use crate::evidence::handshake::Established;
use crate::evidence::kexinit::{Class, Disagreement, KexInit};
use crate::evidence::known_hosts::{Judgement, judge, lookup, preferred_algorithms};
use crate::evidence::settings::Authority;
use crate::evidence::ssh_config::Position;
use crate::evidence::ssh_config::{FileRole, SettingSource};
use crate::evidence::transport::Attempt;
use crate::evidence::{Evidence, files};
use crate::evidence::{kexinit, key_file};
use crate::privacy::{Private, Text};
use crate::text;
use std::path::Path;

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

impl Evidence {
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

    /// The types of host key that ssh would ask for, in its order, as far as they are known.
    pub(crate) fn host_key_preferences(&self) -> Option<Vec<String>> {
        let settings = self.settings().ok()?;
        let value = settings.value("hostkeyalgorithms").map_or_else(|| HOST_KEY_ALGORITHMS.join(","), String::from);
        let list: Vec<String> = value.split(',').map(String::from).collect();
        let complete = settings.authority == Authority::Ssh || !list.first().is_some_and(|l| l.starts_with(['+', '-', '^']));
        let fixed = settings.is_set("hostkeyalgorithms") && !self.host_key_list_is_edited();
        let wanted = match self.known_hosts() {
            Ok(known) if complete && !fixed => preferred_algorithms(&known.entries, &list),
            _ if complete => list,
            _ => return None,
        };
        // With types that our engine has not, it could not even hear what the server offers.
        wanted.iter().any(|name| HOST_KEY_ALGORITHMS.contains(&name.as_str())).then_some(wanted)
    }

    /// Whether HostKeyAlgorithms edits the default list instead of replacing it.
    fn host_key_list_is_edited(&self) -> bool {
        let own = self.reading().ok().and_then(|r| r.value("hostkeyalgorithms").map(String::from));
        own.is_some_and(|v| v.starts_with(['+', '-']))
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
        let talk = self.conversation().ok()?;
        match talk.handshake.as_ref()? {
            Ok(peer) => peer.greeting.server_kexinit.as_ref(),
            Err(failure) => failure.server_kexinit.as_ref(),
        }
    }

    /// The attempts of the first connection.
    pub(crate) fn connection_attempts(&self) -> Option<&[Attempt]> {
        self.conversation().ok().map(|t| t.attempts.as_slice())
    }

    /// Whether the service, refusing the repository, names `host` in its words.
    pub(crate) fn refusal_names(&self, host: &str) -> bool {
        let Ok(talk) = self.conversation() else { return false };
        let refusal = talk.access.iter().find(|a| a.as_ssh_would).and_then(Access::refusal);
        refusal.is_some_and(|answer| refusal_words(answer).contains(host))
    }

    /// The line of the hosts file that names a host, counted from 1.
    pub(crate) fn hosts_file_line(&self, name: &str) -> Option<usize> {
        let bytes = files::read(Path::new("/etc/hosts")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let names = |line: &str| {
            line.split('#').next().unwrap_or_default().split_whitespace().skip(1).any(|n| n.eq_ignore_ascii_case(name))
        };
        text.lines().position(names).map(|n| n + 1)
    }

    /// Whether a folder is the user's own and closed to the user.
    pub(crate) fn is_shut_to_me(&self, folder: &Path) -> bool {
        files::is_folder(folder) && files::access(folder).is_ok_and(|a| a.uid == self.account().uid && a.mode & 0o500 != 0o500)
    }

    /// Whether it is a folder.
    pub(crate) fn is_folder(&self, path: &Path) -> bool {
        files::is_folder(path)
    }

    /// Whether nothing has this name, not even a link that leads nowhere.
    pub(crate) fn is_free(&self, path: &Path) -> bool {
        !files::exists(path)
    }

    /// Whether a file belongs to the user.
    pub(crate) fn is_mine(&self, file: &Path) -> bool {
        files::access(file).is_ok_and(|a| a.uid == self.account().uid)
    }

    /// Whether the user may put another file in the place of this one, as ssh-keygen does.
    pub(crate) fn can_replace(&self, file: &Path) -> bool {
        file.parent().is_some_and(files::is_writable)
    }

    /// Whether a file begins as a program or a script does.
    pub(crate) fn is_program(&self, file: &Path) -> bool {
        let starts: [&[u8]; 6] = [b"#!", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"\xfe\xed\xfa\xcf", b"MZ"];
        files::read(file).is_ok_and(|bytes| starts.iter().any(|start| bytes.starts_with(start)))
    }

    /// Whether a file looks like a private key.
    pub(crate) fn is_private_key(&self, file: &Path) -> bool {
        let loader = key_file::Loader { uid: self.account().uid, openssh: None };
        key_file::inspect(file, &loader).held.is_some()
    }

    /// The blanks before a line's first word.
    pub(crate) fn indent(&self, position: &Position) -> String {
        self.line(position).unwrap_or_default().chars().take_while(|c| c.is_whitespace()).collect()
    }

    /// What ssh would need and finds only in another home folder, for a sentence.
    pub(crate) fn needed_in_other_home(&self, home: &Path) -> Option<Text> {
        let folder = home.join(".ssh");
        let key = self
            .identities()
            .ok()?
            .others()
            .find(|i| i.file.as_ref().is_some_and(|f| f.path.starts_with(&folder)) && self.is_the_missing_key(i));
        if let Some(key) = key {
            return Some(text!("The key that the server accepts, {},", key.name_text()));
        }
        let (settings, peer) = (self.settings().ok()?, self.peer().ok()?);
        let entries = lookup(&[folder.join("known_hosts")], settings.hostname(), settings.port());
        let known = matches!(judge(&entries, &peer.host_key.blob), Judgement::Trusted(_));
        (known && self.host_key_stops_ssh()).then(|| "The known_hosts file that knows the server".into())
    }

    /// A command for git that makes ssh read the files of another home folder.
    pub(crate) fn ssh_command_for_home(&self, home: &Path) -> Text {
        let folder = home.join(".ssh");
        let mut words = vec!["ssh".to_string()];
        if files::access(&folder.join("config")).is_ok() {
            words.extend(["-F".into(), folder.join("config").display().to_string()]);
        }
        // Named one by one, for `~` in a configuration file remains the home of the account.
        let usual = ["id_ed25519", "id_ecdsa", "id_rsa"].map(|name| folder.join(name));
        let accepted = self.missing_key().and_then(|key| key.identity.source.path()).map(Path::to_path_buf);
        let accepted = accepted.filter(|path| path.starts_with(&folder) && !usual.contains(path));
        for path in accepted.into_iter().chain(usual).filter(|path| files::access(path).is_ok()) {
            words.extend(["-i".into(), path.display().to_string()]);
        }
        words.extend(["-o".into(), format!("UserKnownHostsFile=\"{}\"", folder.join("known_hosts").display())]);
        Private::path(shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()).into()
    }

    /// Days in ISO 8601, for a second since 1970.
    pub(crate) fn day(&self, unix: u64) -> Text {
        let time = i64::try_from(unix).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
        time.map_or_else(|| "for ever".into(), |t| Text::date(t.strftime("%Y-%m-%d").to_string()))
    }
}
