//! Questions that several checks ask of the evidence: what the facts add up to.
//!
//! Nothing here touches the world; each answer follows from facts that are gathered already, or gathers them.

use std::path::{Path, PathBuf};

use crate::bitbucket::{Kind, Service};
use crate::evidence::control::{Control, Unusable};
use crate::evidence::conversation::{Access, Conversation, LoginProblem};
use crate::evidence::git_config::remotes::Allowed;
use crate::evidence::git_url::SshForm;
use crate::evidence::identities::{CanSign, Signer, WhyNot};
use crate::evidence::kexinit::{self, Class, Disagreement, KexInit};
use crate::evidence::key_file;
use crate::evidence::keys::Key;
use crate::evidence::known_hosts::{Judgement, judge, lookup};
use crate::evidence::public_key::PublicKey;
use crate::evidence::settings::Authority;
use crate::evidence::ssh_config::{Position, ProblemKind};
use crate::evidence::transport::{Attempt, ConnectOutcome, ResolveError};
use crate::evidence::{Evidence, files, platform};
use crate::privacy::{Private, Text};
use crate::text;

/// The check to whose field a fault of the configuration belongs.
pub(crate) fn check_of(problem: &ProblemKind) -> &'static str {
    match problem {
        ProblemKind::PermissionsTooOpen(_) | ProblemKind::WrongOwner(_) | ProblemKind::UnreadableInclude => "config-permissions",
        ProblemKind::NoAccount => "account",
        ProblemKind::Refused => "host-settings",
        _ => "config-syntax",
    }
}

/// How much a fault of one key weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Weight {
    /// Another key gets in: this one does not matter.
    None,
    /// No key gets in, and the server refuses this one anyway.
    Refused,
    /// No key gets in, the server would accept this one.
    Decisive,
    /// No key gets in, and nobody knows whether the server would accept this one.
    Perhaps,
    /// Nobody knows whether any key gets in.
    Unknown,
}

impl Weight {
    pub(crate) fn blocks(self) -> bool {
        matches!(self, Weight::Decisive | Weight::Perhaps)
    }

    pub(crate) fn is_certain(self) -> bool {
        self == Weight::Decisive
    }

    pub(crate) fn matters(self) -> bool {
        !matches!(self, Weight::None | Weight::Refused)
    }

    pub(crate) fn refused(self) -> bool {
        self == Weight::Refused
    }

    /// No key gets in, and this one cannot even when it is registered.
    pub(crate) fn blocks_if_registered(self) -> bool {
        self == Weight::Refused
    }
}

/// What forbids git to use ssh.
pub(crate) struct Denial {
    /// The setting or variable.
    pub(crate) setting: &'static str,
    /// The file it stands in.
    pub(crate) file: Option<PathBuf>,
}

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

/// How ssh says that the bytes were changed on the way (`packet.c`).
const GARBLED: &[&str] = &["Bad packet length", "Corrupted MAC", "message authentication code incorrect"];

impl Evidence {
    // The URL.

    /// The remote that is examined.
    pub(crate) fn remote_name(&self) -> Option<String> {
        self.target().ok()?.remote.clone()
    }

