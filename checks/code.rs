//! The registry of codes: every cause and every remark that bbdoctor can utter, by its stable name.
//!
//! A new code is a line here, a section of its check's page and a case that produces it. Names never change their meaning.

use serde::Serialize;

use crate::check_id::CheckId;

/// Who can fix it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// Files, settings and programs of this machine.
    ThisMachine,
    /// The way between this machine and the service.
    Network,
    /// The service.
    Server,
    /// The user's account, keys and rights on the service.
    Account,
}

impl Side {
    /// The name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Side::ThisMachine => "this-machine",
            Side::Network => "network",
            Side::Server => "server",
            Side::Account => "account",
        }
    }
}

macro_rules! codes {
    ($($check:ident $variant:ident $name:literal $side:ident $says:literal)*) => {
        /// A finding's name.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {$(
            #[doc = $says]
            $variant,
        )*}

        impl Code {
            /// Every code, in the order of the clone.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The name in reports.
            pub fn name(self) -> &'static str {
                match self {$(Code::$variant => $name),*}
            }

            /// The check that finds it, and whose page has its section.
            pub fn check(self) -> CheckId {
                match self {$(Code::$variant => CheckId::$check),*}
            }

            /// What it means, in one sentence.
            pub fn says(self) -> &'static str {
                match self {$(Code::$variant => $says),*}
            }

            /// Whose side the fault is usually on.
            pub fn side(self) -> Side {
                match self {$(Code::$variant => Side::$side),*}
            }
        }
    };
}

