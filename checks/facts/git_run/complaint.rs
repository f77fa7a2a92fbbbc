//! What git, ssh or the server may complain of.

use serde::{Deserialize, Serialize};

use crate::facts::bytes;

/// Why a connection could not be opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ConnectFailure {
    /// ECONNREFUSED.
    Refused,
    /// ETIMEDOUT, or ssh's own ConnectTimeout.
    TimedOut,
    /// ENETUNREACH.
    NetworkUnreachable,
    /// EHOSTUNREACH.
    HostUnreachable,
    /// EACCES or EPERM: this machine forbids it.
    Denied,
    /// The local address cannot be used (`BindAddress`).
    AddressNotAvailable,
    /// Anything else, in the system's words.
    Other(String),
}

/// What kept ssh from using a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeyProblem {
    /// `Load key "PATH": WHY`.
    Load {
        /// The file.
        path: String,
        /// `bad permissions`, `Permission denied`, `error in libcrypto`, `invalid format`…
        why: String,
    },
    /// `no such identity: PATH: WHY`.
    Missing {
        /// The file.
        path: String,
    },
    /// `signing failed for TYPE "KEY"…: WHY`.
    Signing {
        /// The key's path or comment.
        key: String,
        /// The agent was to sign.
        agent: bool,
        /// `agent refused operation`, `error in libcrypto`, `device not found`…
        why: String,
    },
    /// The private key does not belong to the public key beside it.
    Mismatch {
        /// The private key's file.
        path: String,
    },
    /// The server accepts the key, and ssh did not sign: it is encrypted and nobody can be asked, or its private part is
    /// missing.
    AcceptedNotUsed {
        /// The key's path or comment.
        key: String,
    },
}

/// What stopped git.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum GitComplaint {
    /// git, or the shell, cannot run the ssh client.
    CannotRun {
        /// The program as it is named.
        program: String,
        /// `No such file or directory`, `Permission denied`, `not found`…
        why: String,
    },
    /// `transport 'NAME' not allowed`.
    TransportNotAllowed(String),
    /// `protocol 'NAME' is not supported`, or no helper of that name.
    ProtocolNotSupported(String),
    /// `ssh variant 'simple' does not support …`.
    VariantLacks(String),
    /// `strange hostname 'X' blocked`, `strange pathname 'X' blocked`.
    Strange(String),
    /// `no path specified`.
    NoPath,
    /// `'NAME' does not appear to be a git repository`, said on this machine: no such remote, or a malformed URL.
    NoSuchRemote(String),
    /// `No configured push destination.`
    NoPushDestination,
    /// `detected dubious ownership in repository at 'PATH'`, said on this machine.
    DubiousOwnership(String),
    /// `bad config line N in file F`.
    GitConfig {
        /// The file as git names it.
        file: String,
        /// The line.
        line: usize,
    },
    /// HTTP: the password or token was refused, or could not be asked for.
    HttpAuthentication(String),
    /// HTTP: `unable to access 'URL': WHY`.
    Http(String),
    /// Something else than the server's answer came first.
    ProtocolNoise(#[serde(with = "bytes")] Vec<u8>),
    /// `Could not resolve hostname NAME: WHY`.
    Resolve {
        /// The name that was looked up.
        name: String,
        /// The resolver's words.
        why: String,
    },
    /// `connect to host H port P: WHY`.
    Connect {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// Why.
        why: ConnectFailure,
    },
    /// Closed or reset before the server said what it is.
    ClosedBeforeBanner {
        /// Reset rather than closed; no reliable difference.
        reset: bool,
        /// What the other side said first, if anything.
        said: Vec<String>,
    },
    /// `Connection timed out during banner exchange`.
    BannerTimeout,
    /// What answers does not speak SSH 2.
    NotSsh {
        /// ssh's words about it.
        why: String,
        /// What the other side said.
        said: Vec<String>,
    },
    /// `no matching X found. Their offer: …`.
    NoMatching {
        /// `host key type`, `key exchange method`, `cipher`, `MAC`…
        what: String,
        /// What the server offers.
        offer: Vec<String>,
    },
    /// The connection broke during the key exchange or later, in ssh's words.
    Protocol(String),
    /// `Host key verification failed.`, and the host is not known.
    HostKeyUnknown,
    /// `REMOTE HOST IDENTIFICATION HAS CHANGED!`
    HostKeyChanged {
        /// `FILE:LINE` of the entry that does not match.
        offending: Option<String>,
        /// The fingerprint that the server showed.
        fingerprint: Option<String>,
    },
    /// `REVOKED HOST KEY DETECTED!`
    HostKeyRevoked,
    /// known_hosts could not be read.
    KnownHostsUnreadable {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// `USER@HOST: Permission denied (METHODS).`
    PermissionDenied {
        /// The login name.
        user: Option<String>,
        /// The host.
        host: String,
        /// The methods that the server would still take.
        methods: Vec<String>,
        /// What kept ssh from using its keys.
        keys: Vec<KeyProblem>,
    },
    /// `Too many authentication failures`.
    TooManyFailures,
    /// ssh's configuration is wrong.
    SshConfig {
        /// The file, if the line names one.
        file: Option<String>,
        /// The line.
        line: Option<usize>,
        /// What ssh says about it.
        text: String,
    },
    /// `Bad owner or permissions on PATH`.
    BadOwnerOrPermissions(String),
    /// `No user exists for uid N`.
    NoUser(u32),
    /// ssh does not start: libraries that do not fit.
    SshBroken(String),
    /// ssh does not understand its command line.
    Usage(String),
    /// The proxy ended without a connection.
    ProxyDied {
        /// What was said before: the proxy's own words.
        before: Vec<String>,
    },
    /// The control socket cannot be made.
    ControlPath(String),
    /// `RemoteCommand` in the configuration stands against git's command.
    RemoteCommand,
    /// A forwarding in the configuration failed.
    Forwarding(String),
    /// Logged in, and the server refused git's command.
    RepositoryRefused {
        /// The server's words.
        said: Vec<String>,
        /// The exit status of the command there.
        code: Option<i32>,
    },
    /// Logged in, and then the connection ended.
    LostAfterLogin(String),
    /// It went on until the deadline; the last that ssh reported.
    TimedOut(Option<String>),
    /// Nothing but git's closing words.
    Silent,
}