    /// The URL with other parts: `None` leaves a part as it is.
    fn url_with(&self, user: Option<&str>, host: Option<&str>, port: Option<Option<u16>>) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        let ssh = target.ssh()?;
        let user = user.map(String::from).or_else(|| ssh.user.clone()).map(|u| format!("{u}@")).unwrap_or_default();
        let host = host.unwrap_or(&ssh.host);
        let port = port.unwrap_or(ssh.port);
        let path = ssh.path.trim_start_matches('/');
        Some(match (port, ssh.form) {
            (None, SshForm::Scp | SshForm::ScpBrackets) => format!("{user}{host}:{path}"),
            (None, SshForm::Url) => format!("ssh://{user}{host}/{path}"),
            (Some(port), _) => format!("ssh://{user}{host}:{port}/{path}"),
        })
    }

    /// The URL at another host, at the current one if none is named.
    pub(crate) fn url_with_host(&self, host: Option<&str>) -> Option<String> {
        let current = self.current_host();
        self.url_with(None, Some(host.unwrap_or(&current)), None)
    }

    /// The URL with another user.
    pub(crate) fn url_with_user(&self, user: &str) -> Option<String> {
        self.url_with(Some(user), None, None)
    }

    /// The URL without a port, if it has one.
    pub(crate) fn url_without_port(&self) -> Option<String> {
        self.target().ok()?.ssh()?.port?;
        self.url_with(None, None, Some(None))
    }

    /// The URL's beginning, up to the repository's path.
    pub(crate) fn url_prefix(&self) -> Option<String> {
        let target = self.target().ok()?;
        let (url, path) = (target.effective_url.as_deref()?, &target.ssh()?.path);
        url.strip_suffix(path.trim_start_matches('/')).map(String::from)
    }

    /// The URL with the path as the service writes paths, if it differs: lower case, nothing around it.
    pub(crate) fn url_with_tidy_path(&self) -> Option<String> {
        let target = self.target().ok()?;
        let (url, path) = (target.effective_url.as_deref()?, &target.ssh()?.path);
        let tidy = path.trim().trim_end_matches('/').to_ascii_lowercase();
        (self.is_cloud() && tidy != *path).then(|| url.replacen(path, &tidy, 1))
    }

    /// What forbids git to use ssh.
    pub(crate) fn protocol_denial(&self) -> Option<Denial> {
        let config = self.git_config();
        match config.allowed(self.environment(), "ssh") {
            Allowed::Yes => None,
            Allowed::NotListed => Some(Denial { setting: "GIT_ALLOW_PROTOCOL", file: None }),
            Allowed::Never(setting) | Allowed::NotFromUser(setting) => {
                let own = config.get("protocol.ssh.allow").is_some();
                Some(Denial { setting: if own { "protocol.ssh.allow" } else { "protocol.allow" }, file: setting.origin.file })
            }
            #[allow(unreachable_patterns, reason = "git dies of other values before it comes to the protocol")]
            _ => None,
        }
    }

    // The host.

    /// The host as the URL names it.
    pub(crate) fn typed_host(&self) -> Option<String> {
        Some(self.target().ok()?.ssh()?.host.clone())
    }

    /// The service that is contacted, by the host ssh connects to.
    pub(crate) fn service(&self) -> Option<&Service> {
        self.services().get(&self.hostname().ok()?)
    }

    /// Whether it is Bitbucket Cloud.
    pub(crate) fn is_cloud(&self) -> bool {
        self.service().is_some_and(|s| s.kind == Kind::Cloud)
    }

    /// The user ssh logs in as.
    pub(crate) fn user(&self) -> String {
        self.settings().map(|s| s.user().to_string()).unwrap_or_default()
    }

    /// The name that new URLs should have.
    pub(crate) fn current_host(&self) -> String {
        self.services().current().map(|s| s.name.clone()).unwrap_or_default()
    }

    // The configuration.

    /// The user's own configuration file, if it has a place.
    pub(crate) fn user_config_file(&self) -> Option<PathBuf> {
        self.given_config_file().or_else(|| self.account().ssh_home().map(|home| home.join(".ssh/config")))
    }

    /// The text of a line.
    pub(crate) fn line(&self, position: &Position) -> Option<String> {
        let bytes = files::read(&position.file).ok()?;
        let line = bytes.split(|b| *b == b'\n').nth(position.line.checked_sub(1)?)?;
        Some(String::from_utf8_lossy(line).trim_end_matches('\r').to_string())
    }

    /// What ssh says against its configuration while our own reading finds nothing.
    pub(crate) fn ssh_refuses_configuration(&self) -> Option<String> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        asked.refusal.clone().filter(|_| own.problems.is_empty())
    }

    /// The line that sets `keyword` (lower case).
    pub(crate) fn setting_position(&self, keyword: &str) -> Option<Position> {
        self.settings().ok()?.position(keyword).cloned()
    }

    /// Whether the user sets `keyword`.
    pub(crate) fn setting_is_set(&self, keyword: &str) -> bool {
        self.settings().is_ok_and(|s| s.is_set(keyword))
    }

    /// Whether the user's file has lines that apply to every host before its first block, or none at all.
    pub(crate) fn config_begins_outside_blocks(&self) -> bool {
        let Some(bytes) = self.user_config_file().and_then(|f| files::read(&f).ok()) else { return false };
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().map(str::trim).find(|l| !l.is_empty() && !l.starts_with('#'));
        first.is_some_and(|l| {
            let keyword = l.split(|c: char| c.is_whitespace() || c == '=').next().unwrap_or_default().to_ascii_lowercase();
            keyword != "host" && keyword != "match"
        })
    }

    /// A path of ssh_config with `~` and tokens expanded; as it is where they cannot be.
    pub(crate) fn expand_path(&self, written: &str) -> PathBuf {
        let expanded = self
            .reading()
            .ok()
            .zip(self.question().ok())
            .and_then(|(own, question)| crate::evidence::ssh_config::expand_tokens(written, &own.tokens(&question)).ok());
        PathBuf::from(expanded.unwrap_or_else(|| written.to_string()))
    }

    /// A path as it should stand in ssh_config.
    pub(crate) fn path_for_config(&self, path: &Path) -> Text {
        let home = self.account().ssh_home();
        let inside = home.as_ref().and_then(|h| path.strip_prefix(h).ok());
        let shown = match inside {
            Some(rest) => format!("~/{}", rest.display()),
            None => path.display().to_string(),
        };
        let shown = shown.replace('%', "%%");
        if shown.contains(char::is_whitespace) { text!("\"{}\"", Private::quoted(shown)) } else { Private::quoted(shown).into() }
    }

    /// A `Match exec` whose command does not return.
    pub(crate) fn hanging_match_exec(&self) -> Option<(Position, String)> {
        let (own, asked) = (self.reading().ok()?, self.asked().ok()?);
        let first = own.undecided.first().filter(|_| asked.hangs)?;
        Some((first.position.clone(), first.command.clone()))
    }

    /// The names of Host blocks that look like `name`.
    pub(crate) fn similar_alias(&self, name: &str) -> Option<String> {
        let own = self.reading().ok()?;
        let plain = own.host_patterns.iter().filter(|p| !p.negated && !p.pattern.contains(['*', '?']));
        plain
            .map(|p| (strsim::damerau_levenshtein(&p.pattern, name), &p.pattern))
            .filter(|(d, _)| (1..=3).contains(d))
            .min()
            .map(|(_, p)| p.clone())
    }

    // A person.

    /// Whether ssh's BatchMode keeps it from asking anything.
    fn batch_mode(&self) -> bool {
        self.settings().is_ok_and(|s| s.is_on("batchmode"))
    }

    /// Whether somebody could type a passphrase.
    pub(crate) fn person_can_type_passphrase(&self) -> bool {
        !self.batch_mode() && (platform::terminal() || platform::askpass(self.environment()))
    }

    /// Whether ssh would ask about an unknown host key, and somebody could answer.
    pub(crate) fn person_can_confirm_host_key(&self) -> bool {
        let asks = self.settings().is_ok_and(|s| !s.is("stricthostkeychecking", &["yes", "true"]));
        asks && self.person_can_type_passphrase()
    }

    /// Whether ssh takes unknown host keys without asking.
    pub(crate) fn accepts_new_host_keys(&self) -> bool {
        self.settings().is_ok_and(|s| s.is("stricthostkeychecking", &["no", "off", "false", "accept-new"]))
    }

    /// Whether ssh goes on when a host key has changed.
    pub(crate) fn tolerates_changed_host_key(&self) -> bool {
        self.settings().is_ok_and(|s| s.is("stricthostkeychecking", &["no", "off", "false"]))
    }

    /// Whether the user chooses the types of host keys.
    pub(crate) fn host_key_algorithms_are_set(&self) -> bool {
        self.setting_is_set("hostkeyalgorithms")
    }

    /// RevokedHostKeys names a file that cannot be read.
    pub(crate) fn unusable_revoked_host_keys(&self) -> Option<(PathBuf, String)> {
        let settings = self.settings().ok()?;
        let path = settings.value("revokedhostkeys").filter(|p| !p.eq_ignore_ascii_case("none"))?;
        let path = self.expand_path(path);
        let error = files::read(&path).err()?;
        Some((path, error.to_string()))
    }

    // The road.

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

    /// BindAddress or BindInterface cannot be used.
    pub(crate) fn cannot_bind(&self) -> bool {
        self.conversation()
            .is_ok_and(|t| t.road.as_ref().is_some_and(|r| r.attempts().iter().any(|a| a.outcome == ConnectOutcome::CannotBind)))
    }

    /// The name has addresses, but none of the family that AddressFamily asks for.
    pub(crate) fn resolves_only_in_other_family(&self) -> bool {
        matches!(self.resolution(), Ok(Err(ResolveError::NoAddressOfFamily { .. })))
    }

    // Keys.

    /// What the server said to a key, by our own question or, failing that, by what ssh reported of git's run.
    pub(crate) fn answer(&self, talk: &Conversation, key: &PublicKey) -> Option<bool> {
        talk.answer(&key.blob)
    }

    /// Whether a key that ssh would use is known to log in.
    pub(crate) fn login_is_known_to_succeed(&self) -> bool {
        self.conversation().is_ok_and(|t| t.open_door || t.logins.iter().any(|l| l.as_ssh_would && l.result.is_ok()))
    }

    /// Whether the server was asked and no key that ssh would use logs in.
    pub(crate) fn login_fails(&self) -> bool {
        self.trusted_conversation().is_ok() && !self.login_is_known_to_succeed()
    }

    /// What a fault of this key weighs.
    pub(crate) fn weight(&self, identity: &Key) -> Weight {
        let Ok(talk) = self.trusted_conversation() else {
            return if identity.identity.order.is_some() { Weight::Unknown } else { Weight::None };
        };
        if self.login_is_known_to_succeed() {
            return Weight::None;
        }
        let answer = |key: Option<&PublicKey>| key.and_then(|p| self.answer(talk, p));
        match (answer(identity.public()), answer(identity.true_public())) {
            (Some(true), _) | (_, Some(true)) => Weight::Decisive,
            (Some(false), _) => Weight::Refused,
            (None, _) if identity.identity.order.is_some() => Weight::Perhaps,
            (None, _) => Weight::None,
        }
    }

    /// Whether no key gets in although the server accepts this one, which ssh does not offer.
    pub(crate) fn is_the_missing_key(&self, identity: &Key) -> bool {
        !identity.offered() && self.login_fails() && self.weight(identity) == Weight::Decisive
    }

    /// The key that the server accepts and that IdentitiesOnly alone keeps back.
    pub(crate) fn missing_key_kept_back_by_identities_only(&self) -> Option<&Key> {
        let identities = self.identities().ok()?;
        identities.others().find(|i| i.kept_back_by_identities_only() && self.is_the_missing_key(i))
    }

    /// The key that the server accepts and that PubkeyAcceptedAlgorithms alone keeps back.
    pub(crate) fn missing_key_of_excluded_algorithm(&self) -> Option<&Key> {
        let keys = self.identities().ok()?;
        keys.others().find(|k| k.identity.why_not == Some(WhyNot::AlgorithmNotAccepted) && self.is_the_missing_key(k))
    }

    /// Whether ssh has no key to show.
    pub(crate) fn offers_nothing(&self) -> bool {
        self.identities().is_ok_and(|keys| keys.offered().next().is_none())
    }

    /// Keys that only the agent of SSH_AUTH_SOCK holds while IdentityAgent names another, or none.
    pub(crate) fn keys_only_in_usual_agent(&self) -> Vec<&Key> {
        self.identities().map(|all| all.others().filter(|i| i.in_usual_agent_only).collect()).unwrap_or_default()
    }

    /// Whether so many agent keys come before a named key that servers hang up first.
    pub(crate) fn agent_would_crowd_out(&self, identity: &Key) -> bool {
        let Ok(identities) = self.identities() else { return false };
        let in_agent = matches!(identity.identity.can_sign, CanSign::Yes(Signer::Agent));
        !in_agent && identities.offered().filter(|i| i.from_agent()).count() >= 5
    }

    /// Whether ssh offers the agent's keys although nothing names them.
    pub(crate) fn offers_agent_keys_unasked(&self) -> bool {
        self.identities().is_ok_and(|all| all.offered().filter(|i| i.from_agent()).count() > 6)
    }

    /// The key that would log in if an agent held its private half unlocked.
    pub(crate) fn key_that_needs_an_agent(&self) -> Option<&Key> {
        let identities = self.identities().ok()?;
        if self.login_is_known_to_succeed() || self.person_can_type_passphrase() {
            return None;
        }
        identities
            .offered()
            .find(|i| matches!(i.identity.can_sign, CanSign::NeedsPassphrase | CanSign::NoPrivateHalf) && self.weight(i).blocks())
    }

    // The repository.

    /// The path that git asks for, if a repository was named.
    pub(crate) fn repository_path(&self) -> Option<String> {
        let target = self.target().ok()?;
        target.repository.as_ref()?;
        target.ssh().map(|s| s.path.clone())
    }

    /// What git does, for a sentence.
    pub(crate) fn verb(&self) -> &'static str {
        if self.pushes() { "write to" } else { "read" }
    }

    // git.

    /// Whether git works, if it was asked.
    pub(crate) fn git_works(&self) -> Option<bool> {
        let run = self.git_run().ok()?;
        (!run.timed_out).then_some(run.works)
    }

    /// Whether git had not ended when its time was spent.
    pub(crate) fn git_hangs(&self) -> bool {
        self.git_run().is_ok_and(|run| run.timed_out)
    }

    /// Whether something writes into git's conversation.
    pub(crate) fn git_protocol_is_spoilt(&self) -> bool {
        self.git_run().is_ok_and(|run| run.protocol_noise.is_some())
    }

    /// Whether ssh says that it shares no signature algorithm with the server.
    pub(crate) fn signature_algorithm_is_missing(&self) -> bool {
        let said = |run: &crate::evidence::git_run::GitRun| {
            run.said.iter().chain(&run.transcript.last).any(|l| l.contains("no mutual signature"))
        };
        self.git_run().is_ok_and(|run| !run.works && said(run))
    }

    /// What ssh says of a stream that was changed on the way, where our own login broke off too.
    pub(crate) fn garbled_stream(&self, talk: &Conversation) -> Option<String> {
        let broke = talk.logins.iter().any(|l| matches!(l.result, Err(LoginProblem::Failed(_))));
        let said = &self.git_run().ok().filter(|run| broke && !run.works)?.said;
        let garbled = |line: &&String| GARBLED.iter().any(|words| line.contains(words));
        said.iter().find(garbled).map(|line| line.trim_end_matches('.').to_string())
    }

    /// Whether ssh could not set up a forwarding.
    pub(crate) fn forwarding_failed(&self) -> bool {
        self.git_run().is_ok_and(|run| !run.works && run.said.iter().any(|line| line.contains("forwarding")))
    }

    /// Whether our own probe saw a failure.
    pub(crate) fn probe_expected_failure(&self) -> bool {
        self.name_fails()
            || self.road_fails()
            || self.handshake_fails()
            || self.login_fails()
            || self.conversation().is_ok_and(|t| t.access.iter().any(|a| a.as_ssh_would && !Access::granted(a)))
    }

    /// The ControlPath ssh stops on, and why.
    pub(crate) fn unusable_control_path(&self) -> Option<(PathBuf, Unusable)> {
        match self.control() {
            Control::Unusable(path, why) => Some((path.clone(), *why)),
            Control::Nobody | Control::Master(_) => None,
        }
    }

    /// The socket of a master whose connection ssh will use.
    pub(crate) fn live_control_master(&self) -> Option<PathBuf> {
        match self.control() {
            Control::Master(path) => Some(path.clone()),
            Control::Nobody | Control::Unusable(..) => None,
        }
    }

    // Host keys.

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
        match self.known_hosts() {
            Ok(known) if complete && !fixed => Some(crate::evidence::known_hosts::preferred_algorithms(&known.entries, &list)),
            _ => complete.then_some(list),
        }
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

    /// The line of the hosts file that names a host, counted from 1.
    pub(crate) fn hosts_file_line(&self, name: &str) -> Option<usize> {
        let bytes = files::read(Path::new("/etc/hosts")).ok()?;
        let text = String::from_utf8_lossy(&bytes);
        let names = |line: &str| {
            line.split('#').next().unwrap_or_default().split_whitespace().skip(1).any(|n| n.eq_ignore_ascii_case(name))
        };
        text.lines().position(names).map(|n| n + 1)
    }

    /// Whether a file belongs to the user.
    pub(crate) fn is_mine(&self, file: &Path) -> bool {
        files::access(file).is_ok_and(|a| a.uid == self.account().uid)
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
        for name in ["id_ed25519", "id_ecdsa", "id_rsa"] {
            if files::access(&folder.join(name)).is_ok() {
                words.extend(["-i".into(), folder.join(name).display().to_string()]);
            }
        }
        words.extend(["-o".into(), format!("UserKnownHostsFile={}", folder.join("known_hosts").display())]);
        Private::path(shlex::try_join(words.iter().map(String::as_str)).unwrap_or_default()).into()
    }

    /// Days in ISO 8601, for a second since 1970.
    pub(crate) fn day(&self, unix: u64) -> String {
        let time = i64::try_from(unix).ok().and_then(|s| jiff::Timestamp::from_second(s).ok());
        time.map_or_else(|| "for ever".into(), |t| t.strftime("%Y-%m-%d").to_string())
    }
}