codes! {
    RemoteUrl UrlMalformed "url-malformed" ThisMachine "The remote URL cannot be an SSH URL git understands (slash for colon, ssh:// with a colon path, port in scp form, pasted blanks)."
    RemoteUrl UrlNotSsh "url-not-ssh" ThisMachine "The remote uses HTTPS, so no SSH key is used; the same repository's SSH URL is examined instead."
    RemoteUrl UrlRewritten "url-rewritten" ThisMachine "git's url.*.insteadOf turns the URL into another one; names the file and line of the rule."
    RemoteUrl UrlNotBitbucket "url-not-bitbucket" ThisMachine "The host git will contact is not one that bbdoctor knows as Bitbucket; similar names are shown."
    RemoteUrl HostRetired "host-retired" Server "The host name has been retired for SSH (bitbucket.org to ssh.bitbucket.org); error when the new name answers and the old does not, warning while both do."
    RemoteUrl UserNotGit "user-not-git" ThisMachine "The SSH user is not git: taken from the URL, the configuration or the login name."
    RemoteUrl NoRemote "no-remote" ThisMachine "No target was given and the current repository has no remote."
    RemoteUrl GitConfigBroken "git-config-broken" ThisMachine "git cannot read its own configuration; file, line and git's message are shown."
    RemoteUrl GitProtocolDenied "git-protocol-denied" ThisMachine "protocol.allow or protocol.ssh.allow forbids ssh."
    RemoteUrl GitRefusesRepository "git-refuses-repository" ThisMachine "git does not use the current repository: it belongs to another user (safe.directory), is bare (safe.bareRepository), or a .git file or GIT_DIR leads nowhere."
    Tools GitNotFound "git-not-found" ThisMachine "No git on PATH; git's own part cannot be examined."
    Tools SshNotFound "ssh-not-found" ThisMachine "git has no ssh client to run."
    Tools SshCommandNotRunnable "ssh-command-not-runnable" ThisMachine "GIT_SSH_COMMAND, core.sshCommand or GIT_SSH names a program that is missing or not executable, or has words that ssh misreads."
    Tools SshBroken "ssh-broken" ThisMachine "The ssh client exists but does not start (library mismatch, loader error)."
    Tools SshOutdated "ssh-outdated" ThisMachine "The ssh client is too old for what the server needs (before 7.2: no rsa-sha2)."
    Tools SshNotOpenssh "ssh-not-openssh" ThisMachine "git runs plink, TortoisePlink or another client; its own keys, agent and host key cache apply."
    Tools SshCommandAddsOptions "ssh-command-adds-options" ThisMachine "The ssh command carries options (-i, -F, -o) that change what is used; they are honoured in every later check."
    Tools SshVariantWrong "ssh-variant-wrong" ThisMachine "ssh.variant or GIT_SSH_VARIANT makes git speak another client's options."
    Account NoPasswdEntry "no-passwd-entry" ThisMachine "The user id has no account entry; ssh refuses to start."
    Account HomeMismatch "home-mismatch" ThisMachine "ssh reads the account's home directory, $HOME names another."
    Account RunningAsOtherUser "running-as-other-user" ThisMachine "Run through sudo: another user's keys, agent and known_hosts apply."
    ConfigSyntax ConfigUnknownOption "config-unknown-option" ThisMachine "A keyword this ssh does not know (misspelt, Apple's UseKeychain elsewhere, newer than this ssh); similar keywords are shown."
    ConfigSyntax ConfigMissingArgument "config-missing-argument" ThisMachine "A keyword without its value."
    ConfigSyntax ConfigBadValue "config-bad-value" ThisMachine "A value that the keyword does not accept."
    ConfigSyntax ConfigExtraArgument "config-extra-argument" ThisMachine "Words after the value."
    ConfigSyntax ConfigUnbalancedQuote "config-unbalanced-quote" ThisMachine "A quote that is never closed."
    ConfigSyntax ConfigEncoding "config-encoding" ThisMachine "Byte order mark, non-breaking space, UTF-16 or another invisible character."
    ConfigSyntax ConfigOptionsBeforeHost "config-options-before-host" ThisMachine "Host-specific options before any Host line apply to every host."
    ConfigSyntax ConfigSettingShadowed "config-setting-shadowed" ThisMachine "A setting that never takes effect because an earlier match wins; both lines are named."
    ConfigSyntax ConfigHostPatternTypo "config-host-pattern-typo" ThisMachine "A Host pattern that matches no known host and is a near miss of a Bitbucket name."
    ConfigSyntax ConfigIncludeMissing "config-include-missing" ThisMachine "An Include that matches no file."
    ConfigSyntax ConfigOptionDeprecated "config-option-deprecated" ThisMachine "A keyword that this ssh ignores."
    ConfigSyntax ConfigFileMissing "config-file-missing" ThisMachine "The file given with -F does not exist or cannot be read."
    ConfigSyntax ConfigIncludeLoop "config-include-loop" ThisMachine "A file includes itself, or Includes are nested too deep."
    ConfigPermissions ConfigPermissionsTooOpen "config-permissions-too-open" ThisMachine "ssh refuses a configuration file that others can write."
    ConfigPermissions ConfigWrongOwner "config-wrong-owner" ThisMachine "ssh refuses a configuration file owned by another user."
    ConfigPermissions ConfigUnreadable "config-unreadable" ThisMachine "A configuration file that ssh silently skips because it cannot be read."
    HostSettings HostnameOverridden "hostname-overridden" ThisMachine "HostName sends this host somewhere that is not Bitbucket."
    HostSettings PortOverridden "port-overridden" ThisMachine "Port is not the service's port."
    HostSettings PublickeyDisabled "publickey-disabled" ThisMachine "PubkeyAuthentication no, or PreferredAuthentications without publickey."
    HostSettings AlgorithmsRestricted "algorithms-restricted" ThisMachine "KexAlgorithms, Ciphers, MACs, HostKeyAlgorithms or PubkeyAcceptedAlgorithms exclude what is needed."
    HostSettings IdentityFileMissing "identity-file-missing" ThisMachine "An IdentityFile that does not exist, with the nearest existing name."
    HostSettings IdentitiesOnlyExcludesKey "identities-only-excludes-key" ThisMachine "IdentitiesOnly yes keeps ssh from offering the one key the server accepts."
    HostSettings IdentityAgentOverrides "identity-agent-overrides" ThisMachine "IdentityAgent points to another agent than SSH_AUTH_SOCK."
    HostSettings AgentDisabled "agent-disabled" ThisMachine "IdentityAgent none."
    HostSettings MatchExecBlocksKey "match-exec-blocks-key" ThisMachine "The block that names the key is not active because its Match condition is false."
    HostSettings HostKeyCheckingDisabled "host-key-checking-disabled" ThisMachine "StrictHostKeyChecking no, often with known hosts sent to /dev/null: anyone may pose as the server."
    HostSettings KnownHostsFileOverridden "known-hosts-file-overridden" ThisMachine "UserKnownHostsFile names another file."
    HostSettings ControlPathUnusable "control-path-unusable" ThisMachine "ControlPath is too long, its folder is missing, or its master hangs."
    HostSettings SessionOptionBreaksGit "session-option-breaks-git" ThisMachine "RemoteCommand, LocalCommand, RequestTTY, SessionType, StdinNull, ForkAfterAuthentication or ExitOnForwardFailure, or an option like -N or -tt: fine for a shell, fatal for git."
    HostSettings NetworkOptionUnusable "network-option-unusable" ThisMachine "BindAddress, BindInterface, AddressFamily or CanonicalizeHostname leave no way to connect."
    HostSettings MatchExecHangs "match-exec-hangs" ThisMachine "A Match exec command does not return."
    HostSettings ControlMasterOtherAccount "control-master-other-account" ThisMachine "A running master connection is logged in with another key than would be offered now."
    KeyFiles NoKey "no-key" ThisMachine "There is no private key that ssh would use, in files or in an agent."
    KeyFiles KeyPermissionsTooOpen "key-permissions-too-open" ThisMachine "ssh ignores a private key that others can read."
    KeyFiles KeyUnreadable "key-unreadable" ThisMachine "A private key that this user cannot read, or that is not a file."
    KeyFiles KeyCorrupt "key-corrupt" ThisMachine "Not a private key ssh can load: truncated, line breaks lost, CRLF, byte order mark, no final newline, base64 of the file, empty."
    KeyFiles KeyIsPuttyFormat "key-is-putty-format" ThisMachine "A PuTTY .ppk file; OpenSSH cannot read it."
    KeyFiles KeyIsPublicHalf "key-is-public-half" ThisMachine "IdentityFile names the public half and nobody holds the private one."
    KeyFiles KeyPairMismatch "key-pair-mismatch" ThisMachine "The .pub beside the key belongs to another key; ssh offers the one and signs with the other."
    KeyFiles KeyPassphraseNeeded "key-passphrase-needed" ThisMachine "The key is encrypted, in no agent, and there is no terminal or askpass."
    KeyFiles KeyTypeUnsupported "key-type-unsupported" ThisMachine "DSA, or a type that this ssh or the service does not accept."
    KeyFiles KeyTooSmall "key-too-small" ThisMachine "RSA below the service's minimum."
    KeyFiles KeyWeak "key-weak" ThisMachine "The key is weak, as its public half shows (ROCA, a small exponent)."
    KeyFiles KeyWithoutPassphrase "key-without-passphrase" ThisMachine "The key has no passphrase: whoever copies the file can use it."
    KeyFiles KeyLegacyFormat "key-legacy-format" ThisMachine "PEM format; its passphrase is weakly protected."
    KeyFiles KeyOld "key-old" ThisMachine "Older than two years, by the last change of its file."
    KeyFiles CertificateExpired "certificate-expired" ThisMachine "The user certificate is expired or not yet valid."
    KeyFiles KeyPrivateHalfMissing "key-private-half-missing" ThisMachine "The public half is there and known to the server; the private half is gone."
    AgentHasKey AgentNotRunning "agent-not-running" ThisMachine "SSH_AUTH_SOCK is not set."
    AgentHasKey AgentUnreachable "agent-unreachable" ThisMachine "The socket is dead, missing or not ours."
    AgentHasKey AgentUnresponsive "agent-unresponsive" ThisMachine "The agent accepts the connection and does not answer."
    AgentHasKey AgentEmpty "agent-empty" ThisMachine "The agent holds no key (a locked agent looks the same)."
    AgentHasKey AgentLocked "agent-locked" ThisMachine "The agent is locked."
    AgentHasKey AgentLacksKey "agent-lacks-key" ThisMachine "The agent holds keys, but not the one this host needs."
    AgentHasKey AgentRefusesSigning "agent-refuses-signing" ThisMachine "The agent lists the accepted key but refuses to sign with it."
    AgentHasKey AgentTooManyKeys "agent-too-many-keys" ThisMachine "More keys than servers usually let a client try; works today by luck of order."
    AgentHasKey AgentProtocolError "agent-protocol-error" ThisMachine "What answers on the socket does not speak the agent protocol."
    NameResolution DnsFailure "dns-failure" Network "The host name does not resolve."
    NameResolution DnsSuspicious "dns-suspicious" Network "The name resolves to a loopback or private address, or a hosts file pins it."
    NameResolution AliasUndefined "alias-undefined" ThisMachine "The host in the URL looks like an ssh alias that no Host block on this machine defines; similar names are shown."
    Connection PortRefused "port-refused" Network "The connection is refused."
    Connection PortBlocked "port-blocked" Network "The connection times out: something drops it."
    Connection NetworkUnreachable "network-unreachable" Network "There is no route."
    Connection ConnectDeniedLocally "connect-denied-locally" ThisMachine "This machine's own firewall or sandbox forbids the connection."
    Connection ProxyFailed "proxy-failed" ThisMachine "ProxyCommand or ProxyJump ends or fails before the server is reached; its own words are quoted."
    Connection Ipv6Broken "ipv6-broken" Network "The IPv6 address does not answer and delays every connection."
    Connection AlternatePortOpen "alternate-port-open" Network "altssh.bitbucket.org:443 answers."
    Handshake ClosedBeforeBanner "closed-before-banner" Network "The connection is closed before the server introduces itself."
    Handshake ConnectionReset "connection-reset" Network "The connection is reset before the server introduces itself."
    Handshake BannerTimeout "banner-timeout" Network "The connection is made, but the server sends nothing."
    Handshake NotAnSshServer "not-an-ssh-server" Network "What answers is not SSH: a captive portal, a proxy, TLS; its first line is quoted."
    Handshake ServerBusy "server-busy" Server "The server refuses new connections for now (MaxStartups, too many connections). Transient."
    Handshake NoCommonAlgorithm "no-common-algorithm" ThisMachine "Client and server share no algorithm; both lists are shown."
    Handshake HandshakeTimeout "handshake-timeout" Network "The key exchange stalls: typically a route that drops large packets."
    Handshake ClosedDuringHandshake "closed-during-handshake" Network "The connection ends during key exchange."
    Handshake ProtocolError "protocol-error" Network "The server sends bytes that are not the SSH protocol."
    Handshake UnexpectedServerSoftware "unexpected-server-software" Network "The server does not introduce itself as this service does."
    FingerprintMatchesRemote HostKeyUnpublished "host-key-unpublished" Network "The server's key is not one that Bitbucket publishes: nothing more is sent to it."
    FingerprintMatchesRemote HostKeyUnverifiable "host-key-unverifiable" Server "bbdoctor does not know this host's key (Data Center); the finding says how to verify it."
    KnownHosts HostKeyUnknown "host-key-unknown" ThisMachine "known_hosts has no key for this name."
    KnownHosts HostKeyChanged "host-key-changed" ThisMachine "known_hosts holds another key for this name; says whether the stored one is the one retired in 2023."
    KnownHosts HostKeyRevoked "host-key-revoked" ThisMachine "A @revoked line covers the server's key."
    KnownHosts HostKeyTypeForced "host-key-type-forced" ThisMachine "HostKeyAlgorithms forces a key type that known_hosts lacks while it holds another valid one."
    KnownHosts KnownHostsUnreadable "known-hosts-unreadable" ThisMachine "A known_hosts file cannot be read."
    KnownHosts KnownHostsMalformed "known-hosts-malformed" ThisMachine "A line that ssh skips: wrapped, truncated, wrong columns."
    KnownHosts KnownHostsRetiredEntry "known-hosts-retired-entry" ThisMachine "A key that was retired in 2023 is still trusted."
    KnownHosts PlinkHostKeyUnknown "plink-host-key-unknown" ThisMachine "git runs plink, which keeps its own host keys and has none for this name."
    KnownHosts RevokedKeysFileUnusable "revoked-keys-file-unusable" ThisMachine "RevokedHostKeys names a file that cannot be read: ssh then trusts no host."
    Authentication KeyNotRegistered "key-not-registered" Account "The server knows none of the keys that ssh offers, and no other key found here."
    Authentication KeyNotOffered "key-not-offered" ThisMachine "A key found here is accepted by the server, but ssh would not offer it."
    Authentication WrongKey "wrong-key" Account "A key of another account is accepted first; the right one comes later."
    Authentication TooManyKeys "too-many-keys" ThisMachine "The server disconnects before the right key is tried."
    Authentication SignatureAlgorithmRejected "signature-algorithm-rejected" ThisMachine "Client and server share no signature algorithm for this key."
    Authentication AuthenticationFailed "authentication-failed" Account "Authentication fails and nothing better is known."
    Authentication CertificateRejected "certificate-rejected" Account "The certificate is refused: wrong principal, unknown authority, source address."
    RepositoryAccess RepositoryNotFound "repository-not-found" Account "The key is accepted; the server says the repository does not exist."
    RepositoryAccess RepositoryAccessDenied "repository-access-denied" Account "The key is accepted; this account or access key may not use the repository (or it does not exist: the server does not tell them apart)."
    RepositoryAccess RepositoryReadOnly "repository-read-only" Account "The key may read but not write (access keys are read-only on Bitbucket Cloud)."
    RepositoryAccess AccessKeyOtherRepository "access-key-other-repository" Account "The accepted key is an access key of another repository."
    RepositoryAccess IpNotAllowed "ip-not-allowed" Account "The workspace allows only listed addresses."
    RepositoryAccess TwoStepRequired "two-step-required" Account "The workspace requires two-step verification."
    RepositoryAccess UserLimitExceeded "user-limit-exceeded" Account "The plan's user limit makes the repository read-only."
    RepositoryAccess RepositoryCommandFailed "repository-command-failed" Server "The server refused the git command for a reason it gives in its own words."
    RepositoryAccess ConnectionLostAfterLogin "connection-lost-after-login" Network "The key is accepted, and then the connection ends or the server stops answering."
    GitAgrees GitFailsUnexplained "git-fails-unexplained" ThisMachine "git fails and no check found why; what ssh said is attached."
    GitAgrees GitWorksAnyway "git-works-anyway" ThisMachine "A check expected failure, yet git works; the verdict follows git."
    GitAgrees TransportNoise "transport-noise" ThisMachine "Something writes into the data between git and the server (a wrapper, LocalCommand, a server greeting); the bytes are quoted."
}

impl Code {
    /// Every code that `check` can find, in the order of its page.
    pub fn of(check: CheckId) -> impl Iterator<Item = Code> {
        Code::ALL.iter().copied().filter(move |code| code.check() == check)
    }
}

impl std::str::FromStr for Code {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, UnknownCode> {
        Code::ALL.iter().copied().find(|c| c.name() == name).ok_or(UnknownCode)
    }
}

/// No finding has this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no finding has this name")]
pub struct UnknownCode;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_codes_and_they_stand_in_the_order_of_a_clone() {
        assert!(Code::ALL.is_sorted_by_key(|code| code.check()));
        assert!(CheckId::ALL.iter().all(|check| Code::of(*check).next().is_some()));
        assert!(Code::ALL.iter().all(|code| code.name().parse() == Ok(*code)));
    }
}
